"""Columns as arrays that hold no objects."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.analysis.exporting.cells import cells
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import TableColumn
from shotstore.analysis.tables.gaps import as_floats, is_rounded, with_nan
from shotstore.records.columns import Column, missing

LENGTH, SHAPE, IS_PRESENT = "length", "shape", "is_present"
"""What follows the name of a column, for what is written beside it."""


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


class ArrayColumn:
    """The arrays of a column as one, of shape (shots, ...), written a batch at a time.

    Where a shot has none there are NaN or, in a type that has none, zeros. Those that differ in
    their first dimension lie one after the other, and of those that differ in others too the items.

    Attributes:
        dtype: Of the items.
        shape: Of the whole.
        is_ragged: Whether they lie one after the other.
    """

    def __init__(self, job: Job, column: TableColumn) -> None:
        """Read the shapes of the arrays, where they differ."""
        assert column.shape is not None
        assert column.dtype is not None
        self.dtype = column.dtype
        self.is_ragged = is_ragged(column)
        self._job = job
        self._column = column
        self._is_flat = None in column.shape[1:]
        self._row = () if self._is_flat else tuple(n for n in column.shape[1:] if n is not None)
        self._is_present: list[npt.NDArray[np.bool_]] = []
        if self.is_ragged:
            self._shapes = self._read_shapes(len(column.shape))
            count = self._shapes.prod(1) if self._is_flat else self._shapes[:, 0]
            self.shape = (int(count.sum()), *self._row)
        else:
            self.shape = (len(job.rows), *(length or 0 for length in column.shape))

    def batches(self) -> Iterator[npt.NDArray[Any]]:
        """Yield the values, which make up the whole one after the other."""
        for _, batch in self._job.batches([self._column.name]):
            found = batch[self._column.name]
            self._is_present.append(found.is_present)
            yield self._joined(found.values) if self.is_ragged else self._filled(found)

    def beside(self) -> dict[str, npt.NDArray[Any]]:
        """Return what is to be known of each shot, by what follows the name of the column.

        When all batches were read: their lengths or shapes where these differ, and which shots have
        an array where some have none.
        """
        found: dict[str, npt.NDArray[Any]] = {}
        if self.is_ragged:
            found |= {SHAPE: self._shapes} if self._is_flat else {LENGTH: self._shapes[:, 0]}
        if not all(present.all() for present in self._is_present):
            found[IS_PRESENT] = np.concatenate(self._is_present)
        return found

    def _read_shapes(self, dimensions: int) -> npt.NDArray[np.int64]:
        """The shape of each shot's array: zeros where it has none."""
        nothing = (0,) * dimensions
        found = [
            nothing if value is None else value.shape
            for _, batch in self._job.batches([self._column.name])
            for value in batch[self._column.name].values
        ]
        return np.array(found, np.int64).reshape(len(found), dimensions)

    def _joined(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        arrays = [value for value in values if value is not None]
        if self._is_flat:
            arrays = [array.reshape(-1) for array in arrays]
        return np.concatenate([np.empty((0, *self._row), self.dtype), *arrays])

    def _filled(self, found: Column) -> npt.NDArray[Any]:
        if found.is_present.all():
            return found.values.astype(self.dtype, copy=False)
        values = found.values.astype(self.dtype)
        values[~found.is_present] = missing(self.dtype)
        return values
