"""Who uses a store: while anybody does, the files hold what was committed.

Every storage that may write holds ``.shotstore/open.lock`` shared for as long as it is used. Who
gets it exclusively, when it opens a store, knows that no living process uses it: the power may have
failed since the last commit, or the store is a copy, so the log is carried out. The files are made
durable, and the log is begun anew, in the first pause, and when the storage is closed.

Threads of a program begin and end to use a storage at any time, and the program may be forked in
the midst of that: what they share is changed in single steps of a dict or a list, by the id of the
process.
"""

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep

from shotstore.errors import StorageError, StorageLockTimeoutError
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.locks import MOMENT, Locks
from shotstore.hdf5.log.counter import Count
from shotstore.hdf5.worker import run
from shotstore.records.owner import Owner

_PAUSE = 1.0
"""Seconds without a commit before a checkpoint."""


class Membership:
    """The use that a storage makes of a store. It does not refer to the storage, which can so be
    dropped."""

    def __init__(self, locks: Locks, commits: Commits, *, read_only: bool) -> None:
        self._locks = locks
        self._commits = commits
        self._read_only = read_only
        self._joined: dict[int, Callable[[], object]] = {}
        """What releases the open lock, by process."""
        self._left: list[Callable[[], object]] = []
        """The same, of uses that have come to their end, but for the closing of the files."""
        self._in_use: dict[int, threading.Lock] = {}
        """By process: held by the thread that uses the log and the counter."""
        self._distrusted: Count | None = None
        self._due = 0.0
        self._waiting: dict[int, threading.Thread] = {}
        """The thread that waits for a pause, by process."""
        self._has_committed = False

    @property
    def is_joined(self) -> bool:
        """Whether this process uses the store."""
        return os.getpid() in self._joined

    def join(self) -> None:
        """Begin to use the store, unless this process does.

        Raises:
            StorageLockTimeoutError: somebody else is opening it, and does not come to an end.
            StorageError: it cannot be locked.
        """
        if self.is_joined:
            return
        release = None if self._read_only else self._join_writers()
        if release is None:
            count = self._commits.count()
            self._distrusted = None if self._locks.is_anybody_there() else count
            release = _release_nothing
        if self._joined.setdefault(os.getpid(), release) is not release:
            release()  # another thread was faster

    def _join_writers(self) -> Callable[[], object] | None:
        """Return what releases the open lock; None where the disk has become read-only."""
        try:
            return self._locks.join(self._commits.rounds.distrust)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            return None

    def lays_log(self, count: Count) -> bool:
        """Whether the log is to be laid over the files where it cannot be carried out."""
        return count.is_unfinished or count == self._distrusted

    def leave(self) -> None:
        """Stop using the store, until it is joined again. If another session keeps the write lock
        for longer than a moment, there is no checkpoint; one of this storage makes it at its
        end."""
        release = self._joined.pop(os.getpid(), None)
        if release is not None:
            if self._has_committed:
                self._checkpoint(MOMENT, holds_open_lock=True)
            self._left.append(release)
            self._end_use()
        self._locks.close()

    def _end_use(self) -> None:
        """If the storage was left, close the files, after a checkpoint if that is still to be made;
        unless a thread uses them, which then comes by here."""
        while self._left:
            if self._has_committed:
                self._checkpoint(0)
            in_use = self._lock_of_use()
            if not in_use.acquire(blocking=False):
                return
            try:
                self._commits.close()
                with suppress(IndexError):  # it is empty
                    while True:
                        self._left.pop()()
            finally:
                in_use.release()

    def acquire_write(
        self, owner: Owner | None, timeout: float | None = None
    ) -> Callable[[], None]:
        """Take the write lock, as one who uses the store; return the function that releases it. The
        arguments are those of `Locks.acquire_write`.

        Raises:
            StorageLockTimeoutError: another session keeps on writing.
            StorageError: the store cannot be locked.
        """
        let_go = self._hold(owner, timeout)

        def release() -> None:
            let_go()
            self._end_use()

        try:
            self.join()  # from here on, who leaves it keeps the open lock until this is released
        except BaseException:
            release()
            raise
        return release

    def _hold(self, owner: Owner | None, timeout: float | None) -> Callable[[], None]:
        """Take the write lock, and keep others from closing the log and the counter."""
        release_lock = self._locks.acquire_write(owner, timeout)
        in_use = self._lock_of_use()
        in_use.acquire()  # who has it without the write lock closes files, and waits for nobody
        process = os.getpid()

        def release() -> None:
            if os.getpid() == process:
                in_use.release()
                release_lock()

        return release

    def _lock_of_use(self) -> threading.Lock:
        # One that a thread holds at a fork would be locked for ever in the child.
        return self._in_use.setdefault(os.getpid(), threading.Lock())

    def note_commit(self) -> None:
        """Make a checkpoint in the next pause."""
        self._has_committed = True
        self._due = monotonic() + _PAUSE
        process = os.getpid()
        if process not in self._waiting:
            thread = threading.Thread(target=self._wait, name="shotstore", daemon=True)
            if self._waiting.setdefault(process, thread) is thread:
                try:
                    thread.start()
                except BaseException:
                    self._waiting.pop(process, None)
                    raise

    def _wait(self) -> None:
        process, thread = os.getpid(), threading.current_thread()
        while True:
            while (left := (due := self._due) - monotonic()) > 0:
                sleep(left)
            if self.is_joined and not run(self._checkpoint_in_pause):
                sleep(_PAUSE)
                continue
            self._waiting.pop(process, None)
            # A commit that has come meanwhile waits for a pause of its own.
            if self._due == due or self._waiting.setdefault(process, thread) is not thread:
                return

    def _checkpoint_in_pause(self) -> bool:
        is_done = self._checkpoint(0)
        self._end_use()
        return is_done

    def _checkpoint(self, timeout: float, *, holds_open_lock: bool = False) -> bool:
        """Make a checkpoint; return False, to try again, if somebody is writing for longer."""
        try:
            release = self._hold(None, timeout)
        except StorageLockTimeoutError:
            return False
        except (StorageError, OSError):  # the next session that writes is told
            return True
        try:
            # Who is leaving may have released it meanwhile; from here on, nobody does.
            if holds_open_lock or self.is_joined or self._left:
                with suppress(Exception):  # the next session that writes is told
                    self._commits.finish()
                    self._commits.rounds.checkpoint()
                    self._has_committed = False
        finally:
            release()
        return True


def _release_nothing() -> None:
    """What a storage that only reads has to release."""
