"""Excel workbooks: the shots, and what the sequence is.

Excel keeps 15 digits of a number and knows no time zones: times are in UTC, and longer integers
texts. So are times before 1901: it knows no earlier years, and a 29 February 1900.
"""

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shotstore.analysis.exporting.cells import Cell, cells, fits_cells, headers
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.recipes import not_readable
from shotstore.analysis.tables.labels import shortened
from shotstore.analysis.tables.variation import parameter_values
from shotstore.errors import ExportError, SequenceNotLaunchedError, UnreadableConfigurationError
from shotstore.installing import needed

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

holds = fits_cells

_MOST_ROWS, _MOST_COLUMNS, _LONGEST_TEXT = 1_048_576, 16_384, 32_767
_LARGEST_INTEGER = 10**15
_NARROWEST, _WIDEST = 8, 40
_TIME = "yyyy-mm-dd hh:mm:ss.000"
_YEARS = re.compile(r"(?!1900)(19|[2-9]\d)\d\d-")
"""Of the times that become dates: 1901 to 9999"""


def write(job: Job, file: Path) -> None:
    """Write the columns to a sheet, and to others the recipe and the parameters.

    Raises:
        ExportError: there are more shots, or longer texts, than a sheet holds.
        MissingPackageError: xlsxwriter is not installed.
    """
    if len(job.rows) >= _MOST_ROWS or len(job.columns) > _MOST_COLUMNS:
        raise ExportError(
            f"A sheet holds {_MOST_ROWS - 1} shots of {_MOST_COLUMNS} columns, and these are "
            f"{len(job.rows)} of {len(job.columns)}: export to csv or parquet, or fewer of them."
        )
    with needed("An .xlsx file", "export"):
        import xlsxwriter
    # Constant memory: rows go to the disk as they come.
    with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as book:
        bold, time = book.add_format({"bold": True}), book.add_format({"num_format": _TIME})
        _write_shots(job, book, bold, time)
        _write_rows(book, "sequence", bold, _facts(job))
        _write_rows(book, "parameters", bold, _parameters(job), _PARAMETERS)


def _write_shots(job: Job, book: "Workbook", bold: "Format", time: "Format") -> None:
    sheet = book.add_worksheet("shots")
    sheet.freeze_panes(1, 0)
    for place, (column, title) in enumerate(zip(job.columns, headers(job, shortened), strict=True)):
        title = f"{title} (UTC)" if column.kind == "time" else title
        width = 23 if column.kind == "time" else min(max(len(title) + 2, _NARROWEST), _WIDEST)
        sheet.set_column(place, place, width, time if column.kind == "time" else None)
        sheet.write_string(0, place, title, bold)
    for done, batch in job.batches([column.name for column in job.columns]):
        columns = [cells(column, batch[column.name]) for column in job.columns]
        for row, values in enumerate(zip(*columns, strict=True), 1 + done):
            for place, value in enumerate(values):
                is_time = job.columns[place].kind == "time"
                if is_time and isinstance(value, str) and _YEARS.match(value):
                    naive = datetime.fromisoformat(value).replace(tzinfo=None)
                    sheet.write_datetime(row, place, naive, time)
                else:
                    _write(sheet, row, place, value, job.columns[place].name)


def _write(sheet: "Worksheet", row: int, place: int, value: Cell, name: str) -> None:
    """Write a cell as what it is: Excel would take "=1" for a formula, and "1-2" for a date."""
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, place, value)
        case str():
            if len(value) > _LONGEST_TEXT:
                raise ExportError(
                    f"A cell holds {_LONGEST_TEXT} letters, and {name} has a text of {len(value)}: "
                    "leave it out, or export to csv or parquet."
                )
            sheet.write_string(row, place, value)
        case _ if not math.isfinite(value) or (
            isinstance(value, int) and abs(value) >= _LARGEST_INTEGER
        ):
            sheet.write_string(row, place, str(value))
        case _:
            sheet.write_number(row, place, value)


def _write_rows(
    book: "Workbook",
    title: str,
    bold: "Format",
    rows: Iterable[tuple[Any, ...]],
    header: tuple[str, ...] = (),
) -> None:
    """Write a sheet of rows that begin with a name."""
    sheet = book.add_worksheet(title)
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 60 if not header else 20)
    sheet.set_column(2, 5, 20)
    for row, cells_of_row in enumerate([header, *rows] if header else rows):
        for place, value in enumerate(cells_of_row):
            plain = value if isinstance(value, bool | int | float | str | None) else str(value)
            if isinstance(plain, str):
                sheet.write_string(row, place, plain[:_LONGEST_TEXT], bold if not place else None)
            else:
                _write(sheet, row, place, plain, title)


def _facts(job: Job) -> Iterator[tuple[str, Any]]:
    summary = job.table.reader.get_summary()
    yield "path", summary.path
    yield "state", summary.state.value
    yield "started (UTC)", _time(summary.start_time)
    yield "ended (UTC)", _time(summary.stop_time)
    for each in job.table.reader.get_interruptions():
        yield "interrupted (UTC)", f"{_time(each.stop_time)} until {_time(each.resume_time)}"
    yield "shots", summary.number_of_shots
    yield "expected shots", summary.expected_number_of_shots
    yield "shots in this file", len(job.rows)
    yield "tags", ", ".join(sorted(summary.tags))
    yield "note", summary.note
    for part, tags in not_readable(job.table.reader).items():
        yield f"{part}, not readable here", tags
    for name, varied in summary.varied.items():
        count = "" if varied.count is None else f", {varied.count} values"
        yield f"varies {name}", f"from {varied.start} to {varied.stop}{count}"


_PARAMETERS = ("parameter", "unit", "from", "to", "in the global parameters", "in the recipe")


def _parameters(job: Job) -> Iterator[tuple[Any, ...]]:
    """Each parameter of the shots in the file: its range, and how it was written where."""
    expressions: dict[str, str] = {}
    with suppress(SequenceNotLaunchedError, UnreadableConfigurationError):
        written = job.table.reader.get_global_parameters()
        expressions = {name: str(expression) for name, expression in written.flatten()}
    summary = job.table.reader.get_summary()
    recipes = {
        name: found.start if found.start == found.stop else f"{found.start} to {found.stop}"
        for name, found in summary.varied.items()
    }
    columns = job.table.columns_of_parameters()
    values = parameter_values(job.table, rows=job.rows)
    for name in dict.fromkeys((*columns, *expressions, *recipes)):
        column = columns.get(name)
        found = values.get(name)
        ends = (None, None) if found is None else (found.low, found.high)
        unit = None if column is None else column.units
        yield name, unit, *ends, expressions.get(name), recipes.get(name)


def _time(time: datetime | None) -> str:
    return "" if time is None else time.replace(tzinfo=None).isoformat(" ", "seconds")
