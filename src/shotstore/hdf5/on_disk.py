"""What lies on the disk: which names there are, and what is in documents. Here nothing changes."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from shotstore.errors import DamagedStorageError
from shotstore.hdf5.refusals import patient, why_not_opened

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
NO_WAIT = getattr(os, "O_NONBLOCK", 0)
NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
"""What a system says where nothing has a name, nor can have it."""
_KNOWS_EFFECTIVE_IDS = os.access in os.supports_effective_ids

observe_opening: Callable[[str], None] | None = None
"""Called before a file that exists is opened. If it raises `OSError`, the opening fails with
that."""


observe_reading: Callable[[str], None] | None = None
"""Called with the path before a file or a directory is read. If it raises `OSError`, the reading
fails with that."""


def exists(path: Path | str) -> bool:
    """Whether anything, even a broken symbolic link, has this name.

    Raises:
        OSError: the system cannot tell, for instance since the path is too long for it.
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def is_at(status: os.stat_result, path: Path | str) -> bool:
    """Whether the file of which the system says this lies at a path."""
    try:
        return os.path.samestat(status, os.lstat(path))
    except FileNotFoundError:
        return False


def longest_path(directory: Path) -> int:
    """How many bytes a path on this file system may have."""
    try:
        return os.pathconf(directory, "PC_PATH_MAX")
    except (AttributeError, OSError, ValueError):
        return 259  # Windows, unless it was told to allow more


def is_regular_file(path: Path | str) -> bool:
    """Whether ``path`` is a file of its own: a symbolic link may lead out of the store."""
    return stat.S_ISREG(mode(path))


def is_directory(path: Path | str) -> bool:
    """Whether ``path`` is a directory of its own, not a symbolic link to one."""
    return stat.S_ISDIR(mode(path))


def is_link(path: Path | str) -> bool:
    """Whether ``path`` is a symbolic link."""
    return stat.S_ISLNK(mode(path))


def mode(path: Path | str) -> int:
    """The type of what has this name, as `stat` tells it; 0 if there is nothing."""
    try:
        return os.lstat(path).st_mode
    except OSError as error:
        if error.errno in NOTHING_THERE:
            return 0
        raise


Identity: TypeAlias = tuple[int, int, int, int]
"""What changes when a file is changed or replaced: inode, length, and when its content and the
file itself were last changed (ns since 1970). Who sets the one time back cannot set the other."""


def identity(path: str) -> Identity | None:
    """Which file it is and when it was changed, or None if `read_file` finds none."""
    try:
        return _identity(os.lstat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


LONGEST_DOCUMENT = 256 * 2**20
"""Bytes. What is longer is not a document, and would fill the memory: a sparse file may be so."""


def read_file(path: str, longest: int = LONGEST_DOCUMENT) -> bytes | None:
    """The content of the file, or None if there is none. A symbolic link does not count: it may
    lead out of the store. Nor does a pipe: it may never say anything.

    Raises:
        OSError: it cannot be read, or has more than ``longest`` bytes.
    """
    return read_and_identify(path, longest)[0]


def read_and_identify(
    path: str, longest: int = LONGEST_DOCUMENT
) -> tuple[bytes | None, Identity | None]:
    """What `read_file` finds, and the `identity` that the file had before it was read."""
    try:
        if observe_reading is not None:
            observe_reading(path)
        descriptor = open_file(path, os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None, None
        raise
    # A bare descriptor: FileIO refuses a directory before it can be looked at.
    try:
        found = _identity(status := os.fstat(descriptor))
        if found is None:
            return None, None
        if status.st_size > longest:
            raise OSError(errno.EFBIG, f"it has {status.st_size} bytes, more than any document")
        pieces = []
        while piece := os.read(descriptor, status.st_size + 1):
            pieces.append(piece)
        return b"".join(pieces), found
    except OSError as error:
        raise named_error(error, path) from error
    finally:
        os.close(descriptor)


@patient(why_not_opened)
def open_file(path: Path | str, flags: int) -> int:
    """Open what has this name, and not what a symbolic link in its place leads to; return its
    descriptor. The other end of a pipe is not waited for."""
    if observe_opening is not None:
        observe_opening(str(path))
    return os.open(path, flags | NO_FOLLOW | NO_WAIT)


def named_error(error: OSError, path: Path | str) -> OSError:
    """The error of a call on a descriptor, with the file's name, which the system leaves out."""
    return OSError(error.errno, error.strerror or str(error), str(path))


def unreadable_error(path: Path | str, error: OSError) -> DamagedStorageError:
    """A file or directory that the system does not let us read."""
    damaged = DamagedStorageError(
        f"{path} cannot be read: {error.strerror or error}. See to the permissions; if the disk is "
        "failing, copy everything off it at once, or restore it from a backup."
    )
    damaged.__cause__ = error
    return damaged


def _identity(status: os.stat_result) -> Identity | None:
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def list_directories(path: str) -> list[str]:
    """Names of the directories in a directory, without symbolic links to directories."""
    if observe_reading is not None:
        observe_reading(path)
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def list_files(path: str) -> tuple[str, ...]:
    """Names of the files in a directory, sorted, without symbolic links; none if it is missing."""
    try:
        if observe_reading is not None:
            observe_reading(path)
        with os.scandir(path) as entries:
            return tuple(sorted([e.name for e in entries if e.is_file(follow_symlinks=False)]))
    except FileNotFoundError:
        return ()


def list_names(path: str) -> list[str]:
    """All names in a directory; none if it is missing."""
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries]
    except FileNotFoundError:
        return []


def list_others(path: str) -> list[str]:
    """Names in a directory of what is neither a file nor a directory: links, pipes, devices."""
    with os.scandir(path) as entries:
        return [
            entry.name
            for entry in entries
            if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False)
        ]


def size_of_tree(path: str) -> int:
    """Bytes in all files below a directory, as far as the system tells them."""
    size = 0
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    size += size_of_tree(entry.path)
                else:
                    size += entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        raise
    except OSError:
        return size
    return size


def may_remove_tree(path: str) -> bool:
    """Whether the system lets this process list, and remove from, each directory of a tree."""
    wanted = os.R_OK | os.W_OK | os.X_OK
    pending = [path]
    while pending:
        directory = pending.pop()
        if not os.access(directory, wanted, effective_ids=_KNOWS_EFFECTIVE_IDS):
            return False
        pending += [f"{directory}/{name}" for name in list_directories(directory)]
    return True
