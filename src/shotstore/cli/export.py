"""``shotstore export``: the shots of a sequence, or of several, for other programs."""

import shutil
import sys
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shotstore.cli.formats import counted, print_json, readable_size
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import (
    ForceOption,
    SequencesArgument,
    StorageOption,
    WhereOption,
    columns_option,
    json_option,
    names_in,
    output_option,
)
from shotstore.cli.places import sequences_at
from shotstore.progress_bar import progress_bar

if TYPE_CHECKING:
    from shotstore import Sequence
    from shotstore.analysis.exporting import Exported
    from shotstore.analysis.runs import Runs

_STANDARD_OUTPUT = Path("-")
_HINTS = {
    "csv": "parquet, netcdf and npz hold arrays too",
    "xlsx": "parquet, netcdf and npz hold arrays too",
}


class _Format(StrEnum):
    csv = "csv"
    parquet = "parquet"
    xlsx = "xlsx"
    netcdf = "netcdf"
    npz = "npz"
    png = "png"
    zip = "zip"


def export(
    paths: SequencesArgument,
    to: Annotated[
        _Format | None,
        typer.Option(help="The format, where the extension of the file does not tell it."),
    ] = None,
    output: Annotated[
        Path | None,
        output_option(
            "Where to write; with png it is a folder; - is the standard output. By default the "
            "name of the sequence, in the current directory."
        ),
    ] = None,
    columns: Annotated[str | None, columns_option("all that the format has a place for")] = None,
    where: WhereOption = None,
    raw: Annotated[
        bool,
        typer.Option(
            "--raw", help="With png: write pixels as they are, not scaled to be looked at."
        ),
    ] = False,
    force: ForceOption = False,
    as_json: Annotated[bool, json_option("Print what was written, as JSON.")] = False,
    store: StorageOption = None,
) -> None:
    """Write the shots of a sequence, or of several, to a file for other programs.

    `csv` and `xlsx` hold numbers, texts and times; `parquet`, `netcdf` and `npz` frames too; `png`
    makes a picture of each frame; `zip` holds the sequence as it is, and opens with shotstore, h5py
    and HDFView. Several sequences are one table, in the same units, whose column `sequence` tells
    them apart.
    """
    if to is None and output is None:
        raise typer.BadParameter(
            "Say in which format, as --to csv, or to which file, as -o run.csv."
        )
    is_output = output == _STANDARD_OUTPUT
    if is_output and (to is None or to is _Format.png or as_json):
        raise typer.BadParameter(
            "The standard output takes one file, of a format that --to names, as --to csv -o -, "
            "and nothing else: no folder of pictures, and no JSON about it."
        )
    with (
        sequences_at(open_to_read(store), paths) as sequences,
        TemporaryDirectory() as directory,
    ):
        done = _write(
            sequences,
            Path(directory) / "shots" if is_output else output,
            to=None if to is None else to.value,
            columns=names_in(columns),
            where=where,
            force=force,
            raw=raw,
        )
        if is_output:
            with done.file.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
    if as_json:
        print_json(_as_json(done))
    else:
        _print(done, is_output=is_output)


def _write(sequences: "Sequence | Runs", file: Path | None, **options: Any) -> "Exported":
    from shotstore.analysis.exporting import write_file

    with progress_bar("Exporting") as show:
        return write_file(sequences, file, progress=show, **options)


def _print(done: "Exported", *, is_output: bool) -> None:
    if not is_output:
        name = f"{done.file}/" if done.file.is_dir() else str(done.file)
        typer.echo(f"Wrote {counted(done.shots, 'shot')} to {name}: {readable_size(done.size)}.")
    if done.left_out:
        hint = f" ({_HINTS[done.format]})" if done.format in _HINTS else ""
        typer.echo(
            f"Without {', '.join(done.left_out)}, for which {done.format} has no place{hint}.",
            err=is_output,
        )
    for change in done.changes:
        if change.column not in done.left_out:
            typer.echo(f"{change}.", err=is_output)


def _as_json(done: "Exported") -> dict[str, object]:
    return {
        "file": str(done.file),
        "format": done.format,
        "shots": done.shots,
        "columns": list(done.columns),
        "left_out": list(done.left_out),
        "changes": {change.column: change.what for change in done.changes},
        "size": done.size,
    }
