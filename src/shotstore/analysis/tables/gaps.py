"""What stands where a shot has no value."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.records.columns import Column, objects

_EXACT = 2**53
"""Up to here every integer is a float of 64 bits."""


def complete(values: npt.NDArray[Any]) -> Column:
    """Return values of which every shot has one."""
    return Column(values, np.ones(len(values), bool))


def with_nan(column: Column) -> npt.NDArray[Any]:
    """Return the values, with NaN or NaT where one is missing, for which integers become floats.

    What no number stands for is objects, with None: texts, lists, and integers that no float holds.
    """
    values = column.values
    if column.is_present.all() or values.dtype.kind in "OmM":
        return values
    if values.dtype.kind in "bfc" or (values.dtype.kind in "iu" and not is_rounded(column)):
        filled = values.astype(np.result_type(values.dtype, np.float32))
        filled[~column.is_present] = np.nan
        return filled
    return objects(present_or_none(column)).values


def as_floats(column: Column) -> npt.NDArray[np.float64]:
    """Return numbers as floats, NaN where a shot has none; infinite where they are too large."""
    values = column.values
    if values.dtype.kind == "O":
        values = np.array([np.nan if value is None else as_float(value) for value in values])
    return np.where(column.is_present, values, np.nan).astype(np.float64)


def as_float(value: float) -> float:
    """Return a number as a float, infinite where it is too large."""
    try:
        return float(value)
    except OverflowError:  # an int beyond 1e308
        return math.inf if value > 0 else -math.inf


def present_or_none(column: Column, values: list[Any] | None = None) -> list[Any]:
    """Return the values as Python objects, None where a shot has none.

    Args:
        column: The values.
        values: What stands for them, as many.
    """
    if values is None:
        values = column.values.tolist() if column.values.ndim == 1 else list(column.values)
    return [
        value if is_present else None
        for value, is_present in zip(values, column.is_present.tolist(), strict=True)
    ]


def is_rounded(column: Column) -> bool:
    """Return whether there are numbers that are not the same as floats of 64 bits."""
    values = column.values[column.is_present]
    if values.dtype.kind in "bf" and values.dtype.itemsize <= 8:
        return False
    if values.dtype.kind in "iu" and not ((values > _EXACT) | (values < -_EXACT)).any():
        return False
    return any(as_float(value) != value for value in values.ravel().tolist() if value == value)
