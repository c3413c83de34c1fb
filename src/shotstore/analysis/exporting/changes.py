"""What a file does not hold as it was recorded."""

from typing import Any

import attrs

from shotstore.records.columns import Column

_EXACT = 2**53
"""Up to here every integer is a float of 64 bits."""


@attrs.frozen
class Change:
    """What became of a column.

    Attributes:
        column: Its name.
        what: What became of it, and why: ``"is called 'a_b'"``.
    """

    column: str
    what: str

    def __str__(self) -> str:
        return f"{self.column} {self.what}"


def is_rounded(found: Column) -> bool:
    """Return whether there are numbers that are not the same as floats of 64 bits."""
    values = found.values[found.is_present]
    if values.dtype.kind in "bf" and values.dtype.itemsize <= 8:
        return False
    if values.dtype.kind in "iu" and not ((values > _EXACT) | (values < -_EXACT)).any():
        return False
    return any(_as_float(value) != value for value in values.tolist() if value == value)


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("nan")
