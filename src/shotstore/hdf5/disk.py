"""Every change that the file backend makes to the file system, and the syncs that make it durable.

What is only looked at is in `on_disk`. Nothing else in this package creates, writes, cuts, renames
or removes a file of a store, but for the signs of life in `waiting_line`. So what a transaction
does to the disk can be read here, and `observe` lets a test record it, or fail it.
"""

import contextlib
import errno
import io
import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from attrs import frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import on_disk
from shotstore.hdf5.on_disk import exists, is_directory, named_error, unreadable_error
from shotstore.hdf5.refusals import patient, why_no_name, why_not_moved, why_not_opened

if sys.platform == "darwin":
    # fsync on macOS hands the data to the drive but does not make the drive write it.
    import fcntl

    def _sync(descriptor: int) -> None:
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError:
            # Not every file system knows it (network shares, FAT); fsync is then all there is.
            os.fsync(descriptor)

else:
    _sync = os.fsync

_CAN_SYNC_DIRECTORIES = os.name != "nt"
"""Windows cannot open a directory as a file; NTFS journals its directory entries itself."""

if hasattr(os, "fdatasync") and sys.platform != "darwin":
    _sync_data = os.fdatasync
else:
    _sync_data = _sync

_HAS_PREADV = hasattr(os, "preadv")
_HAS_PWRITE = hasattr(os, "pwrite")
_MOST_PIECES = 1024
"""In one call, on Linux and on macOS."""
CAN_READ_TOGETHER = hasattr(os, "pread")
"""Whether threads may read one `File` at the same time."""
_COPY_BYTES = 4 * 2**20


Kind: TypeAlias = Literal[
    "create", "write", "truncate", "sync", "mkdir", "rename", "unlink", "rmdir", "sync names"
]


@frozen
class Operation:
    """One change, or one sync, about to be made."""

    kind: Kind
    path: str
    destination: str = ""
    """Of a rename."""
    offset: int = 0
    """Of a write; the length, of a truncation."""
    data: bytes = b""


observe: Callable[[Operation], object] | None = None
"""Called before each operation. If it raises `OSError`, the operation fails with that."""


class File:
    """An open file, read and written at given offsets. One thread at a time, but for reading where
    `CAN_READ_TOGETHER` says so.

    Reads and writes are complete or raise `OSError`, unlike the system calls below them.
    """

    def __init__(self, path: Path, mode: str) -> None:
        """Open ``path``: to read (``"r"``), to read and write (``"r+"``), or as a new file
        (``"x"``, `FileExistsError` where there is one)."""
        self.path = path
        if mode == "x":
            descriptor = _create(path, os.O_RDWR)
        else:
            descriptor = _open(path, os.O_RDONLY if mode == "r" else os.O_RDWR)
        self._raw = io.FileIO(descriptor, "r" if mode == "r" else "r+")

    def length(self) -> int:
        """Length in bytes."""
        return os.fstat(self._raw.fileno()).st_size

    def stat(self) -> os.stat_result:
        """What the system knows of the open file, wherever it was moved since."""
        return os.fstat(self._raw.fileno())

    def fileno(self) -> int:
        """The descriptor, for locks."""
        return self._raw.fileno()

    def read_into(self, buffer: memoryview, offset: int) -> int:
        """Fill ``buffer`` from ``offset`` on; return how many bytes there were before the end."""
        return self.read_pieces([buffer], offset)

    def read_pieces(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill buffers, one after the other, from ``offset`` on; return how many bytes there were
        before the end."""
        done = 0
        left = list(buffers)
        try:
            if on_disk.observe_reading is not None:
                on_disk.observe_reading(str(self.path))
            while left:
                pieces = left[: _MOST_PIECES if _HAS_PREADV else 1]
                if _HAS_PREADV:
                    count = os.preadv(self._raw.fileno(), pieces, offset + done)
                else:
                    count = self._read_at(offset + done, pieces[0])
                if not count:
                    break
                done += count
                if count == sum(map(len, pieces)):  # as nearly always
                    del left[: len(pieces)]
                    continue
                while count >= len(left[0]):
                    count -= len(left.pop(0))
                left[0] = left[0][count:]
        except OSError as error:
            raise named_error(error, self.path) from error
        return done

    def _read_at(self, offset: int, buffer: memoryview) -> int:
        # Where there is fork, a child shares the position of the descriptor: it is left alone.
        if hasattr(os, "pread"):
            found = os.pread(self._raw.fileno(), len(buffer), offset)
            buffer[: len(found)] = found
            return len(found)
        self._raw.seek(offset)
        return self._raw.readinto(buffer) or 0

    def holds(self, data: bytes, offset: int) -> bool:
        """Whether these bytes are in the file at ``offset``."""
        found = bytearray(len(data))
        return self.read_into(memoryview(found), offset) == len(data) and found == data

    def write(self, data: memoryview | bytes | bytearray, offset: int) -> None:
        """Write all of ``data`` at ``offset``."""
        view = memoryview(data)
        if observe is not None:
            observe(Operation("write", str(self.path), offset=offset, data=bytes(view)))
        done = 0
        while done < len(view):
            done += self._write_at(offset + done, view[done:])

    def _write_at(self, offset: int, piece: memoryview) -> int:
        if _HAS_PWRITE:
            return os.pwrite(self._raw.fileno(), piece, offset)
        self._raw.seek(offset)
        return self._raw.write(piece)

    def truncate(self, length: int) -> None:
        """Cut or extend the file to ``length`` bytes."""
        _truncate(self._raw, self.path, length)

    def begin_to_write(self, start: int, stop: int) -> None:
        """Let the system write these bytes to the disk, for a later `sync` to have less to do."""
        if hasattr(os, "posix_fadvise"):
            # InUnit on Linux: a copy of 4 GB takes 1.9 s with it and 3.0 s without.
            with contextlib.suppress(OSError):  # an advice that not every file system takes
                os.posix_fadvise(self._raw.fileno(), start, stop - start, os.POSIX_FADV_DONTNEED)

    def sync(self) -> None:
        """Return once everything written is on the disk. Never call it again after it failed,
        unless all is written anew: the kernel may have dropped the pages that it could not
        write."""
        if observe is not None:
            observe(Operation("sync", str(self.path)))
        _sync(self._raw.fileno())

    def sync_data(self) -> None:
        """The same, of a file whose length and blocks are on the disk already."""
        if observe is not None:
            observe(Operation("sync", str(self.path)))
        _sync_data(self._raw.fileno())

    def close(self) -> None:
        """Close the descriptor."""
        self._raw.close()


@patient(lambda *_: None)
def _truncate(file: io.FileIO, path: Path, length: int) -> None:
    if observe is not None:
        observe(Operation("truncate", str(path), offset=length))
    file.truncate(length)


def _open(path: Path, flags: int) -> int:
    """Open a file, and nothing else that has its name."""
    descriptor = on_disk.open_file(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return descriptor


@patient(lambda path, _: why_no_name(path))
def _create(path: Path, flags: int) -> int:
    if observe is not None:
        observe(Operation("create", str(path)))
    return os.open(path, flags | os.O_CREAT | os.O_EXCL | on_disk.NO_FOLLOW, 0o666)


def copy_start(source: File, length: int, path: Path) -> None:
    """Create a file with the first ``length`` bytes of another one, in constant memory."""
    destination = File(path, "x")
    try:
        copy_piece(source, destination, 0, length)
    finally:
        destination.close()


def copy_piece(source: File, destination: File, start: int, stop: int) -> None:
    """Copy the bytes from ``start`` to ``stop`` to the same place in another file.

    Raises:
        DamagedStorageError: the source cannot be read, or ends before ``stop``.
    """
    offset = start
    while offset < stop:
        copied = _copy_in_system(source, destination, offset, stop - offset)
        if not copied:
            break
        offset += copied
    buffer = memoryview(bytearray(min(_COPY_BYTES, stop - offset)))
    while offset < stop:
        piece = buffer[: stop - offset]
        try:
            count = source.read_into(piece, offset)
        except OSError as error:
            raise unreadable_error(source.path, error) from error
        if count < len(piece):
            raise DamagedStorageError(
                f"{source.path} ends before byte {stop}: it was cut off. Restore it from a backup."
            )
        destination.write(piece, offset)
        offset += len(piece)


def _copy_in_system(source: File, destination: File, offset: int, length: int) -> int:
    """Let the system copy, which moves no bytes at all where the file system can share blocks;
    return how many bytes it took, 0 if it cannot."""
    if observe is not None or not hasattr(os, "copy_file_range"):
        return 0
    try:
        return os.copy_file_range(source.fileno(), destination.fileno(), length, offset, offset)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        return 0  # not between these two file systems, not by this kernel, or one cannot be read


def write_new_file(path: Path, content: bytes) -> None:
    """Create the file with this content, durably but for its directory entry."""
    file = File(path, "x")
    try:
        file.write(content, 0)
        file.sync()
    finally:
        file.close()


def open_or_create(path: Path, flags: int) -> int:
    """Open a file, which is made, empty, if there is none; return its descriptor."""
    try:
        return _open(path, flags)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):  # made by another process meanwhile
            return _create(path, flags)
    return _open(path, flags)


def overwrite(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of what the file holds, with no promise after a crash."""

    with io.FileIO(open_or_create(path, os.O_WRONLY), "w") as file:
        # Written before it is cut: the file is never seen empty.
        if observe is not None:
            observe(Operation("write", str(path), data=content))
        file.write(content)
        if os.fstat(file.fileno()).st_size != len(content):
            _truncate(file, path, len(content))


@patient(why_no_name)
def make_directory(path: Path | str) -> None:
    """Create the directory; `FileExistsError` where there is one."""
    if observe is not None:
        observe(Operation("mkdir", str(path)))
    os.mkdir(path)


def make_directories(path: Path) -> None:
    """Create the directory, and those above it that are missing, all of them durably."""
    if is_directory(path.resolve()):
        return
    if path.parent != path:
        make_directories(path.parent)
    with contextlib.suppress(FileExistsError):  # made by another process meanwhile
        make_directory(path)
    sync_directory(path.parent)


@patient(why_not_moved)
def rename(source: Path | str, destination: Path | str) -> None:
    """Move a file or directory at once. A file at the destination is replaced."""
    if observe is not None:
        observe(Operation("rename", str(source), str(destination)))
    os.replace(source, destination)


@patient(why_no_name)
def remove_file(path: Path | str) -> None:
    """Remove the file, if it is there."""
    if exists(path):
        if observe is not None:
            observe(Operation("unlink", str(path)))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def remove_tree(path: Path) -> None:
    """Remove the directory with all in it, if it is there. Links in it are not followed.

    Raises:
        OSError: something in it cannot be removed; all else in it is gone.
    """
    if not is_directory(path):
        return
    with os.scandir(path) as entries:
        names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    failure: OSError | None = None
    for name, is_directory_too in names:
        try:
            (remove_tree if is_directory_too else remove_file)(path / name)
        except OSError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    _remove_directory(path)


@patient(why_no_name)
def _remove_directory(path: Path) -> None:
    if observe is not None:
        observe(Operation("rmdir", str(path)))
    path.rmdir()


def sync_file(path: Path) -> None:
    """Return once everything that anybody has written to the file is on the disk."""
    # Windows syncs only what may be written to.
    with contextlib.closing(File(path, "r+" if os.name == "nt" else "r")) as file:
        file.sync()


def sync_directory(path: Path) -> None:
    """Return once the names in the directory are on the disk."""
    if not _CAN_SYNC_DIRECTORIES:
        return
    descriptor = _open_to_sync(path)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


@patient(why_not_opened)
def _open_to_sync(path: Path) -> int:
    if observe is not None:
        observe(Operation("sync names", str(path)))
    return os.open(path, os.O_RDONLY)
