"""Who uses a store: while anybody does, the files hold what was committed.

Every storage that may write holds ``.shotstore/open.lock`` shared for as long as it is used. Who
gets it exclusively, when it opens a store, knows that no living process uses it: the power may have
failed since the last commit, or the store is a copy, so the log is carried out. The files are made
durable, and the log is begun anew, in the first pause, and when the storage is closed.
"""

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, sleep

from shotstore.errors import StorageError, StorageLockTimeoutError
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.locks import Locks
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
        self._process = 0
        self._leave: Callable[[], None] | None = None
        self._distrusted: Count | None = None
        self._due = 0.0
        self._thread: tuple[int, threading.Thread] | None = None
        self._has_committed = False
        self._is_writing = False

    @property
    def is_joined(self) -> bool:
        """Whether this process uses the store."""
        return self._process == os.getpid()

    def join(self) -> None:
        """Begin to use the store, unless this process does.

        Raises:
            StorageLockTimeoutError: somebody else is opening it, and does not come to an end.
            StorageError: it cannot be locked.
        """
        if self.is_joined:
            return
        if self._read_only or not self._join_writers():
            is_anybody_there = self._locks.is_anybody_there()
            self._distrusted = None if is_anybody_there else self._commits.count()
        self._process = os.getpid()

    def _join_writers(self) -> bool:
        """Whether that was possible: the disk may have become read-only."""
        try:
            leave = self._locks.join(self._commits.rounds.distrust)
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            return False
        # Another thread may have joined at the same time.
        other, self._leave = self._leave, leave
        if other is not None:
            other()
        return True

    def lays_log(self, count: Count) -> bool:
        """Whether the log is to be laid over the files where it cannot be carried out."""
        return count.is_unfinished or count == self._distrusted

    def leave(self) -> None:
        """Stop using the store, until it is joined again."""
        if not self.is_joined:
            return
        self._process = 0
        if self._has_committed:
            self._checkpoint()
        self._close_log()
        self._locks.close()
        if self._leave is not None:
            self._leave()
            self._leave = None

    def acquire_write(
        self, owner: Owner | None, timeout: float | None = None
    ) -> Callable[[], None]:
        """Take the write lock, and carry out what a killed process has left; return the function
        that releases it. The arguments are those of `Locks.acquire_write`.

        Raises:
            StorageLockTimeoutError: another session keeps on writing.
            DamagedStorageError: the log cannot be read, or does not fit the files.
            OSError: it cannot be carried out.
        """
        release_lock = self._locks.acquire_write(owner, timeout)

        def release() -> None:
            self._is_writing = False
            self._close_log()
            release_lock()

        self._is_writing = True
        try:
            self._commits.finish()
        except BaseException:
            release()
            raise
        return release

    def _close_log(self) -> None:
        """Close the log, unless the storage is in use."""
        if not (self.is_joined or self._is_writing):
            self._commits.close()

    def note_commit(self) -> None:
        """Make a checkpoint in the next pause."""
        self._has_committed = True
        self._due = monotonic() + _PAUSE
        if self._thread is None or self._thread[0] != os.getpid():
            thread = threading.Thread(target=self._wait, name="shotstore", daemon=True)
            self._thread = os.getpid(), thread
            thread.start()

    def _wait(self) -> None:
        while True:
            while (left := (due := self._due) - monotonic()) > 0:
                sleep(left)
            if not self.is_joined:
                return
            if run(self._checkpoint):
                # A commit that comes now waits for a pause of its own.
                self._thread = None
                if self._due == due:
                    return
                self._thread = os.getpid(), threading.current_thread()
            else:
                sleep(_PAUSE)

    def _checkpoint(self) -> bool:
        """Make a checkpoint, unless somebody is writing; then return False, to try again."""
        try:
            release = self.acquire_write(None, 0)
        except StorageLockTimeoutError:
            return False
        except (StorageError, OSError):  # the next session that writes is told
            return True
        try:
            with suppress(StorageError, OSError):
                self._commits.rounds.checkpoint()
                self._has_committed = False
        finally:
            release()
        return True
