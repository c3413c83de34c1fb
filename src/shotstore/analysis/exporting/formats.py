"""What is exported: which columns of which shots, in which format, to which file."""

import os
import warnings
from collections.abc import Callable, Collection
from pathlib import Path

import attrs

from shotstore.analysis.exporting import (
    csv_file,
    netcdf_file,
    npz_file,
    parquet_file,
    png_files,
    xlsx_file,
    zip_file,
)
from shotstore.analysis.exporting.destination import file_name, file_to_be
from shotstore.analysis.exporting.job import Change, Job, Progress
from shotstore.analysis.runs import Runs
from shotstore.analysis.runs.table import RunsTable
from shotstore.analysis.tables import HELD, SequenceTable, Table, TableColumn
from shotstore.analysis.tables.conditions import Where, check_where, matching_rows
from shotstore.errors import ExportError, ExportWarning
from shotstore.model.scalars import check_text
from shotstore.records.arguments import as_file, as_flag, as_texts
from shotstore.records.sequence_reader import ReadableSequence


@attrs.frozen
class _Format:
    """A kind of file.

    Attributes:
        suffix: Of its name, or of the names of the files in a folder.
        write: Writes it, to a path where nothing is, or into an empty folder.
        holds: Whether it has a place for a column.
        holds_what: That, as a message says it.
        is_folder: Whether it is a folder of files.
        has_complex: Whether complex numbers have a type, and are not two columns.
        is_table: Whether arrays of one item are what their item is.
        only_one: Why it holds only one sequence; empty if it holds several.
    """

    suffix: str
    write: Callable[[Job, Path], None]
    holds: Callable[[TableColumn], bool]
    holds_what: str
    is_folder: bool = False
    has_complex: bool = False
    is_table: bool = False
    only_one: str = ""


_IN_CELLS = "numbers, texts and times"
_IN_ARRAYS = "numbers, texts and arrays of numbers"
_FORMATS = {
    "csv": _Format(".csv", csv_file.write, csv_file.holds, _IN_CELLS, is_table=True),
    "parquet": _Format(".parquet", parquet_file.write, lambda _: True, "all data"),
    "xlsx": _Format(".xlsx", xlsx_file.write, csv_file.holds, _IN_CELLS, is_table=True),
    "netcdf": _Format(".nc", netcdf_file.write, netcdf_file.holds, _IN_ARRAYS),
    "npz": _Format(
        ".npz", npz_file.write, npz_file.holds, "numbers, texts and arrays", has_complex=True
    ),
    "png": _Format(
        ".png",
        png_files.write,
        png_files.holds,
        "frames: arrays in two dimensions",
        is_folder=True,
        only_one="A folder of pictures is of one sequence, for they are named after its shots",
    ),
    "zip": _Format(
        ".zip", zip_file.write, lambda _: True, "all data", only_one="A zip file is of one sequence"
    ),
}
FORMATS = tuple(_FORMATS)


@attrs.frozen
class Exported:
    """What was exported.

    Attributes:
        file: What was written; with "png", the folder.
        format: One of ``FORMATS``.
        shots: How many.
        columns: Which columns, by name.
        left_out: Columns that the format has no place for; with "png", which is for frames
            alone, none.
        size: In bytes, all files together.
        changes: What became of columns that were left out, or are not in the file as they were
            recorded.
    """

    file: Path
    format: str
    shots: int
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    size: int
    changes: tuple[Change, ...] = ()

    def warn(self, stacklevel: int) -> None:
        """Warn of each change.

        Args:
            stacklevel: Of the line that it is about: 1 is the one that calls this.
        """
        for change in self.changes:
            message = f"{self.format} file {self.file}: {change}."
            warnings.warn(message, ExportWarning, stacklevel=stacklevel + 1)


def export(
    sequence: ReadableSequence,
    file: str | os.PathLike[str] | None = None,
    *,
    to: str | None = None,
    columns: Collection[str] | None = None,
    where: "Where | None" = None,
    force: bool = False,
    raw: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write the shots of a sequence to a file for other programs, as :func:`write_file` does.

    Warns:
        ExportWarning: a column was left out, or is not in the file as it was recorded. The message
            says which, and why.
    """
    done = write_file(
        sequence,
        file,
        to=to,
        columns=columns,
        where=where,
        force=force,
        raw=raw,
        progress=progress,
    )
    done.warn(stacklevel=2)
    return done


def write_file(
    source: ReadableSequence | Runs,
    file: str | os.PathLike[str] | None = None,
    *,
    to: str | None = None,
    columns: Collection[str] | None = None,
    where: "Where | None" = None,
    force: bool = False,
    raw: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write the shots of a sequence, by increasing index, to a file for other programs; or those of
    several, by path and index.

    The result says what was left out or changed; :func:`export` also warns of it.

    ``csv`` and ``xlsx`` hold numbers, texts and times (a workbook also the recipe), ``parquet``,
    ``netcdf`` and ``npz`` arrays too, ``png`` one picture for each frame, and ``zip`` the sequence
    as it is, to be opened with ``HDF5StorageManager(..., read_only=True)``. What is not asked for
    is not read, and frames are read batch by batch. The file appears when it is complete.

    Args:
        source: What to export. Of several sequences the column ``sequence`` tells them apart.
        file: Where to. Its ending tells the format. By default the name of the sequence, in the
            current directory; for several there is no default. With "png" it is a folder.
        to: The format, one of ``FORMATS``, where the ending of ``file`` does not tell.
        columns: Which columns, named as for :func:`~shotstore.analysis.plot`; by default all that
            the format has a place for.
        where: Which shots: ``"detuning > 5 MHz and hold_time <= 2 s"``, or a polars expression.
        force: Whether to replace a file that exists.
        raw: With "png", whether to write unsigned integers of 8 and 16 bits as they are, and not
            the range of values that makes a picture.
        progress: Called now and then with how much is done, and of how much.

    Raises:
        ExportError: the format is not known or not that of the ending, cannot hold a column that
            is asked for, or cannot hold so many shots.
        FileExistsError: the file exists.
        FileNotFoundError: the directory that it is to be in does not exist.
        IsADirectoryError: a directory is where the file is to be.
        NotADirectoryError: a file is where the folder is to be.
        DataNotFoundError: there is no such column, or nothing that the format holds.
        InvalidConditionError: ``where`` cannot be understood.
        MissingPackageError: a package is not installed.
    """
    check_where(where)
    as_flag(force, "force")
    as_flag(raw, "raw")
    asked = None if columns is None else as_texts(columns, "columns")
    name, kind = _format(
        None if file is None else as_file(file, "file"),
        None if to is None else check_text(to, "to"),
    )
    if name == "zip" and (columns is not None or where is not None):
        raise ExportError("A zip file holds the whole sequence: choose another format for a part.")
    if raw and name != "png":
        raise ExportError("Only png files can be raw: leave that out.")
    place = _place(source, file, kind)
    with file_to_be(place, force=force, is_folder=kind.is_folder) as new:
        usual, table = _tables(source, split=not kind.has_complex, unpack=kind.is_table)
        chosen, left_out = _choose(table, asked, name, kind)
        rows = matching_rows(usual if where is not None else table, where)
        job = Job(source, table, chosen, rows, progress or (lambda *_: None), raw)
        kind.write(job, new)
        size = sum(found.stat().st_size for found in (new.rglob("*") if new.is_dir() else [new]))
    return Exported(
        file=place,
        format=name,
        shots=len(rows),
        columns=tuple(column.name for column in chosen),
        left_out=tuple(change.column for change in left_out),
        size=size,
        changes=(*left_out, *job.changes),
    )


def _place(
    source: ReadableSequence | Runs, file: str | os.PathLike[str] | None, kind: _Format
) -> Path:
    if isinstance(source, Runs) and kind.only_one:
        raise ExportError(
            f"{kind.only_one}: export one after the other, or several to another format."
        )
    if file is not None:
        return Path(file)
    if isinstance(source, Runs):
        raise ExportError(
            "Pass file (--output): no name is the usual one for the shots of several sequences."
        )
    ending = "_frames" if kind.is_folder else kind.suffix
    return Path(f"{file_name(source._reader_().path.name or '')}{ending}")


def _tables(
    source: ReadableSequence | Runs, *, split: bool, unpack: bool
) -> tuple[SequenceTable | RunsTable, SequenceTable | RunsTable]:
    """The shots with the usual columns, for conditions, and with those that a format has."""
    if isinstance(source, Runs):
        usual = RunsTable.of(source)
        return usual, usual.with_columns(split=split, unpack=unpack)
    reader = source._reader_()
    return SequenceTable(reader), SequenceTable(reader, split=split, unpack=unpack)


def _format(file: str | os.PathLike[str] | None, to: str | None) -> tuple[str, _Format]:
    if to is not None and to not in _FORMATS:
        raise ExportError(f"{to!r} is not a format to export to: choose {_listed()}.")
    path = Path(file or "")
    told = next((n for n, kind in _FORMATS.items() if kind.suffix == path.suffix.lower()), None)
    name = to or told
    if name is None:
        named = "A file" if file is None else str(file)
        raise ExportError(f"{named} does not tell the format: choose {_listed()}.")
    if told not in (None, name):
        raise ExportError(
            f"{file} has the ending of {told}, and {name} is asked for: leave 'to' (--to) out, or "
            "change the ending."
        )
    if told is not None and _FORMATS[name].is_folder:
        raise ExportError(
            f"{file} is the name of one picture, and {name} makes a folder of them, one for each "
            f"frame: name a folder, and pass to={name!r} (--to {name} -o {path.with_suffix('')})."
        )
    return name, _FORMATS[name]


def _listed() -> str:
    return f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"


def _choose(
    table: Table, names: Collection[str] | None, name: str, kind: _Format
) -> tuple[tuple[TableColumn, ...], tuple[Change, ...]]:
    """The columns to write, and what is left out."""
    if names is not None:
        if not names:
            raise ExportError("No columns are asked for: leave 'columns' out for all of them.")
        asked = list({column: None for text in names for column in table.find_all(text)})
        for column in asked:
            if not kind.holds(column):
                raise ExportError(
                    f"{column.name} holds {_what(column)}, and {name} holds {kind.holds_what}: "
                    "choose another format, or leave it out."
                )
        return tuple(asked), ()
    chosen = tuple(column for column in table.usual_columns() if kind.holds(column))
    if not chosen:
        raise ExportError(f"{table.title} has nothing that {name} holds: {kind.holds_what}.")
    left_out = tuple(
        Change(column.name, f"was left out: it holds {_what(column)}, and {name} {kind.holds_what}")
        for column in table.usual_columns()
        if not kind.holds(column)
    )
    return chosen, () if name == "png" else left_out


def _what(column: TableColumn) -> str:
    if not column.shape:
        return HELD[column.kind]
    shape = ", ".join("any" if length is None else str(length) for length in column.shape)
    items = "" if column.dtype is None or column.dtype.kind in "biuf" else f"{column.dtype} "
    return f"{items}arrays of shape ({shape})"
