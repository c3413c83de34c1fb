"""Sessions that end in an error or in a conflict, and those that are run again after one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest

from shotstore import ExperimentSession, StorageManager, TransactionConflictError
from shotstore.records.conflicts import again_after_conflicts

_T = TypeVar("_T")


class LaserError(Exception):
    """Something that has nothing to do with the session in whose block it is raised."""


@contextmanager
def discarded(
    open_session: Callable[[], AbstractContextManager[ExperimentSession]],
    error: type[BaseException] = LaserError,
) -> Iterator[ExperimentSession]:
    """A session, such as a storage opens, whose block ends in an error: all is discarded."""
    with pytest.raises(error), open_session() as session:  # noqa: PT012 - it ends so
        yield session
        raise error


@contextmanager
def conflicting(storage: StorageManager) -> Iterator[ExperimentSession]:
    """A session that is refused in the end, for what another one has changed meanwhile."""
    with pytest.raises(TransactionConflictError), storage.session() as session:
        yield session


def retried(storage: StorageManager, block: Callable[[ExperimentSession], _T]) -> _T:
    """Run the block in a session, and once more in another one for as long as there are conflicts.

    A serializable database may find a conflict where a store of files knows that there is none.

    Raises:
        TransactionConflictError: there was one each time.
    """

    def run() -> _T:
        with storage.session() as session:
            return block(session)

    return again_after_conflicts(run, tries=100)
