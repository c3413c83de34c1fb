"""The locks of a store. They are files of their own, never the data, and never deleted.

Order: write lock, gate, apply lock. Nothing is acquired while the apply lock is held.

- The *write lock* is held by one writing session at a time, from its first write to its end. Those
  that wait for it stand in a line.
- The *apply lock* is shared by readers while they touch files, and exclusive while a commit
  changes them. Without it is read what no commit changes: frames of which is known where they lie
  in an open file; and documents that are read again if anything was committed meanwhile.
- The *open lock* is shared by all storages that may write, for as long as they are used; see
  `membership`. It is asked for and taken under the *opening lock*.
- The *gate* lets a waiting commit in: it holds the gate exclusively while it waits for the readers
  that are inside, and a reader passes through the gate before it enters. Without it a few busy
  readers keep a writer out nearly for ever.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portalocker import LockFlags

from shotstore.errors import StorageLockTimeoutError
from shotstore.hdf5 import disk, on_disk, waiting_line
from shotstore.hdf5.dropped import settle
from shotstore.hdf5.lock_files import (
    ALONE,
    LONGEST_WAIT,
    SHARED,
    Lock,
    WriteLock,
    locked,
    wait,
)
from shotstore.hdf5.lock_holders import (
    Writer,
    describe,
    describe_this_process,
    holders_of,
    read_writer,
    what_to_do,
)
from shotstore.hdf5.waiting_line import WaitingLine
from shotstore.records.owner import Owner, holders

MOMENT = 0.5
"""Seconds to wait for the write lock where one can do without it: a checkpoint takes no longer,
where the disk is not slow."""
_MOST_READERS = 2
_LONGEST_TURN = 1.0  # seconds

_moments: list[str] = []
"""Stores of which this process has the write lock for a moment, or is about to."""

_readers: dict[str, threading.BoundedSemaphore] = {}
"""For each store, those of this process that read."""


class Locks:
    """The locks of one store."""

    def __init__(self, directory: Path, timeout: float) -> None:
        """``directory`` holds the lock files; ``timeout`` is in seconds."""
        self._timeout = timeout
        self._store = str(directory.parent)
        self._write = directory / "write.lock"
        self._line = directory / "write.line"
        self._writer = directory / "writer.json"
        self._open = directory / "open.lock"
        self._opening = directory / "opening.lock"
        self._gate = directory / "gate.lock"
        self._apply = directory / "apply.lock"
        self._word: tuple[object, ...] = ()
        """What this process has last said of itself."""
        self._idle: dict[tuple[Path, LockFlags], list[Lock]] = {}
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
            self._kept(self._apply, SHARED, os.O_RDONLY) as apply_lock,
        ):
            with self._kept(self._gate, SHARED, os.O_RDONLY) as gate:
                wait(gate.attempt, self._timeout, self._name_holders)
                wait(apply_lock.attempt, self._timeout, self._name_holders)
            yield

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the apply lock alone.

        Raises:
            StorageLockTimeoutError: a reader, or a process that was stopped in one, is in the way.
        """
        with (
            self._kept(self._apply, ALONE, os.O_RDWR) as apply_lock,
            self._kept(self._gate, ALONE, os.O_RDWR) as gate,
        ):
            wait(gate.attempt, self._timeout, self._name_holders)
            wait(apply_lock.attempt, self._timeout, self._name_holders)
            yield

    @contextmanager
    def _kept(self, path: Path, kind: LockFlags, open_flags: int) -> Iterator["Lock"]:
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
        lock = lock or Lock(path, kind, open_flags)
        try:
            yield lock
        finally:
            if lock.unlock():
                idle.append(lock)

    def close(self) -> None:
        """Close the files of locks that are not held."""
        for idle in list(self._idle.values()):
            with suppress(IndexError):  # it is empty, by another thread perhaps
                while True:
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
        timeout = self._timeout if timeout is None else timeout
        lock = WriteLock(self._write)
        line = WaitingLine(self._line)
        deadline = time.monotonic() + timeout
        if owner is None:
            _moments.append(self._store)

        def acquired() -> bool:
            if owner is not None:
                _check_holder(self._store, owner, timeout)
            # Who would give up otherwise tries out of turn.
            if (line.is_first() or time.monotonic() >= deadline) and lock.attempt():
                return True
            line.wait()
            return False

        try:
            wait(
                acquired,
                timeout,
                lambda: f"the write lock of {self._describe_writer()}",
                # Each of many that look often keeps the one busy that has it.
                lambda: LONGEST_WAIT * (1 + line.ahead),
                lambda: owner is not None and self._is_held_for_a_moment(),
            )
        except BaseException:
            lock.release()
            if owner is None:
                _moments.remove(self._store)
            raise
        finally:
            line.leave()
        forget_holder = None if owner is None else holders.add(self._store, owner)
        process = os.getpid()
        self._leave_word(is_session=owner is not None)

        def release() -> None:
            if os.getpid() == process:
                if forget_holder is not None:
                    forget_holder()
                lock.release()
                if owner is None:
                    with suppress(ValueError):  # released before
                        _moments.remove(self._store)

        return release

    def _is_held_for_a_moment(self) -> bool:
        """Whether who has the write lock makes a checkpoint, for instance. A session waits for that
        even if it is to wait for no other session."""
        writer = self.writer()
        return self._store in _moments or (writer is not None and not writer.is_session)

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
            with locked(self._open, ALONE, os.O_RDWR) as lock:
                if lock.attempt():
                    alone()
            shared = Lock(self._open, SHARED, os.O_RDONLY)
            try:
                wait(shared.attempt, self._timeout, lambda: self._name_opener(self._open))
            except BaseException:
                shared.release()
                raise
        return shared.release

    def is_anybody_there(self) -> bool:
        """Whether anybody holds the open lock. A copy may lack it."""
        if not (on_disk.is_regular_file(self._open) and on_disk.is_regular_file(self._opening)):
            return False
        with self._turn(os.O_RDONLY), locked(self._open, ALONE, os.O_RDONLY) as lock:
            return not lock.attempt()

    @contextmanager
    def _turn(self, open_flags: int) -> Iterator[None]:
        with locked(self._opening, ALONE, open_flags) as turn:
            wait(turn.attempt, self._timeout, lambda: self._name_opener(self._opening))
            yield

    def _name_opener(self, lock: Path) -> str:
        who = ", ".join(map(describe, sorted(holders_of(lock))))
        return f"another program to open {lock.parent.parent}. {lock} is held by {who or 'it'}"

    def is_writing(self) -> bool:
        """Whether a session holds the write lock at this moment, or may hold it."""
        try:
            with locked(self._write, SHARED, os.O_RDONLY) as lock:
                return not lock.attempt()
        except FileNotFoundError:
            return False
        except PermissionError:
            return True

    def writer(self) -> Writer | None:
        """The program that was the last to begin to write, as far as it could leave word."""
        return read_writer(self._writer)

    def _describe_writer(self) -> str:
        writer = self.writer()
        if writer is None:
            return f"{self._store}. It is held by another process"
        who = f"process {writer.process} ({writer.program}), since {writer.since.isoformat()}"
        return f"{self._store}. It is held by {who}{what_to_do(writer.process)}"

    def _name_holders(self) -> str:
        pids = holders_of(self._apply) | holders_of(self._gate)
        pids.discard(os.getpid())
        who = ", ".join(map(describe, sorted(pids)))
        return f"the files of {self._store}. They are held by {who or 'a process'}"


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


def _check_holder(store: str, owner: Owner, timeout: float) -> None:
    try:
        holders.check(store, owner)
    except StorageLockTimeoutError:
        settle(timeout)  # the session that holds it may have been dropped by now
        holders.check(store, owner)


def _forget_others() -> None:
    _moments.clear()
    _readers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_others)
