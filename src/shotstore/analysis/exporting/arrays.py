"""Columns as arrays that hold no objects."""

from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.analysis.exporting.cells import cells
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import TableColumn, number_values
from shotstore.session.columns import Column, missing

LENGTH, IS_PRESENT = "length", "is_present"
"""What stands behind the name of a column of which they tell."""


def scalar_array(column: TableColumn, found: Column) -> npt.NDArray[Any]:
    """Return numbers, texts or times; NaN, NaT or an empty text where a shot has none.

    Integers with gaps, or beyond 64 bits, become floats; lists and dicts JSON.
    """
    if column.kind in ("text", "json"):
        return np.array([cell or "" for cell in cells(column, found)], dtype=np.str_)
    if column.kind == "time":
        return np.where(found.is_present, found.values, missing(found.values.dtype))
    if found.values.dtype.kind == "O" or not found.is_present.all():
        return number_values(found)
    return found.values


def is_ragged(column: TableColumn) -> bool:
    """Return whether the arrays of a column differ in their first dimension."""
    return column.shape is not None and None in column.shape


def lengths(job: Job, column: TableColumn) -> npt.NDArray[np.int64]:
    """Return the first length of each shot's array; 0 where it has none."""
    found = [
        0 if value is None else len(value)
        for _, batch in job.batches([column.name])
        for value in batch[column.name].values
    ]
    return np.array(found, np.int64)


def filled(column: TableColumn, found: Column) -> npt.NDArray[Any]:
    """Return arrays of shape (shots, ...), or one after the other where they are ragged.

    Where a shot has none there are NaN or, in a type that has none, zeros.
    """
    assert column.dtype is not None
    if is_ragged(column):
        arrays = [np.asarray(value, column.dtype) for value in found.values if value is not None]
        row = tuple(length for length in (column.shape or ())[1:] if length is not None)
        return np.concatenate([np.empty((0, *row), column.dtype), *arrays])
    values = found.values.astype(column.dtype, copy=False)
    if not found.is_present.all():
        values = values.copy()
        values[~found.is_present] = missing(column.dtype)
    return values
