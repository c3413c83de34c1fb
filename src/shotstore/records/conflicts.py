"""Work that is done again where another session has got in its way."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from shotstore.errors import TransactionConflictError

_T = TypeVar("_T")


def again_after_conflicts(work: Callable[[], _T], tries: int = 5) -> _T:
    """Return what a function returns that opens a session of its own.

    Raises:
        TransactionConflictError: there was one each time.
    """
    for _ in range(tries - 1):
        with suppress(TransactionConflictError):
            return work()
    return work()
