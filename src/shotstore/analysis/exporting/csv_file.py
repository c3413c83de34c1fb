"""CSV: numbers and texts that everything reads.

UTF-8 and commas, one header line, in which a unit follows the name in brackets. Numbers are
written in as many digits as bring back the same number, texts in quotes, so that an empty text
differs from a missing value.
"""

from pathlib import Path

from shotstore.analysis.exporting.cells import Cell, cells, fits_cells, headers
from shotstore.analysis.exporting.job import Job

holds = fits_cells


def write(job: Job, file: Path) -> None:
    """Write the columns."""
    with file.open("w", encoding="utf-8", newline="\n") as out:
        out.write(",".join(map(_quoted, headers(job))) + "\n")
        for _, batch in job.batches([column.name for column in job.columns]):
            columns = [cells(column, batch[column.name]) for column in job.columns]
            out.writelines(",".join(map(_text, row)) + "\n" for row in zip(*columns, strict=True))


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return _quoted(cell)
    return str(cell)  # as many digits as repr, also of numpy's longdouble


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
