"""Excel workbooks: the shots, and what the sequence is, or the sequences are.

Excel keeps 15 digits of a number and knows no time zones: times are in UTC, and longer integers
texts. So are times before 1901: it knows no earlier years, and a 29 February 1900.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shotstore.analysis.exporting.cells import Cell, cells, fits_cells, headers
from shotstore.analysis.exporting.job import Job
from shotstore.analysis.recipes import not_readable
from shotstore.analysis.tables import SEQUENCE, SequenceTable
from shotstore.analysis.tables.labels import shortened
from shotstore.analysis.tables.variation import parameter_values
from shotstore.errors import ExportError, SequenceNotLaunchedError, UnreadableConfigurationError
from shotstore.installing import needed
from shotstore.records.sequence_reader import SequenceReader

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
        _write_sequences(job, book, bold)


def _write_sequences(job: Job, book: "Workbook", bold: "Format") -> None:
    """Write what the sequence is, or the sequences are, and the parameters."""
    if isinstance(job.table, SequenceTable):
        reader = job.table.reader
        _write_rows(book, "sequence", bold, _facts(reader, len(job.rows)))
        _write_rows(book, "parameters", bold, _parameters(job, reader), _PARAMETERS)
        return
    counts = Counter(job.table.read([SEQUENCE], job.rows)[SEQUENCE].values.tolist())
    found = [_facts_by_name(reader, counts[str(reader.path)]) for reader in job.table.readers()]
    names = tuple(dict.fromkeys(name for facts in found for name in facts))
    rows = (tuple(facts.get(name) for name in names) for facts in found)
    _write_rows(book, "sequences", bold, rows, names)
    _write_rows(book, "parameters", bold, _ranges(job), _PARAMETERS[:4])


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


def _facts(reader: SequenceReader, shots: int) -> Iterator[tuple[str, Any]]:
    """What a sequence is, of which so many shots are in the file."""
    summary = reader.get_summary()
    yield "path", summary.path
    yield "state", summary.state.value
    yield "started (UTC)", _time(summary.start_time)
    yield "ended (UTC)", _time(summary.stop_time)
    for each in reader.get_interruptions():
        yield "interrupted (UTC)", f"{_time(each.stop_time)} until {_time(each.resume_time)}"
    yield "shots", summary.number_of_shots
    yield "expected shots", summary.expected_number_of_shots
    yield "shots in this file", shots
    yield "tags", ", ".join(sorted(summary.tags))
    yield "note", summary.note
    for part, tags in not_readable(reader).items():
        yield f"{part}, not readable here", tags
    for name, varied in summary.varied.items():
        count = "" if varied.count is None else f", {varied.count} values"
        yield f"varies {name}", f"from {varied.start} to {varied.stop}{count}"


def _facts_by_name(reader: SequenceReader, shots: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in _facts(reader, shots):
        found[name] = f"{found[name]}; {value}" if name in found else value
    return found


_PARAMETERS = ("parameter", "unit", "from", "to", "in the global parameters", "in the recipe")


def _parameters(job: Job, reader: SequenceReader) -> Iterator[tuple[Any, ...]]:
    """Each parameter of the shots in the file: its range, and how it was written where."""
    expressions: dict[str, str] = {}
    with suppress(SequenceNotLaunchedError, UnreadableConfigurationError):
        written = reader.get_global_parameters()
        expressions = {name: str(expression) for name, expression in written.flatten()}
    summary = reader.get_summary()
    recipes = {
        name: found.start if found.start == found.stop else f"{found.start} to {found.stop}"
        for name, found in summary.varied.items()
    }
    ranges = {name: rest for name, *rest in _ranges(job)}
    for name in dict.fromkeys((*ranges, *expressions, *recipes)):
        found = ranges.get(name, [None, None, None])
        yield name, *found, expressions.get(name), recipes.get(name)


def _ranges(job: Job) -> Iterator[tuple[Any, ...]]:
    """Each parameter of the shots in the file, its unit, and its range."""
    values = parameter_values(job.table, rows=job.rows)
    for name, column in job.table.columns_of_parameters().items():
        found = values.get(name)
        yield name, column.units, *((None, None) if found is None else (found.low, found.high))


def _time(time: datetime | None) -> str:
    return "" if time is None else time.replace(tzinfo=None).isoformat(" ", "seconds")
