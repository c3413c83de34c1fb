"""Where sessions come from."""

import abc

from shotstore.session.asynchronous import AsyncExperimentSession
from shotstore.session.experiment_session import ExperimentSession


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


ExperimentSessionMaker = StorageManager
"""What code that only opens sessions calls a storage."""
