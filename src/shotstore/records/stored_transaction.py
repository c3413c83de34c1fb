"""The contract with a backend, its first part: one transaction."""

import abc
import weakref
from collections.abc import Callable
from typing import TypeVar

from shotstore.paths import PureSequencePath
from shotstore.records import session_errors

_T = TypeVar("_T")


class StoredTransaction(abc.ABC):
    """One transaction, from the first call to its end.

    What a session has read stays the same to its end. Once it has ended, each method but `rollback`
    raises what `check_open` does.
    """

    is_open: bool
    """Whether it has not ended."""

    def check_open(self) -> None:
        """Check that it has not ended.

        Raises:
            ExperimentSessionNotActiveError: it has.
        """
        if not self.is_open:
            raise session_errors.session_not_active_error()

    @abc.abstractmethod
    def read(self, job: Callable[[], _T]) -> _T:
        """Call a function that reads, at one moment of the storage."""

    @abc.abstractmethod
    def write(self, job: Callable[[], _T]) -> _T:
        """Call a function that checks and then changes something, in the one session that writes.

        Raises:
            StorageLockTimeoutError: another session keeps on writing.
            TransactionConflictError: another session has changed what this one has read.
        """

    @abc.abstractmethod
    def begin_writing(self) -> None:
        """Become the one session that writes; `write` does it too. It raises the same."""

    @abc.abstractmethod
    def commit(self) -> None:
        """Make everything durable, at once, and end.

        Raises:
            CommitUncertainError: it is committed, or will be when the storage is next opened.
            Exception: nothing has changed.
        """

    @abc.abstractmethod
    def rollback(self) -> None:
        """Discard what was not committed, and end; nothing happens if it has ended."""

    def load_below(self, path: PureSequencePath, *, documents: bool) -> None:
        """Get ready for a job that looks at everything at and below a path, where that takes so
        long that others are to be let in meanwhile.

        Args:
            path: What the job begins with; it need not exist.
            documents: Whether it looks at records, and not only at paths.
        """
        del path, documents

    def run(self, job: Callable[[], _T]) -> _T:
        """Call a function that reads only what `load_below` has made ready."""
        return self.read(job)

    def rollback_when_dropped(self, owner: object) -> None:
        """Roll back when nobody refers to the owner any more."""
        weakref.finalize(owner, self.rollback)
