"""The file ``.shotstore/commits``: how many transactions were committed, and whether all of them
are carried out.

It is never synced: it is for the processes of one machine, which see its pages in memory. After a
power loss it may say anything; but then whoever opens the store first is alone, and does not trust
it.
"""

import os
import struct
import zlib
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.log.boot import boot_id

_FIELDS = struct.Struct("<Q16sQQ16s")
_CHECKSUM = struct.Struct("<I")
_SIZE = _FIELDS.size + _CHECKSUM.size
_TRIES = 5


@frozen
class Count:
    """What the counter says."""

    commits: int
    """How many transactions were committed and carried out."""
    round: bytes = bytes(16)
    """Of the log."""
    end: int = 0
    """Where the next record of the log begins, after that of a commit that is going on."""
    is_unfinished: bool = True
    """Whether records of the log may have to be carried out: the one that ends at `end`, if
    somebody was killed in that commit, or all of them."""
    boot: bytes = bytes(16)
    """The start of the machine on which this was written; zeros if that is not known."""

    def is_of_this_boot(self) -> bool:
        """Whether no power loss can have come since it was written, as far as that can be known."""
        return self.boot == boot_id() != bytes(16)


class Counter:
    """The counter of a store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: disk.File | None = None
        """For who has the write lock."""
        self._process = 0

    def open(self) -> Count:
        """Keep it open for `write`, until `close`; return what it says."""
        with suppress(OSError):  # one that is missing is made where it is written
            file = self._file
            if (
                file is None
                or self._process != os.getpid()
                or not on_disk.is_at(file.stat(), self.path)
            ):
                self.close()
                self._file, self._process = disk.File(self.path, "r+"), os.getpid()
            assert self._file is not None
            content = bytearray(_SIZE)
            count = _parse(bytes(content[: self._file.read_into(memoryview(content), 0)]))
            if count is not None:
                return count
        return self.read()

    def close(self) -> None:
        """Close it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> Count:
        """What it says. One that is missing, or makes no sense, says that all of the log may have
        to be carried out.

        Raises:
            DamagedStorageError: the system does not let us read it.
        """
        try:
            for _ in range(_TRIES):
                # Who reads it without a lock may see it half-written.
                count = _parse(on_disk.read_file(str(self.path)) or b"")
                if count is not None:
                    return count
        except OSError as error:
            raise on_disk.unreadable_error(self.path, error) from error
        return Count(0)

    def write(self, count: Count) -> None:
        """Say something else, written over what it says, which needs no space."""
        body = _FIELDS.pack(
            count.commits % 2**64, count.round, count.end, count.is_unfinished, boot_id()
        )
        content = body + _CHECKSUM.pack(zlib.crc32(body))
        if self._file is None:
            disk.overwrite(self.path, content)
        else:
            self._file.write(content, 0)

    def exists(self) -> bool:
        """Whether there is one."""
        return on_disk.exists(self.path)


def _parse(content: bytes) -> Count | None:
    # What stands behind it stays there: who has the file open writes over its beginning alone.
    body, checksum = content[: _FIELDS.size], content[_FIELDS.size : _SIZE]
    if len(body) != _FIELDS.size or checksum != _CHECKSUM.pack(zlib.crc32(body)):
        return None
    commits, round_, end, is_unfinished, boot = _FIELDS.unpack(body)
    return Count(commits, round_, end, bool(is_unfinished), boot)
