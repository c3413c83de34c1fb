"""``shotstore ls``: what is in a folder."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.cli.columns import Cell, Column, print_columns
from shotstore.cli.console import new_console
from shotstore.cli.formats import print_json, printable
from shotstore.cli.listing import (
    COLUMNS,
    Listing,
    path_as_json,
    path_cells,
    read_listing,
    unseen_as_json,
    unseen_below,
    unseen_cells,
)
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import JsonOption, StorageOption, path_argument
from shotstore.cli.places import find_path
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.hdf5 import Unseen


class _Order(StrEnum):
    name = "name"
    date = "date"
    size = "size"


def ls(
    path: Annotated[
        str | None,
        path_argument("A folder, such as 2026/11, or a sequence; by default everything."),
    ] = None,
    recursive: Annotated[
        bool,
        typer.Option("--recursive", "-r", help="All sequences at any depth, with their paths."),
    ] = False,
    sort: Annotated[_Order, typer.Option(help="What to sort by.")] = _Order.name,
    as_json: JsonOption = False,
    store: StorageOption = None,
) -> None:
    """List the folders and sequences in a folder.

    Each with its state, shots out of those expected, date, duration, size, tags, and the note or
    the error that it has crashed with. The date is that of the start or, dimmed, of the creation,
    on the clock of this machine. Directories of sequences that are not shown, because their names
    stand for no path or they cannot be read, are listed last, with the reason.
    """
    with open_to_read(store, recipes=as_json).session() as session:
        place = find_path(session, path)
        listing = read_listing(session, place)
        # Damaged ones included, of which nothing else is known.
        sequences = session.sequences.get_contained_sequences(place)
        is_flat = recursive or place in sequences
        unseen = unseen_below(session.storage, place)
        if not is_flat:
            unseen = [found for found in unseen if place in (found.folder, found.path)]
        unreadable = {found.path for found in unseen}
        is_readable = place not in unreadable
        shown = sequences if is_flat or not is_readable else session.paths.get_children(place)
    ordered = _sorted({*shown} - unreadable, listing, sort)
    if as_json:
        print_json(
            [
                *(path_as_json(at, listing, is_sequence=at in sequences) for at in ordered),
                *map(unseen_as_json, unseen),
            ]
        )
    elif ordered or unseen:
        _print(ordered, sequences, listing, unseen, is_with_path=is_flat)
    else:
        typer.echo("The store is empty." if place.is_root() else f"{place} is empty.")


def _sorted(
    paths: set[PureSequencePath], listing: Listing, order: _Order
) -> list[PureSequencePath]:
    """Folders before sequences where they are sorted by name, else the newest or largest last."""
    by_name = sorted(paths)
    match order:
        case _Order.name:
            return by_name
        case _Order.date:
            return sorted(by_name, key=lambda path: _date(path, listing))
        case _Order.size:
            return sorted(by_name, key=lambda path: listing.sizes.get(path, 0))


def _date(path: PureSequencePath, listing: Listing) -> float:
    found = listing.summaries.get(path)
    inside = listing.inside.get(path, ()) if found is None else (found,)
    dates = ((summary.start_time or summary.created).timestamp() for summary in inside)
    return max(dates, default=0.0)


def _print(
    paths: list[PureSequencePath],
    sequences: set[PureSequencePath],
    listing: Listing,
    unseen: "list[Unseen]",
    *,
    is_with_path: bool,
) -> None:
    rows: list[tuple[Cell, ...]] = []
    for path in paths:
        is_sequence = path in sequences
        name = str(path) if is_with_path else path.name or ""
        title: Cell = name if is_sequence else ((name + "\\", "bold blue"),)
        rows.append((title, *path_cells(path, listing, is_sequence=is_sequence)))
    for found in unseen:
        at = str(found.folder) if is_with_path and not found.folder.is_root() else ""
        name = (at + "\\" if is_with_path else "") + printable(found.directory.name)
        rows.append((((name, "dim"),), *unseen_cells(found)))
    names = Column("PATH" if is_with_path else "NAME")
    print_columns(new_console(), (names, *COLUMNS), rows)
