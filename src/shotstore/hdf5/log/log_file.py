"""The file ``.shotstore/log``.

It begins with two *headers*, of which the later one counts, in a block of 4 KiB each; the records
follow, each at the beginning of a block::

    header   8 bytes  b"SHOTSLOG"        record   16 bytes  the round
            16 bytes  the round                    8 bytes  its number: 1 is the store's first
             8 bytes  number of the                8 bytes  length of what it says
                      round's first record        32 bytes  SHA-256 of all before it, and of
             8 bytes  how many headers                      what it says
                      were written                          what it says (see `record.dump`)
            32 bytes  SHA-256 of that

Numbers are little-endian. The round is drawn at random, so that what an earlier one has left is
never taken for a record of this one. The file was filled with zeros before, and synced, so that a
record needs no space, and nothing but itself has to reach the disk.
"""

import contextlib
import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from attrs import frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.overlay import PAGE

_MAGIC = b"SHOTSLOG"
_HEADER = struct.Struct("<8s16sQQ")
_RECORD = struct.Struct("<16sQQ")
_DIGEST_SIZE = hashlib.sha256().digest_size
_SLOTS = 2
START = _SLOTS * PAGE
"""Where the first record of a round begins."""
SMALLEST, LARGEST = 256 * 2**10, 16 * 2**20
"""Bytes that the file has at first, and that it grows to where it fills before a pause."""
_PIECE = 2**20


@frozen
class Header:
    """What a round of the log begins with."""

    round: bytes
    first: int
    """The number of its first record."""
    generation: int
    """How many headers were written by then."""


@frozen
class Entry:
    """A record as it stands in the log."""

    number: int
    content: bytes
    start: int
    end: int
    """Where the next one begins."""


def size_in_log(content_size: int) -> int:
    """How many bytes of the log a record takes that says so much."""
    return -(-(_RECORD.size + _DIGEST_SIZE + content_size) // PAGE) * PAGE


class LogFile:
    """The log of a store, opened when it is first needed. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: disk.File | None = None
        self._process = os.getpid()
        self.header = Header(b"", 0, 0)
        """Of the round, as it was when it was last read or written."""
        self.size = 0
        """Bytes in the file."""

    def exists(self) -> bool:
        """Whether there is a log."""
        return on_disk.exists(self.path)

    def create(self, first: int) -> None:
        """Make an empty log; ``first`` is the number of the next record."""
        staged = self.path.with_name(f"{self.path.name}.new")
        disk.remove_file(staged)
        file = disk.File(staged, "x")
        try:
            _fill(file, 0, SMALLEST)
            file.write(_pack_header(Header(os.urandom(16), first, 0)), 0)
            file.sync()
        finally:
            file.close()
        disk.rename(staged, self.path)
        disk.sync_directory(self.path.parent)
        self.close()

    def read_header(self, mode: Literal["r", "r+"] = "r+") -> Header:
        """Read the header anew, from the file that lies there by now.

        Raises:
            DamagedStorageError: neither of the two is whole, or it is not a file.
            FileNotFoundError: there is no log.
        """
        self.close()
        if on_disk.exists(self.path) and not on_disk.is_regular_file(self.path):
            raise damaged(self.path, "it is not a file")
        self._file = disk.File(self.path, mode)
        self._process = os.getpid()
        self.size = self._file.length()
        block = memoryview(bytearray(START))
        count = self._file.read_into(block, 0)
        slots = (bytes(block[:count])[slot * PAGE :] for slot in range(_SLOTS))
        headers = [header for header in map(_parse_header, slots) if header is not None]
        if not headers:
            raise damaged(self.path, "it has no header that is whole")
        self.header = max(headers, key=lambda header: header.generation)
        return self.header

    def is_as_read(self) -> bool:
        """Whether the file that lies there is the one whose header was read, in this process."""
        if self._file is None or self._process != os.getpid():
            return False
        return on_disk.is_at(self._file.stat(), self.path)

    def entries(self, start: int = START, stop: int | None = None) -> list[Entry]:
        """The records of the round, from one that begins at ``start`` on, up to where one ends.

        Raises:
            DamagedStorageError: one is damaged, and later ones are not, so that a commit that was
                acknowledged would be lost.
        """
        stop = self._open_file().length() if stop is None else stop
        content = memoryview(bytearray(max(0, stop - start)))
        content = content[: self._open_file().read_into(content, start)]
        found: list[Entry] = []
        number = None if start != START else self.header.first
        for entry in self._whole(content, start):
            is_next = entry.start == (found[-1].end if found else start)
            if not is_next or entry.number != (number or entry.number):
                raise damaged(self.path, f"record {number} in it is not whole, and later ones are")
            found.append(entry)
            number = entry.number + 1
        return found

    def _whole(self, content: memoryview, start: int) -> Iterator[Entry]:
        place = 0
        while place < len(content):
            entry = self._parse(content[place:], start + place)
            if entry is not None:
                yield entry
            place += PAGE if entry is None else entry.end - entry.start

    def _parse(self, content: memoryview, start: int) -> Entry | None:
        begin = _RECORD.size + _DIGEST_SIZE
        if len(content) < begin or content[:16] != self.header.round:
            return None
        _, number, length = _RECORD.unpack_from(content)
        if length > len(content) - begin:
            return None
        said = bytes(content[begin : begin + length])
        if content[_RECORD.size : begin] != _digest(bytes(content[: _RECORD.size]), said):
            return None
        return Entry(number, said, start, start + size_in_log(length))

    def append(self, number: int, content: bytes, start: int) -> int:
        """Write a record, durably; return where the next one begins.

        Raises:
            OSError: it is not durable if `entries` does not find it; otherwise nobody knows.
        """
        head = _RECORD.pack(self.header.round, number, len(content))
        end = start + size_in_log(len(content))
        block = b"".join([head, _digest(head, content), content])
        self._write_durably(block + bytes(end - start - len(block)), start)
        return end

    def sync(self) -> None:
        """Return once everything that anybody has written to it is on the disk."""
        self._open_file().sync_data()

    def write_again(self, entry: Entry) -> None:
        """Make durable a record whose writer may have been killed before it had synced it."""
        self.append(entry.number, entry.content, entry.start)

    def resize(self, size: int) -> None:
        """Make the file longer or shorter, durably, when nothing of the round is needed any more.

        Raises:
            OSError: there is no space. It is as long as it was.
        """
        if size == self.size:
            return
        file = self._open_file()
        if size < self.size:
            file.truncate(size)
        try:
            _fill(file, self.size, size)
            file.sync()
        except OSError:
            with contextlib.suppress(OSError):
                file.truncate(self.size)
            raise
        self.size = size

    def begin_round(self, first: int) -> None:
        """Begin a new round, durably, when nothing of the old one is needed any more.

        Args:
            first: The number of its first record.

        Raises:
            OSError: nobody knows which of the two rounds will be found, so no record may follow.
        """
        header = Header(os.urandom(16), first, self.header.generation + 1)
        block = _pack_header(header)
        place = header.generation % _SLOTS * PAGE
        try:
            self._write_durably(block, place)
        except OSError:
            with contextlib.suppress(OSError):
                self._open_file().write(bytes(len(block)), place)
            raise
        self.header = header

    def _write_durably(self, block: bytes, place: int) -> None:
        file = self._open_file()
        file.write(block, place)
        try:
            file.sync_data()
        except OSError:
            # The system may have dropped what it could not write: it has to be written anew.
            file.write(block, place)
            file.sync_data()

    def _open_file(self) -> disk.File:
        assert self._file is not None
        return self._file

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def damaged(path: Path, why: str) -> DamagedStorageError:
    """The error for a log, or what was kept back of one, that cannot be carried out; ``why`` is a
    clause."""
    error = DamagedStorageError(
        f"{path} is damaged ({why}), so the commits in it cannot be carried out, and the sequences "
        "that they change may be half-changed. Restore the store from a backup; or, to go on "
        "without those commits, move it out of the store and check the last changes."
    )
    error.why = why
    return error


def _fill(file: disk.File, start: int, stop: int) -> None:
    for place in range(start, stop, _PIECE):
        file.write(bytes(min(_PIECE, stop - place)), place)


def _pack_header(header: Header) -> bytes:
    packed = _HEADER.pack(_MAGIC, header.round, header.first, header.generation)
    return packed + _digest(packed)


def _parse_header(block: bytes) -> Header | None:
    packed = block[: _HEADER.size]
    if len(packed) < _HEADER.size or block[_HEADER.size :][:_DIGEST_SIZE] != _digest(packed):
        return None
    magic, round_, first, generation = _HEADER.unpack(packed)
    return Header(round_, first, generation) if magic == _MAGIC else None


def _digest(*pieces: bytes) -> bytes:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.digest()
