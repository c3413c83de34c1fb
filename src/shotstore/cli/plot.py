"""``shotstore plot``: a picture of the shots, in a file, on the screen or in the terminal."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.cli.console import new_console
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import (
    ForceOption,
    SequencesArgument,
    StorageOption,
    WhereOption,
    output_option,
)
from shotstore.cli.places import sequences_at
from shotstore.errors import PathIsNotSequenceError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from shotstore import Sequence
    from shotstore.analysis.pictures.images import ContactSheet, MeanImage
    from shotstore.analysis.pictures.points import Points
    from shotstore.analysis.runs import Runs

_RESOLUTION = 150
"""Pixels an inch, of a picture file"""


def plot(
    paths: SequencesArgument,
    x: Annotated[
        str | None,
        typer.Option(
            "--x",
            "-x",
            metavar="NAME",
            help="A parameter, a label, shot_index or shot_start_time; the end of a name is "
            "enough. By default what the sequence varies.",
        ),
    ] = None,
    y: Annotated[
        list[str] | None,
        typer.Option(
            "--y",
            "-y",
            metavar="NAME",
            help="The same; can be given several times. By default the only label that is a "
            "number.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Shots that differ in it get different colours; by default those of different "
            "sequences.",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="Frames side by side, instead of x and y."),
    ] = None,
    mean: Annotated[bool, typer.Option("--mean", help="With --image: the mean of all frames.")] = (
        False
    ),
    where: WhereOption = None,
    output: Annotated[
        Path | None, output_option("Write a picture: .png, .pdf, .svg or .jpg.")
    ] = None,
    terminal: Annotated[
        bool,
        typer.Option("--terminal", "-t", help="Draw in the terminal, as where there is no screen."),
    ] = False,
    force: ForceOption = False,
    store: StorageOption = None,
) -> None:
    """Plot columns against each other, or show frames.

    Each shot is a point; where x repeats, the mean is shown with its standard error. Each of
    several sequences has its colour, and all are in the same units. The picture opens in a window,
    unless `--output` or `--terminal` is given or there is no screen.
    """
    if image is not None and (x is not None or y or by is not None):
        raise typer.BadParameter("Either --image can be drawn, or --x and --y, not both at once.")
    if mean and image is None:
        raise typer.BadParameter("Say which frames to take the mean of: --image LABEL --mean.")
    if output is not None:
        _check(output, force=force)
    in_terminal = output is None and (terminal or not _has_screen())
    with sequences_at(open_to_read(store), paths) as sequences:
        picture = _read(sequences, x, y, by, image, where, mean=mean, in_terminal=in_terminal)
    if picture is None:
        nothing = "There are no shots" if where is None else "No shot meets the condition"
        typer.echo(f"{nothing}: there is nothing to draw.", err=True)
    elif output is not None:
        _save(picture, output, force=force)
    elif in_terminal:
        _print(picture)
        if not terminal:
            typer.echo("No screen was found: --output FILE writes a picture.", err=True)
    else:
        from matplotlib import pyplot

        _draw(picture)
        pyplot.show()


def _read(
    sequences: "Sequence | Runs",
    x: str | None,
    y: list[str] | None,
    by: str | None,
    label: str | None,
    where: str | None,
    *,
    mean: bool,
    in_terminal: bool,
) -> "Points | ContactSheet | MeanImage | None":
    """What is to be drawn; None if there are no shots for it."""
    from shotstore.analysis.pictures.images import read_images
    from shotstore.analysis.pictures.points import collect_points
    from shotstore.analysis.runs import Runs
    from shotstore.analysis.runs.table import RunsTable
    from shotstore.analysis.tables import as_table
    from shotstore.analysis.tables.conditions import matching_rows

    if isinstance(sequences, Runs):
        if label is not None:
            raise PathIsNotSequenceError(
                "--image shows the frames of one sequence, and there are several: name only one."
            )
        source: Sequence | RunsTable = RunsTable.of(sequences)
    else:
        source = sequences
    if not len(matching_rows(as_table(source), where)):
        return None
    if label is None:
        return collect_points(source, x, y or None, where=where, by=by)
    if in_terminal:
        from shotstore.cli.terminal_image import MOST_TILES, TILE

        return read_images(source, label, mean=mean, where=where, most=MOST_TILES, edge=TILE)
    return read_images(source, label, mean=mean, where=where)


def _draw(picture: "Points | ContactSheet | MeanImage") -> "Axes":
    from shotstore.analysis.pictures.images import draw_images
    from shotstore.analysis.pictures.plots import draw_points
    from shotstore.analysis.pictures.points import Points

    return draw_points(picture) if isinstance(picture, Points) else draw_images(picture)


def _save(picture: "Points | ContactSheet | MeanImage", output: Path, *, force: bool) -> None:
    from matplotlib import pyplot

    from shotstore.analysis.exporting.destination import file_to_be

    with file_to_be(output, force=force) as new:
        figure = _draw(picture).figure
        figure.savefig(new, dpi=_RESOLUTION, format=output.suffix[1:].lower())  # type: ignore[union-attr]
        pyplot.close(figure)  # type: ignore[arg-type]
    typer.echo(f"Drew {output}.")


def _print(picture: "Points | ContactSheet | MeanImage") -> None:
    from shotstore.analysis.pictures.points import Points
    from shotstore.cli.terminal_image import print_image
    from shotstore.cli.terminal_plot import print_points

    if isinstance(picture, Points):
        print_points(picture, new_console())
    else:
        print_image(picture, new_console())


def _check(output: Path, *, force: bool) -> None:
    from shotstore.analysis.exporting.destination import check_place
    from shotstore.errors import ExportError
    from shotstore.installing import needed

    check_place(output, force=force)
    with needed("A picture", "plot"):
        from matplotlib.backend_bases import FigureCanvasBase
    if output.suffix[1:].lower() not in FigureCanvasBase.get_supported_filetypes():
        raise ExportError(f"{output} is not named as a picture: write .png, .pdf or .svg.")


def _has_screen() -> bool:
    """Whether matplotlib can open a window."""
    if sys.platform not in ("win32", "darwin") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return False
    from shotstore.installing import needed

    with needed("A picture", "plot"):
        from matplotlib import pyplot
        from matplotlib.backends.registry import BackendFilter, backend_registry
    windows = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
    return pyplot.get_backend().lower() in map(str.lower, windows)
