"""Columns of shots as polars series."""

from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shotstore.analysis.scanning.types import (
    MIXED,
    field_types,
    in_polars,
    inner_type,
    time_unit,
)
from shotstore.analysis.tables.gaps import as_float
from shotstore.model.data import structured_to_json
from shotstore.records.columns import Column, utc_time


def to_series(name: str, column: Column, dtype: pl.DataType) -> pl.Series:
    """Return the values as a series, null where a shot has none.

    Args:
        name: Of the series.
        column: The values, which the type holds.
        dtype: As `column_types` makes it; the series is of what `in_polars` makes of it.
    """
    target = in_polars(dtype)
    values = column.values
    if isinstance(dtype, pl.Null) or not column.is_present.any():
        return pl.Series(name, [None] * len(values), dtype=target)
    if values.dtype.kind != "O" and _has_plain_items(dtype):
        series = _of_array(name, values, target)
    elif isinstance(dtype, pl.List) and _has_plain_items(dtype) and _are_traces(column):
        return _of_traces(name, column, target)
    else:
        return pl.Series(
            name,
            [
                _plain(value, dtype) if is_present else None
                for value, is_present in zip(values, column.is_present.tolist(), strict=True)
            ],
            dtype=target,
            strict=True,
        )
    return series if column.is_present.all() else _with_nulls(series, column.is_present)


def _has_plain_items(dtype: pl.DataType) -> bool:
    """Whether numpy and polars hold the items of these arrays in the same way."""
    while isinstance(dtype, pl.List | pl.Array):
        dtype = inner_type(dtype)
    return dtype.is_numeric() or isinstance(dtype, pl.Boolean | pl.Datetime | pl.Duration)


def _of_array(name: str, values: npt.NDArray[Any], target: pl.DataType) -> pl.Series:
    if values.dtype.kind == "c":
        part = np.float32 if values.dtype.itemsize == 8 else np.float64
        values = np.stack([values.real, values.imag], -1).astype(part)
    elif values.dtype.kind in "mM":
        values = _times(values, time_unit(values.dtype))
        if values.ndim > 1:
            return _of_times(name, values, target)
    elif values.dtype.kind == "f" and values.dtype.itemsize > 8:
        values = values.astype(np.float64)
    elif not values.dtype.isnative:
        values = values.astype(values.dtype.newbyteorder("="))
    series = pl.Series(name, np.ascontiguousarray(values))
    return series if series.dtype == target else series.cast(target)


def _of_times(name: str, values: npt.NDArray[Any], target: pl.DataType) -> pl.Series:
    """Polars makes no arrays of times of more than one dimension by itself."""
    items = pl.Series(name, values.reshape(-1)).cast(_item_type(target))
    return items.reshape(values.shape).cast(target)


def _times(values: npt.NDArray[Any], unit: str | None) -> npt.NDArray[Any]:
    """The times in another unit; numpy goes round where they are beyond what it can count."""
    times = values.astype(f"{values.dtype.kind}8[{unit}]")
    if (
        not np.array_equal(np.isnat(values), np.isnat(times))
        or (times[~np.isnat(times)].astype(values.dtype) != values[~np.isnat(values)]).any()
    ):
        raise ValueError(
            f"There is a time beyond what 64 bits of {unit} can hold: read it with get_columns."
        )
    return times


def _item_type(dtype: pl.DataType) -> pl.DataType:
    while isinstance(dtype, pl.List | pl.Array):
        dtype = inner_type(dtype)
    return dtype


def _are_traces(column: Column) -> bool:
    return all(
        isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.kind in "biuf"
        for value in column.values[column.is_present]
    )


def _of_traces(name: str, column: Column, target: pl.DataType) -> pl.Series:
    """Arrays of one dimension, of any lengths, without a Python object for each item."""
    parts = [
        value if is_present else np.empty(0)
        for value, is_present in zip(column.values, column.is_present.tolist(), strict=True)
    ]
    lengths = np.array([len(part) for part in parts])
    item = _item_type(target)
    items = pl.concat([_of_array("items", part, item) for part in parts])
    rows = pl.Series("row", np.repeat(np.arange(len(parts), dtype=np.uint32), lengths))
    lists = pl.DataFrame([rows, items]).group_by("row", maintain_order=True).agg("items")
    all_rows = pl.DataFrame({"row": np.arange(len(parts), dtype=np.uint32)})
    found = all_rows.join(lists, on="row", how="left", maintain_order="left")["items"]
    series = found.fill_null(pl.Series([[]], dtype=pl.List(item))).cast(target).alias(name)
    return _with_nulls(series, column.is_present)


def _with_nulls(series: pl.Series, is_present: npt.NDArray[np.bool_]) -> pl.Series:
    # Not by its name, for polars takes "*" for all columns.
    condition = pl.when(pl.Series(is_present)).then(series)
    return pl.select(condition.alias(series.name)).to_series()


def _plain(value: Any, dtype: pl.DataType) -> Any:
    """The value of Python that polars takes for this type."""
    if value is None:
        return None
    if dtype == MIXED:
        return structured_to_json(_of_python(value))
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(dtype, pl.Struct):
        return _plain_struct(value, field_types(dtype))
    if isinstance(value, complex | np.complexfloating):
        return [float(value.real), float(value.imag)]
    if isinstance(dtype, pl.List | pl.Array):
        inner = inner_type(dtype)
        return [_plain(item, inner) for item in value]
    if isinstance(value, datetime):
        return int(utc_time(value).astype(np.int64))
    if isinstance(dtype, pl.Datetime | pl.Duration):
        time = _times(np.asarray(value), dtype.time_unit)
        return None if np.isnat(time) else int(time.astype(np.int64))
    if dtype.is_float():
        return as_float(value)
    if dtype.is_integer():
        return int(value)
    return _of_python(value)


def _plain_struct(value: Any, fields: dict[str, pl.DataType]) -> Any:
    if not fields:
        return structured_to_json(value)
    if isinstance(value, dict):
        return {name: _plain(value.get(name), dtype) for name, dtype in fields.items()}
    return {
        name: _plain(value[name], dtype) if name in value.dtype.names else None
        for name, dtype in fields.items()
    }


def _of_python(value: Any) -> Any:
    """A numpy scalar as what the model knows it as."""
    if isinstance(value, np.generic):
        plain = value.item() if value.dtype.kind in "biufUS" else None
        return np.asarray(value) if plain is None else plain
    return value
