"""Columns whose values fit the cells of a table: numbers, texts, times."""

import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from shotstore.analysis.tables import TableColumn
from shotstore.session.columns import Column

Cell: TypeAlias = bool | int | float | str | None


def fits_cells(column: TableColumn) -> bool:
    """Return whether a column holds no arrays."""
    return column.kind != "array"


def cells(column: TableColumn, found: Column) -> list[Cell]:
    """Return the values of a column, None where a shot has none, or NaT.

    Times are ISO 8601 in UTC, lists and dicts JSON.
    """
    values: list[Any]
    is_present = found.is_present
    if column.kind == "time":
        times = found.values.astype("M8[us]")
        is_present = is_present & ~np.isnat(times)
        values = np.datetime_as_string(times, timezone="UTC").tolist()
    elif column.kind == "json":
        values = [json_text(value) for value in found.values.tolist()]
    else:
        values = found.values.tolist()
    return [
        value if is_there else None
        for value, is_there in zip(values, is_present.tolist(), strict=True)
    ]


def header(column: TableColumn) -> str:
    """Return the name of a column with its unit: ``detuning (MHz)``."""
    return f"{column.name} ({column.units})" if column.units else column.name


def json_text(value: object) -> str:
    """Return a value as JSON that any program reads: arrays are lists, NaN and infinities null."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)
