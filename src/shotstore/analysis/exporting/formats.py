"""What is exported: which columns of which shots, in which format, to which file."""

import os
from collections.abc import Callable, Collection
from pathlib import Path

import attrs

from shotstore.analysis.conditions import Where, matching_rows
from shotstore.analysis.exporting import (
    csv_file,
    netcdf_file,
    npz_file,
    parquet_file,
    png_files,
    xlsx_file,
    zip_file,
)
from shotstore.analysis.exporting.destination import file_to_be, folder_to_be
from shotstore.analysis.exporting.job import Job, Progress
from shotstore.analysis.tables import HELD, SequenceTable, TableColumn
from shotstore.errors import ExportError
from shotstore.session import Sequence


@attrs.frozen
class _Format:
    """A kind of file.

    Attributes:
        suffix: Of its name, or of the names of the files in a folder.
        write: Writes it, to a path where nothing is, or into an empty folder.
        holds: Whether it has a place for a column.
        holds_what: That, as a message says it.
        is_folder: Whether it is a folder of files.
    """

    suffix: str
    write: Callable[[Job, Path], None]
    holds: Callable[[TableColumn], bool]
    holds_what: str
    is_folder: bool = False


def _anything(column: TableColumn) -> bool:
    del column
    return True


_FORMATS = {
    "csv": _Format(".csv", csv_file.write, csv_file.holds, "numbers, texts and times"),
    "parquet": _Format(".parquet", parquet_file.write, _anything, "all data"),
    "xlsx": _Format(".xlsx", xlsx_file.write, csv_file.holds, "numbers, texts and times"),
    "netcdf": _Format(".nc", netcdf_file.write, netcdf_file.holds, "numbers, texts and arrays"),
    "npz": _Format(".npz", npz_file.write, npz_file.holds, "numbers, texts and arrays"),
    "png": _Format(
        ".png", png_files.write, png_files.holds, "frames: arrays in two dimensions", is_folder=True
    ),
    "zip": _Format(".zip", zip_file.write, _anything, "all data"),
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
        left_out: Columns that the format has no place for.
        size: In bytes, all files together.
    """

    file: Path
    format: str
    shots: int
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    size: int


def export(
    sequence: Sequence,
    file: str | os.PathLike[str] | None = None,
    *,
    to: str | None = None,
    columns: Collection[str] | None = None,
    where: "Where | None" = None,
    force: bool = False,
    raw: bool = False,
    progress: Progress | None = None,
) -> Exported:
    """Write the shots of a sequence, by increasing index, to a file for other programs.

    ``csv`` and ``xlsx`` hold numbers, texts and times (a workbook also the recipe), ``parquet``,
    ``netcdf`` and ``npz`` arrays too, ``png`` one picture for each frame, and ``zip`` the sequence
    as it is, to be opened with ``HDF5StorageManager(..., read_only=True)``. What is not asked for
    is not read, and frames are read batch by batch. The file appears when it is complete.

    Args:
        sequence: What to export.
        file: Where to. Its ending tells the format. By default the name of the sequence, in the
            current directory. With "png" it is a folder.
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
    name, kind = _format(file, to)
    ending = "_frames" if kind.is_folder else kind.suffix
    place = Path(f"{sequence.path.name}{ending}" if file is None else file)
    if name == "zip" and (columns is not None or where is not None):
        raise ExportError("A zip file holds the whole sequence: choose another format for a part.")
    if raw and name != "png":
        raise ExportError("Only png files can be raw: leave that out.")
    with (folder_to_be if kind.is_folder else file_to_be)(place, force=force) as new:
        table = SequenceTable(sequence)
        chosen, left_out = _choose(table, columns, name, kind)
        rows = matching_rows(table, where)
        job = Job(sequence, table, chosen, rows, progress or _show_nothing, raw)
        kind.write(job, new)
        size = sum(found.stat().st_size for found in (new.rglob("*") if new.is_dir() else [new]))
    return Exported(
        file=place,
        format=name,
        shots=len(rows),
        columns=tuple(column.name for column in chosen),
        left_out=left_out,
        size=size,
    )


def _show_nothing(done: int, whole: int) -> None:
    del done, whole


def _format(file: str | os.PathLike[str] | None, to: str | None) -> tuple[str, _Format]:
    if to is not None and to not in _FORMATS:
        raise ExportError(f"{to!r} is no format to export to: choose {_listed()}.")
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
    table: SequenceTable, names: Collection[str] | None, name: str, kind: _Format
) -> tuple[tuple[TableColumn, ...], tuple[str, ...]]:
    """The columns to write, and the names of those that are left out."""
    if isinstance(names, str):
        raise TypeError(f"columns must be several names, not the text {names!r}.")
    if names is not None:
        asked = list({table.find(text): None for text in names})
        for column in asked:
            if not kind.holds(column):
                raise ExportError(
                    f"{column.name} holds {_what(column)}, and {name} holds {kind.holds_what}: "
                    "choose another format, or leave it out."
                )
        return tuple(asked), ()
    chosen = tuple(column for column in table.columns.values() if kind.holds(column))
    if not chosen:
        raise ExportError(f"{table.title} has nothing that {name} holds: {kind.holds_what}.")
    left_out = tuple(column for column in table.columns if table.columns[column] not in chosen)
    return chosen, () if name == "png" else left_out


def _what(column: TableColumn) -> str:
    if column.shape is None:
        return HELD[column.kind]
    shape = ", ".join("any" if length is None else str(length) for length in column.shape)
    return f"arrays of shape ({shape})"
