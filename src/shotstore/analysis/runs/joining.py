"""One column of those of several sequences: what it holds, and what stands in its gaps."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.analysis.tables import Kind, TableColumn
from shotstore.analysis.tables.gaps import present_or_none
from shotstore.analysis.times import is_exact
from shotstore.records.columns import Column, missing, objects


def joined_kind(first: TableColumn, second: TableColumn) -> TableColumn:
    """Return what a column holds that has the values of both, in the unit of the first."""
    if second.is_empty or first == second:
        return first
    if first.is_empty:
        return second
    if {first.kind, second.kind} == {"number", "complex"}:
        return attrs.evolve(first, kind="complex", dtype=None, shape=None)
    dtype = _common_type([each.dtype for each in (first, second) if each.dtype is not None])
    is_array = first.kind == "array"
    if first.kind != second.kind or (
        is_array and (dtype is None or len(first.shape or ()) != len(second.shape or ()))
    ):
        return attrs.evolve(first, kind="json", dtype=None, shape=None)
    if dtype is not None and first.units != second.units:
        dtype = np.result_type(dtype, np.float64)  # converted
    if None in (first.dtype, second.dtype):
        return attrs.evolve(first, dtype=None, shape=None)
    pairs = zip(first.shape or (), second.shape or (), strict=True)
    shape = tuple(one if one == other else None for one, other in pairs)
    return attrs.evolve(first, dtype=dtype, shape=shape)


def joined_column(
    column: TableColumn, parts: Sequence[Column | None], counts: Sequence[int]
) -> Column:
    """Return the values of all parts, one after the other.

    Args:
        column: What they are.
        parts: None for shots that do not have the column.
        counts: How many shots each part has.
    """
    there = [part for part in parts if part is not None and part.is_present.any()]
    dtype, shape = column.dtype, column.shape or ()
    if column.dtype is None and column.kind != "array":
        dtype = _type_of_items(column, there)
    elif dtype is not None and dtype.kind == "M":
        dtype = _time_of(dtype, there)
    if dtype is None or None in shape:
        items = [
            value
            for part, count in zip(parts, counts, strict=True)
            for value in ([None] * count if part is None else _items(part))
        ]
        return objects(items)
    values = np.full((sum(counts), *(length or 0 for length in shape)), missing(dtype), dtype)
    is_present = np.zeros(len(values), bool)
    start = 0
    for part, count in zip(parts, counts, strict=True):
        if part is not None and part.is_present.any():
            is_present[start : start + count] = part.is_present
            if part.values.dtype.kind != "O":
                values[start : start + count] = part.values
            else:  # a shot that came later has an array of another shape
                for row in np.flatnonzero(part.is_present).tolist():
                    values[start + row] = part.values[row]
        start += count
    values[~is_present] = missing(dtype)
    return Column(values, is_present)


def _type_of_items(column: TableColumn, parts: list[Column]) -> np.dtype[Any] | None:
    """The type of what is not an array; None if it is objects."""
    if not parts:
        return _WITHOUT_VALUES.get(column.kind)
    if any(part.values.ndim > 1 for part in parts):  # arrays in one sequence, other data in another
        return None
    return _common_type([part.values.dtype for part in parts])


_WITHOUT_VALUES: Mapping[Kind, np.dtype[Any]] = {
    "number": np.dtype(np.float64),
    "complex": np.dtype(np.complex128),
    "time": np.dtype("M8[us]"),
}


def _common_type(dtypes: list[np.dtype[Any]]) -> np.dtype[Any] | None:
    """The type of arrays that holds all values; None if only objects do."""
    kinds = {dtype.kind for dtype in dtypes}
    # numpy makes texts of numbers beside texts, and times of numbers beside times.
    if not kinds or "O" in kinds or (len(kinds) > 1 and not kinds <= set("buifc")):
        return None
    if len(set(dtypes)) == 1:
        return dtypes[0]
    try:
        return np.result_type(*dtypes)
    except TypeError:
        return None


def _time_of(dtype: np.dtype[Any], parts: list[Column]) -> np.dtype[Any] | None:
    """The unit of time that holds all values, as ns do not hold centuries; None if none does."""
    for each in (dtype, *(part.values.dtype for part in parts)):
        if all(is_exact(part.values, np.datetime_data(each)[0]) for part in parts):
            return each
    return None


def _items(part: Column) -> list[Any]:
    """The values one by one, arrays without dimensions included where they are no numbers."""
    values: npt.NDArray[Any] = part.values
    if values.dtype.kind in "mM" and values.ndim == 1:
        return present_or_none(part, [np.asarray(value) for value in values])
    return present_or_none(part)
