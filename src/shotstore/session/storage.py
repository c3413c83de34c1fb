"""Where sessions come from."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shotstore.session.experiment_session import ExperimentSession


class StorageManager(abc.ABC):
    """A storage of sequences, as a whole.

    It can be pickled, and used from many threads and processes at once; its sessions cannot.
    """

    @abc.abstractmethod
    def session(self, *, write: bool = False) -> ExperimentSession:
        """Return a session, to be entered with ``with``.

        Args:
            write: Whether to become the one writing session of the storage when the block is
                entered. Otherwise the session becomes it with its first write, and a
                ``TransactionConflictError`` is raised if what it has read until then was changed by
                another one.

        Raises:
            StorageLockTimeoutError: By the block or by the first write, if another session keeps on
                writing for longer than the storage's timeout.
        """

    def __call__(self, *, write: bool = False) -> ExperimentSession:
        """Return a session; the same as :meth:`session`."""
        return self.session(write=write)


ExperimentSessionMaker = StorageManager
"""What code that only opens sessions calls a storage."""
