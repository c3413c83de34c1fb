"""Sessions that are run again after a conflict, as their users do."""

from collections.abc import Callable
from typing import TypeVar

from shotstore import ExperimentSession, StorageManager, TransactionConflictError

_T = TypeVar("_T")
_ATTEMPTS = 100


def retried(storage: StorageManager, block: Callable[[ExperimentSession], _T]) -> _T:
    """Run the block in a session, and once more in another one for as long as there are conflicts.

    A serializable database may find a conflict where a store of files knows that there is none.

    Raises:
        TransactionConflictError: there was one each time.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            with storage.session() as session:
                return block(session)
        except TransactionConflictError:
            pass
    with storage.session() as session:
        return block(session)
