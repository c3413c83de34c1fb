"""What a file holds twice, because much else is lost without it.

The copy of a dataset lies in the group ``copies``, under the same name. Both have checksums, so it
is known which of the two is right: one that cannot be read is damage, and the other one is used.
"""

from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

COPIES = "copies"
"""The group."""


def copy_of(name: str) -> str:
    """Where the copy of a dataset or group lies."""
    return f"{COPIES}/{name}"


def read_either(name: str, read: Callable[[str], _T]) -> _T:
    """Return what ``read`` makes of a dataset, or of its copy if it cannot read that.

    Raises:
        Exception: it can read neither; what it raised for the first one.
    """
    try:
        return read(name)
    except Exception as error:
        try:
            return read(copy_of(name))
        except Exception:
            raise error from error.__cause__
