"""Locks on files: taken, waited for, and left."""

import errno
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import portalocker
from filelock import lock_descriptor, unlock_descriptor
from portalocker import LockFlags

from shotstore.errors import StorageError, StorageLockTimeoutError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.worker import check_cancelled

# A pipe in the place of a lock would wait for somebody at its other end.
_NO_FOLLOW = on_disk.NO_FOLLOW | on_disk.NO_WAIT
SHARED = LockFlags.SHARED | LockFlags.NON_BLOCKING
ALONE = LockFlags.EXCLUSIVE | LockFlags.NON_BLOCKING
_SHORTEST_WAIT, LONGEST_WAIT = 0.0001, 0.001  # seconds between two tries
_LONGEST_LOOK = 30.0  # seconds
_LONGEST_MOMENT = 5.0  # seconds

_RANDOM = random.SystemRandom()
"""Not that of the program, which may have drawn a seed for its shots."""

_descriptors: set[int] = set()
"""Descriptors with a lock on them. A child of `os.fork` shares the lock with its parent, and would
hold it for as long as it lives."""

_FAILURES = (OSError, portalocker.LockException)

if sys.platform == "win32":

    def try_lock(descriptor: int, kind: LockFlags) -> bool:
        """Take a lock, unless somebody holds it; return whether it was taken."""
        try:
            portalocker.lock(descriptor, kind)
        except portalocker.AlreadyLocked:
            return False
        return True

    def release_lock(descriptor: int) -> None:
        """Release a lock."""
        portalocker.unlock(descriptor)

else:
    # What portalocker calls, too, and takes seven times as long for: a commit takes six locks or
    # more, and a reader that polls takes them all day.
    import fcntl

    def try_lock(descriptor: int, kind: LockFlags) -> bool:
        """Take a lock, unless somebody holds it; return whether it was taken."""
        try:
            fcntl.flock(descriptor, kind)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                return False
            raise
        return True

    def release_lock(descriptor: int) -> None:
        """Release a lock."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def try_lock_shared(file: disk.File) -> bool:
    """Take HDF5's own lock on an open data file, shared, as its readers do. False if somebody has
    the file open for writing. Closing the file releases the lock."""
    try:
        return try_lock(file.fileno(), SHARED)
    except _FAILURES:
        return False


def unlock(file: disk.File) -> None:
    """Release HDF5's own lock on an open data file."""
    release_lock(file.fileno())


def lock_alone(path: Path) -> Callable[[], None]:
    """Take the lock of a file that nobody else wants for long; return the function that releases
    it.

    Raises:
        StorageLockTimeoutError: somebody keeps it all the same.
    """
    lock = Lock(path, ALONE, os.O_RDWR)
    try:
        wait(lock.attempt, _LONGEST_LOOK, lambda: str(path))
    except BaseException:
        lock.release()
        raise
    return lock.release


def try_lock_alone(path: Path) -> Callable[[], None] | None:
    """Take the lock of a file, or of one that is missing, unless somebody holds it: then, or where
    that cannot be known, return None."""
    try:
        lock = Lock(path, ALONE, os.O_RDWR)
    except FileNotFoundError:
        return lambda: None
    except OSError:
        return None
    if lock.attempt():
        return lock.release
    lock.release()
    return None


class Lock:
    """A lock on a file, which is open from the beginning; the lock is not taken yet."""

    def __init__(self, path: Path, kind: LockFlags, open_flags: int) -> None:
        """``kind`` is `SHARED` or `ALONE`; ``open_flags`` are those of `os.open`.

        Raises:
            OSError: the file cannot be opened.
        """
        self._path = path
        self._kind = kind
        self._open_flags = open_flags | _NO_FOLLOW
        self._process = os.getpid()
        self._open()

    def _open(self) -> None:
        self._descriptor = os.open(self._path, self._open_flags)
        _descriptors.add(self._descriptor)

    def attempt(self) -> bool:
        """Take the lock, unless somebody holds one that excludes it; whether it is taken.

        Raises:
            StorageError: the file system cannot lock files.
        """
        try:
            return try_lock(self._descriptor, self._kind)
        except _FAILURES as error:
            raise _locking_error(self._path, error) from error

    def is_usable(self) -> bool:
        """Whether it is of this process, and its file was not removed."""
        return self._process == os.getpid() and os.fstat(self._descriptor).st_nlink > 0

    def unlock(self) -> bool:
        """Release it, and keep its file open if that is possible; whether it is."""
        if self._process == os.getpid() and self._descriptor >= 0:
            try:
                self._unlock(self._descriptor)
            except _FAILURES:
                self.release()
            else:
                return True
        return False

    def release(self) -> None:
        """Once: a second call does nothing. In a forked child, nothing is left to release."""
        if self._descriptor >= 0 and self._process == os.getpid():
            descriptor, self._descriptor = self._descriptor, -1
            _descriptors.discard(descriptor)
            # Unlocked and not only closed: a child that was forked at a bad moment may still share
            # the descriptor. Where that fails, closing releases it.
            with suppress(*_FAILURES):
                self._unlock(descriptor)
            with suppress(OSError):
                os.close(descriptor)

    def _unlock(self, descriptor: int) -> None:
        release_lock(descriptor)


class WriteLock(Lock):
    """A lock that excludes filelock's `FileLock` of the same path."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, ALONE, os.O_RDWR)

    def _open(self) -> None:
        try:
            super()._open()
        except FileNotFoundError:
            os.close(disk.open_or_create(self._path, os.O_RDWR))
            super()._open()

    def attempt(self) -> bool:
        try:
            if not lock_descriptor(self._descriptor, blocking=False):
                return False
        except OSError as error:
            raise _locking_error(self._path, error) from error
        if self._lies_at_path():
            return True
        # Somebody has removed the file while we waited, and others lock the one that came after.
        self.release()
        self._open()
        return False

    def _lies_at_path(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.lstat())
        except FileNotFoundError:
            return False

    def _unlock(self, descriptor: int) -> None:
        unlock_descriptor(descriptor)


@contextmanager
def locked(path: Path, kind: LockFlags, open_flags: int) -> Iterator[Lock]:
    """A `Lock`, to be taken in the block, which is released and closed at its end."""
    lock = Lock(path, kind, open_flags)
    try:
        yield lock
    finally:
        lock.release()


def wait(
    attempt: Callable[[], bool],
    timeout: float,
    describe: Callable[[], str],
    longest_pause: Callable[[], float] = lambda: LONGEST_WAIT,
    is_for_a_moment: Callable[[], bool] = lambda: False,
) -> None:
    """Try again and again to take a lock, until it is taken.

    Args:
        attempt: Takes it, and returns whether it could.
        timeout: Seconds after which to give up; 0 to try twice, a moment apart.
        describe: What is waited for, and who holds it, for the message.
        longest_pause: Seconds between two tries, at most.
        is_for_a_moment: Whether who holds it is about to release it, so that a little more time
            is given.

    Raises:
        StorageLockTimeoutError: it was not to be had in that time.
        Cancelled: nobody waits for the result any more.
    """
    if attempt():
        return
    deadline = time.monotonic() + timeout
    pause = _SHORTEST_WAIT
    while True:
        time.sleep(pause * _RANDOM.uniform(0.5, 1))
        check_cancelled()
        if attempt():
            return
        late = time.monotonic() - deadline
        if late > 0 and not (late < _LONGEST_MOMENT and is_for_a_moment()):
            raise StorageLockTimeoutError(
                f"Waited {timeout:g} s for {describe()}. Let that process finish, or end it, and "
                "try again."
            )
        pause = min(pause * 1.5, longest_pause())


def _locking_error(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"{path} cannot be locked ({error}). Where the file system cannot lock files, as some "
        "network shares cannot, keep the store on a disk of this machine; to read a copy, leave "
        "out its .shotstore and open it with read_only=True."
    )


def _close_inherited_locks() -> None:
    for descriptor in _descriptors:
        with suppress(OSError):
            os.close(descriptor)
    _descriptors.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited_locks)
