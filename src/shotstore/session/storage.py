"""Where sessions come from."""

import abc
from typing import TYPE_CHECKING

from shotstore.paths import PureSequencePath
from shotstore.session.asynchronous import AsyncExperimentSession
from shotstore.session.experiment_session import ExperimentSession

if TYPE_CHECKING:
    import polars


class StorageManager(abc.ABC):
    """A storage of sequences, as a whole.

    It can be pickled, and used from many threads and processes at once; its sessions cannot.
    """

    @abc.abstractmethod
    def session(self, *, write: bool = False) -> ExperimentSession:
        """Return a session, a transaction to be entered with ``with``.

        Args:
            write: Whether the session becomes the one writing session of the storage when its block
                is entered, and not only with its first write. It waits then, if another one is
                writing, and is spared a ``TransactionConflictError`` because of what it has read.

        Raises:
            StorageLockTimeoutError: the block or the first write has waited for the other session
                for longer than the storage's timeout.
        """

    def session_beside_writers(self) -> ExperimentSession:
        """Return a session for work that takes long, such as a copy: it keeps others from writing
        no longer than this storage can help it.

        Where it meets their work, it is this session that ends in ``TransactionConflictError``.
        """
        return self.session(write=True)

    def __call__(self, *, write: bool = False) -> ExperimentSession:
        """Return a session; the same as :meth:`session`."""
        return self.session(write=write)

    def async_session(self, *, write: bool = False) -> AsyncExperimentSession:
        """Return a session whose methods are awaited, to be entered with ``async with``.

        Args:
            write: As for :meth:`session`. The event loop goes on while the session waits.

        Raises:
            StorageLockTimeoutError: as for :meth:`session`.
        """
        return AsyncExperimentSession(self.session(write=write))

    def scan(self, path: PureSequencePath | str = "\\") -> "polars.LazyFrame":
        r"""Return the shots of all sequences at or below a path as a polars LazyFrame.

        ``storage.scan(r"\2026\11").filter(polars.col("detuning") > 5)``

        It has the columns that any of them has, named as in :meth:`SequenceCollection.scan`, null
        where a sequence has none, in the unit of the first sequence by path that has the parameter.

        The columns are looked up here. What is committed is read each time it is collected, in a
        session of its own for each sequence: at any time, while others run as well.

        Raises:
            PathNotFoundError: nothing is at the path.
            InvalidPathFormatError: the text is not a valid path.
            MissingPackageError: polars is not installed.
        """
        from shotstore.analysis.scan import scan_storage

        return scan_storage(self, PureSequencePath(path))


ExperimentSessionMaker = StorageManager
"""What code that only opens sessions calls a storage."""
