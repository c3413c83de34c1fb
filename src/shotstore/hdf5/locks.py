"""The locks of a store. They are files of their own, never the data, and never deleted.

Order: write lock, gate, apply lock. Nothing is acquired while the apply lock is held.

- The *write lock* is held by one writing session at a time, from its first write to its end. Those
  that wait for it stand in a line.
- The *apply lock* is shared by readers while they touch files, and exclusive while a commit
  changes them.
- The *open lock* is shared by all storages that may write, for as long as they are used. Who gets
  it alone knows that nobody else does. It is asked for and taken under the *opening lock*.
- The *gate* lets a waiting commit in: it holds the gate exclusively while it waits for the readers
  that are inside, and a reader passes through the gate before it enters. Without it a few busy
  readers keep a writer out nearly for ever.
"""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import portalocker
from filelock import lock_descriptor, unlock_descriptor
from portalocker import LockFlags

from shotstore.errors import StorageError, StorageLockTimeoutError
from shotstore.hdf5 import disk, on_disk, waiting_line
from shotstore.hdf5.dropped import settle
from shotstore.hdf5.lock_holders import (
    Writer,
    describe,
    describe_this_process,
    holders_of,
    read_writer,
    what_to_do,
)
from shotstore.hdf5.waiting_line import WaitingLine
from shotstore.hdf5.worker import check_cancelled
from shotstore.records.owner import Owner, holders

# A pipe in the place of a lock would wait for somebody at its other end.
_NO_FOLLOW = on_disk.NO_FOLLOW | on_disk.NO_WAIT
_SHARED = LockFlags.SHARED | LockFlags.NON_BLOCKING
_ALONE = LockFlags.EXCLUSIVE | LockFlags.NON_BLOCKING
_SHORTEST_WAIT, _LONGEST_WAIT = 0.0001, 0.001  # seconds between two tries
_LONGEST_LOOK = 30.0  # seconds
_LONGEST_MOMENT = 5.0  # seconds
_MOST_READERS = 2
_LONGEST_TURN = 1.0  # seconds

_descriptors: set[int] = set()
"""Descriptors with a lock on them. A child of `os.fork` shares the lock with its parent, and would
hold it for as long as it lives."""


_moments: list[str] = []
"""Stores of which this process has the write lock for a moment, or is about to."""

_readers: dict[str, threading.BoundedSemaphore] = {}
"""For each store, those of this process that read."""


class Locks:
    """The locks of one store."""

    def __init__(self, directory: Path, timeout: float) -> None:
        """``directory`` holds the lock files; ``timeout`` is in seconds."""
        self._timeout = timeout
        self._write = directory / "write.lock"
        self._line = directory / "write.line"
        self._writer = directory / "writer.json"
        self._open = directory / "open.lock"
        self._opening = directory / "opening.lock"
        self._gate = directory / "gate.lock"
        self._apply = directory / "apply.lock"
        self._word: tuple[object, ...] = ()
        """What this process has last said of itself."""
        self._idle: dict[tuple[Path, LockFlags], list[_Lock]] = {}
        """Files of locks that are not held, but will be."""

    def exist(self) -> bool:
        """Whether there are lock files: without them the directory is an archive."""
        return on_disk.is_regular_file(self._gate) and on_disk.is_regular_file(self._apply)

    def create(self) -> None:
        """Create the lock files."""
        for path in (self._open, self._opening, self._gate, self._apply):
            os.close(disk.open_or_create(path, os.O_RDWR))
        waiting_line.create(self._line)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Hold the apply lock together with other readers.

        Raises:
            StorageLockTimeoutError: a commit, or a process that was stopped in one, is in the way.
        """
        # Opened to read alone: the disk may be read-only, or have become so.
        with (
            _one_of_few(str(self._apply)),
            self._kept(self._apply, _SHARED, os.O_RDONLY) as apply_lock,
        ):
            with self._kept(self._gate, _SHARED, os.O_RDONLY) as gate:
                _wait(gate.attempt, self._timeout, self._name_holders)
                _wait(apply_lock.attempt, self._timeout, self._name_holders)
            yield

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the apply lock alone.

        Raises:
            StorageLockTimeoutError: a reader, or a process that was stopped in one, is in the way.
        """
        with (
            self._kept(self._apply, _ALONE, os.O_RDWR) as apply_lock,
            self._kept(self._gate, _ALONE, os.O_RDWR) as gate,
        ):
            _wait(gate.attempt, self._timeout, self._name_holders)
            _wait(apply_lock.attempt, self._timeout, self._name_holders)
            yield

    @contextmanager
    def _kept(self, path: Path, kind: LockFlags, open_flags: int) -> Iterator["_Lock"]:
        """A lock, the file of which stays open for the next one that needs it: to open and close it
        takes longer than to lock it."""
        idle = self._idle.setdefault((path, kind), [])
        lock = None
        while lock is None and idle:
            with suppress(IndexError):  # another thread was faster
                lock = idle.pop()
            if lock is not None and not lock.is_usable():
                lock.release()
                lock = None
        lock = lock or _Lock(path, kind, open_flags)
        try:
            yield lock
        finally:
            if lock.unlock():
                idle.append(lock)

    def close(self) -> None:
        """Close the files of locks that are not held."""
        for idle in self._idle.values():
            while idle:
                idle.pop().release()

    def acquire_write(
        self, owner: Owner | None, timeout: float | None = None
    ) -> Callable[[], None]:
        """Take the write lock; return the function that releases it.

        Args:
            owner: Whose session is to write; None for what lasts a moment.
            timeout: In seconds, by default that of the store.

        Raises:
            StorageLockTimeoutError: it would wait for itself, or another one keeps on writing.
        """
        root = str(self._write.parent.parent)
        timeout = self._timeout if timeout is None else timeout
        lock = _WriteLock(self._write)
        line = WaitingLine(self._line)
        deadline = time.monotonic() + timeout
        if owner is None:
            _moments.append(root)

        def acquired() -> bool:
            if owner is not None:
                _check_holder(root, owner, timeout)
            # Who would give up otherwise tries out of turn.
            if (line.is_first() or time.monotonic() >= deadline) and lock.attempt():
                return True
            line.wait()
            return False

        try:
            _wait(
                acquired,
                timeout,
                lambda: f"the write lock of {self._describe_writer()}",
                # Each of many that look often keeps the one busy that has it.
                lambda: _LONGEST_WAIT * (1 + line.ahead),
                lambda: owner is not None and self._is_held_for_a_moment(),
            )
        except BaseException:
            lock.release()
            if owner is None:
                _moments.remove(root)
            raise
        finally:
            line.leave()
        forget_holder = None if owner is None else holders.add(root, owner)
        process = os.getpid()
        self._leave_word(is_session=owner is not None)

        def release() -> None:
            if os.getpid() == process:
                if forget_holder is not None:
                    forget_holder()
                lock.release()
                if owner is None:
                    with suppress(ValueError):  # released before
                        _moments.remove(root)

        return release

    def _is_held_for_a_moment(self) -> bool:
        """Whether who has the write lock makes a checkpoint, for instance. A session waits for that
        even if it is to wait for no other session."""
        writer = self.writer()
        root = str(self._write.parent.parent)
        return root in _moments or (writer is not None and not writer.is_session)

    def _leave_word(self, *, is_session: bool) -> None:
        """Say who writes, unless nobody else has since this process has said it."""
        with suppress(OSError):  # it is a courtesy: on a full disk we go on without
            word = os.getpid(), is_session, on_disk.identity(str(self._writer))
            if word != self._word:
                disk.overwrite(self._writer, describe_this_process(is_session=is_session))
                self._word = (*word[:2], on_disk.identity(str(self._writer)))

    def join(self, alone: Callable[[], object]) -> Callable[[], None]:
        """Hold the open lock together with others; return the function that releases it.

        Args:
            alone: Called before others get it, if nobody has it.

        Raises:
            StorageLockTimeoutError: somebody is opening the store, and does not come to an end.
        """
        with self._turn(os.O_RDWR):
            with _locked(self._open, _ALONE, os.O_RDWR) as lock:
                if lock.attempt():
                    alone()
            shared = _Lock(self._open, _SHARED, os.O_RDONLY)
            try:
                _wait(shared.attempt, self._timeout, lambda: str(self._open))
            except BaseException:
                shared.release()
                raise
        return shared.release

    def is_anybody_there(self) -> bool:
        """Whether anybody holds the open lock. A copy may lack it."""
        if not (on_disk.is_regular_file(self._open) and on_disk.is_regular_file(self._opening)):
            return False
        with self._turn(os.O_RDONLY), _locked(self._open, _ALONE, os.O_RDONLY) as lock:
            return not lock.attempt()

    @contextmanager
    def _turn(self, open_flags: int) -> Iterator[None]:
        with _locked(self._opening, _ALONE, open_flags) as turn:
            _wait(turn.attempt, self._timeout, lambda: f"{self._opening}, to open the store")
            yield

    def is_writing(self) -> bool:
        """Whether a session holds the write lock at this moment, or may hold it."""
        try:
            with _locked(self._write, _SHARED, os.O_RDONLY) as lock:
                return not lock.attempt()
        except FileNotFoundError:
            return False
        except PermissionError:
            return True

    def writer(self) -> Writer | None:
        """The program that was the last to begin to write, as far as it could leave word."""
        return read_writer(self._writer)

    def _describe_writer(self) -> str:
        root = self._write.parent.parent
        writer = self.writer()
        if writer is None:
            return f"{root}. It is held by another process"
        who = f"process {writer.process} ({writer.program}), since {writer.since.isoformat()}"
        return f"{root}. It is held by {who}{what_to_do(writer.process)}"

    def _name_holders(self) -> str:
        pids = holders_of(self._apply) | holders_of(self._gate)
        pids.discard(os.getpid())
        who = ", ".join(map(describe, sorted(pids)))
        return f"the files of {self._apply.parent.parent}. They are held by {who or 'a process'}"


def try_lock_shared(file: disk.File) -> bool:
    """Take HDF5's own lock on an open data file, shared, as its readers do. False if somebody has
    the file open for writing. Closing the file releases the lock."""
    try:
        portalocker.lock(file.fileno(), _SHARED)
    except portalocker.LockException:
        return False
    return True


def unlock(file: disk.File) -> None:
    """Release HDF5's own lock on an open data file."""
    portalocker.unlock(file.fileno())


def lock_alone(path: Path) -> Callable[[], None]:
    """Take the lock of a file that nobody else wants for long; return the function that releases
    it.

    Raises:
        StorageLockTimeoutError: somebody keeps it all the same.
    """
    lock = _Lock(path, _ALONE, os.O_RDWR)
    try:
        _wait(lock.attempt, _LONGEST_LOOK, lambda: str(path))
    except BaseException:
        lock.release()
        raise
    return lock.release


def try_lock_alone(path: Path) -> Callable[[], None] | None:
    """Take the lock of a file, or of one that is missing, unless somebody holds it: then, or where
    that cannot be known, return None."""
    try:
        lock = _Lock(path, _ALONE, os.O_RDWR)
    except FileNotFoundError:
        return lambda: None
    except OSError:
        return None
    if lock.attempt():
        return lock.release
    lock.release()
    return None


class _Lock:
    def __init__(self, path: Path, kind: LockFlags, open_flags: int) -> None:
        self._path = path
        self._kind = kind
        self._open_flags = open_flags | _NO_FOLLOW
        self._process = os.getpid()
        self._open()

    def _open(self) -> None:
        self._descriptor = os.open(self._path, self._open_flags)
        _descriptors.add(self._descriptor)

    def attempt(self) -> bool:
        try:
            portalocker.lock(self._descriptor, self._kind)
        except portalocker.AlreadyLocked:
            return False
        except portalocker.LockException as error:
            raise _locking_error(self._path, error) from error
        return True

    def is_usable(self) -> bool:
        """Whether it is of this process, and its file was not removed."""
        return self._process == os.getpid() and os.fstat(self._descriptor).st_nlink > 0

    def unlock(self) -> bool:
        """Release it, and keep its file open if that is possible; whether it is."""
        if self._process == os.getpid() and self._descriptor >= 0:
            try:
                self._unlock(self._descriptor)
            except (OSError, portalocker.LockException):
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
            with suppress(OSError, portalocker.LockException):
                self._unlock(descriptor)
            with suppress(OSError):
                os.close(descriptor)

    def _unlock(self, descriptor: int) -> None:
        portalocker.unlock(descriptor)


class _WriteLock(_Lock):
    """A lock that excludes filelock's `FileLock` of the same path."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _ALONE, os.O_RDWR)

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
def _one_of_few(store: str) -> Iterator[None]:
    """Let few threads of a process read at once. Python runs one at a time, so that more of them
    read no faster, and a commit, which lets go of Python at each write and sync, would have to wait
    for all of them each time. Nothing but speed rests on it: who waits for long goes on."""
    few = _readers.setdefault(store, threading.BoundedSemaphore(_MOST_READERS))
    is_in = few.acquire(timeout=_LONGEST_TURN)
    try:
        yield
    finally:
        if is_in:
            few.release()


@contextmanager
def _locked(path: Path, kind: LockFlags, open_flags: int) -> Iterator[_Lock]:
    lock = _Lock(path, kind, open_flags)
    try:
        yield lock
    finally:
        lock.release()


def _locking_error(path: Path, error: Exception) -> StorageError:
    return StorageError(
        f"{path} cannot be locked ({error}). Where the file system cannot lock files, as some "
        "network shares cannot, keep the store on a disk of this machine; to read a copy, leave "
        "out its .shotstore and open it with read_only=True."
    )


def _check_holder(store: str, owner: Owner, timeout: float) -> None:
    try:
        holders.check(store, owner)
    except StorageLockTimeoutError:
        settle(timeout)  # the session that holds it may have been dropped by now
        holders.check(store, owner)


def _wait(
    attempt: Callable[[], bool],
    timeout: float,
    describe: Callable[[], str],
    longest_pause: Callable[[], float] = lambda: _LONGEST_WAIT,
    is_for_a_moment: Callable[[], bool] = lambda: False,
) -> None:
    if attempt():
        return
    deadline = time.monotonic() + timeout
    pause = _SHORTEST_WAIT
    while True:
        time.sleep(pause * random.uniform(0.5, 1))
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


def _close_inherited_locks() -> None:
    for descriptor in _descriptors:
        with suppress(OSError):
            os.close(descriptor)
    _descriptors.clear()
    _moments.clear()
    _readers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited_locks)
