"""Columns as arrays that hold no objects."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.analysis.exporting.cells import cells
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import TableColumn
from shotstore.analysis.tables.gaps import as_floats, is_rounded, with_nan
from shotstore.records.columns import Column, missing

LENGTH, SHAPE, IS_PRESENT = "length", "shape", "is_present"
"""What stands behind the name of a column of which they tell."""


def names_beside(column: TableColumn, name: str) -> set[str]:
    """Return how a column is called in a file, and what is written beside it, if need be."""
    if column.kind != "array":
        return {name}
    return {name, *(f"{name}.{beside}" for beside in (LENGTH, SHAPE, IS_PRESENT))}


def scalar_array(job: Job, column: TableColumn) -> npt.NDArray[Any]:
    """Return numbers, texts or times; NaN, NaT or an empty text where a shot has none.

    Integers with gaps, or beyond 64 bits, become floats; lists and dicts JSON.
    """
    found = job.read(column)
    if column.kind in ("text", "json"):
        return np.array([cell or "" for cell in cells(column, found)], dtype=np.str_)
    values = with_nan(found)
    if values.dtype.kind == "O":
        if is_rounded(found):
            job.note(column, "holds integers that are rounded there, to floats of 64 bits")
        return as_floats(found)
    return values


def is_ragged(column: TableColumn) -> bool:
    """Return whether the arrays of a column are not all of one shape."""
    return column.shape is not None and None in column.shape


def is_flat(column: TableColumn) -> bool:
    """Return whether the arrays of a column differ in more than their first dimension, so that
    their items lie one after the other."""
    return column.shape is not None and None in column.shape[1:]


def shapes(job: Job, column: TableColumn) -> npt.NDArray[np.int64]:
    """Return the shape of each shot's array: zeros where it has none."""
    assert column.shape is not None
    nothing = (0,) * len(column.shape)
    found = [
        nothing if value is None else value.shape
        for _, batch in job.batches([column.name])
        for value in batch[column.name].values
    ]
    return np.array(found, np.int64).reshape(len(found), len(nothing))


def ragged_shape(column: TableColumn, found: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """Return the shape of all arrays of a ragged column, one after the other.

    Args:
        column: The column.
        found: The shapes of its arrays, from :func:`shapes`.
    """
    if is_flat(column):
        return (sum(math.prod(shape) for shape in found.tolist()),)
    return (int(found[:, 0].sum()), *_row(column))


def filled(column: TableColumn, found: Column) -> npt.NDArray[Any]:
    """Return arrays of shape (shots, ...), or one after the other where they are ragged.

    Where a shot has none there are NaN or, in a type that has none, zeros.
    """
    assert column.dtype is not None
    if is_ragged(column):
        arrays = [np.asarray(value, column.dtype) for value in found.values if value is not None]
        if is_flat(column):
            arrays = [array.reshape(-1) for array in arrays]
        return np.concatenate([np.empty((0, *_row(column)), column.dtype), *arrays])
    values = found.values.astype(column.dtype, copy=False)
    if not found.is_present.all():
        values = values.copy()
        values[~found.is_present] = missing(column.dtype)
    return values


def _row(column: TableColumn) -> tuple[int, ...]:
    """The shape behind the first dimension."""
    if is_flat(column):
        return ()
    return tuple(length for length in (column.shape or ())[1:] if length is not None)
