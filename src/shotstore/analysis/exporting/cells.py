"""Columns whose values fit the cells of a table: numbers, texts, times."""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import TableColumn
from shotstore.analysis.times import utc_texts
from shotstore.records.columns import Column

Cell: TypeAlias = bool | int | float | str | None


def fits_cells(column: TableColumn) -> bool:
    """Return whether a column holds no arrays."""
    return column.kind not in ("array", "complex")


def cells(column: TableColumn, found: Column) -> list[Cell]:
    """Return the values of a column, None where a shot has none, or NaT.

    Times are ISO 8601 in UTC, lists and dicts JSON.
    """
    values: list[Any]
    if column.kind == "time":
        values = list(utc_texts(found.values))
    elif column.kind == "json":
        values = [json_text(value) for value in found.values.tolist()]
    else:
        values = found.values.tolist()
    return [
        value if is_there else None
        for value, is_there in zip(values, found.is_present.tolist(), strict=True)
    ]


def headers(job: Job, spelled: Callable[[str], str] = str) -> list[str]:
    """Return the name of each column with its unit: ``detuning (MHz)``; no two are the same.

    Args:
        job: What is written.
        spelled: Returns a name as the format allows it.
    """
    names = job.labels(spelled=spelled, occupies=lambda column, name: (_header(column, name),))
    return [_header(column, names[column.name]) for column in job.columns]


def _header(column: TableColumn, name: str) -> str:
    return f"{name} ({column.units})" if column.units else name


def json_text(value: object) -> str:
    """Return a value as JSON that any program reads: arrays are lists, complex numbers lists of
    both parts, NaN and infinities null."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, complex):
        return [_plain(value.real), _plain(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)
