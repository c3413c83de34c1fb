"""Columns whose values fit the cells of a table: numbers, texts, times."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from shotstore.analysis.exporting.job import Job
from shotstore.analysis.tables import TableColumn
from shotstore.analysis.tables.gaps import present_or_none
from shotstore.analysis.times import utc_texts
from shotstore.model.finite_json import json_text
from shotstore.records.columns import Column, time_column

Cell: TypeAlias = bool | int | float | str | None


def fits_cells(column: TableColumn) -> bool:
    """Return whether a column holds no arrays."""
    return column.kind not in ("array", "complex")


def cells(column: TableColumn, found: Column) -> list[Cell]:
    """Return the values of a column, None where a shot has none, or NaT.

    Times are ISO 8601 in UTC, lists and dicts JSON.
    """
    if column.kind == "time":
        return present_or_none(found, utc_texts(found.values))
    if column.kind == "json":
        return present_or_none(found, [_text(value) for value in found.values])
    return present_or_none(found)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return str(utc_texts(time_column([value]))[0])
    return json_text(value)


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
