"""``shotstore copy``: sequences from one storage to another, files or database."""

from collections.abc import Mapping
from enum import StrEnum
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, readable_size
from shotstore.cli.opening import open_any, open_or_create
from shotstore.cli.options import AnyPathArgument
from shotstore.cli.places import find_path
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.copy import Copied

_MOST_LISTED = 20


class _Existing(StrEnum):
    error = "error"
    skip = "skip"


def copy(
    store: Annotated[  # under the name by which the shell finds the paths to complete
        str,
        typer.Argument(
            metavar="SRC",
            help="A directory: a store, or what was copied out of one. Or a database: "
            "sqlite:///runs.db, postgresql://username:password@host:5432/database.",
        ),
    ],
    destination: Annotated[
        str,
        typer.Argument(
            metavar="DST",
            help="Likewise. A missing or empty directory becomes a store, and an empty database is "
            "set up.",
        ),
    ],
    path: AnyPathArgument = None,
    existing: Annotated[
        _Existing,
        typer.Option(
            help="What to do about sequences that are in DST already: refuse to copy anything, or "
            "leave them as they are and copy the others.",
        ),
    ] = _Existing.error,
) -> None:
    """Copy sequences between stores of files and databases.

    Everything comes along, to the same paths and in the same types and values. Both can be in use
    meanwhile. A copy that was interrupted goes on with `--existing skip`. Running sequences are
    left out. The exit code is 1 if something could not be copied.
    """
    from shotstore.copy import IncompleteCopyError, copy_path

    read = open_any(store)
    with read.session() as session:
        place = find_path(session, path)  # before a store is created for nothing
    write = open_or_create(destination)
    start = monotonic()
    try:
        copied = copy_path(place, read, write, existing=existing.value)
    except IncompleteCopyError as error:
        copied = error.copied
    seconds = max(monotonic() - start, 1e-3)
    console = new_console()
    _print_copied(copied, seconds, console)
    if copied.failed:
        failed = {path: str(error) for path, error in copied.failed.items()}
        console.print(f"Not copied: {counted(len(failed), 'sequence')}", style="bold red")
        _print_list(failed, console)
        raise typer.Exit(1)


def _print_copied(copied: "Copied", seconds: float, console: Console) -> None:
    from shotstore.copy.report import IS_THERE

    sequences = counted(len(copied.sequences), "sequence")
    shots = counted(copied.shots, "shot")
    if copied.sequences:
        speed = readable_size(round(copied.size / seconds))
        size = f"{readable_size(copied.size)} in {seconds:.2g} s, {speed}/s"
        console.print(f"Copied {sequences} with {shots}: {size}.")
    else:
        console.print("No sequence was copied.")
    there = [path for path, reason in copied.skipped.items() if reason == IS_THERE]
    others = {path: reason for path, reason in copied.skipped.items() if reason != IS_THERE}
    if there:
        console.print(f"In the destination already: {counted(len(there), 'sequence')}.")
    if others:
        console.print(f"Left out: {counted(len(others), 'sequence')}")
        _print_list(others, console)


def _print_list(reasons: Mapping[PureSequencePath, str], console: Console) -> None:
    for path, reason in list(reasons.items())[:_MOST_LISTED]:
        console.print(Text.assemble("  ", (str(path), "bold"), f": {reason}"), soft_wrap=True)
    if len(reasons) > _MOST_LISTED:
        console.print(f"  ... and {len(reasons) - _MOST_LISTED} more")
