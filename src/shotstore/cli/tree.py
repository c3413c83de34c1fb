"""``shotstore tree``: folders and sequences as a tree, with states, numbers of shots, errors."""

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from shotstore.cli.columns import Cell, Column, print_columns
from shotstore.cli.console import new_console
from shotstore.cli.databases import is_url
from shotstore.cli.formats import printable
from shotstore.cli.listing import (
    COLUMNS,
    Listing,
    path_cells,
    read_listing,
    unseen_below,
    unseen_cells,
)
from shotstore.cli.opening import open_to_read
from shotstore.cli.options import StorageOption, path_argument
from shotstore.cli.places import find_path
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.hdf5 import Unseen
    from shotstore.session import ExperimentSession


def tree(
    path: Annotated[
        str | None, path_argument("A folder, such as 2026/11; by default everything.")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option("--depth", "-d", metavar="N", min=1, help="Only this many levels."),
    ] = None,
    folders: Annotated[
        bool, typer.Option("--folders", help="Only folders, with the numbers of what is in them.")
    ] = False,
    store: StorageOption = None,
) -> None:
    """Show folders and sequences as a tree.

    With the same columns as `shotstore ls`. For programs, `shotstore ls --recursive --json` tells
    the same.
    """
    storage = open_to_read(store, recipes=False)
    with storage.session() as session:
        place = find_path(session, path)
        title = str(place)
        if place.is_root() and store is not None and not is_url(store):
            title = store
        print_tree(session, place, title, new_console(), depth=depth, folders=folders)


def print_tree(
    session: "ExperimentSession",
    root: PureSequencePath,
    title: str,
    console: Console,
    *,
    depth: int | None = None,
    folders: bool = False,
) -> None:
    """Print the paths at and inside ``root``.

    Args:
        session: Where to look.
        root: A folder or a sequence.
        title: What to call it.
        console: Where to print.
        depth: How many levels to print, by default all.
        folders: Whether to leave out the sequences.

    Raises:
        PathNotFoundError: nothing is at ``root``.
    """
    listing = read_listing(session, root)
    children: defaultdict[PureSequencePath, list[PureSequencePath]] = defaultdict(list)
    for path in sorted(session.paths.get_all_paths()):
        if path.is_descendant_of(root) and not (folders and path in listing.summaries):
            children[PureSequencePath.from_parts(path.parts[:-1])].append(path)
    not_shown: defaultdict[PureSequencePath, list[Unseen]] = defaultdict(list)
    unreadable: dict[PureSequencePath, Unseen] = {}
    for unseen in unseen_below(session.storage, root):
        if unseen.path is None:
            not_shown[unseen.folder].append(unseen)
        else:
            unreadable[unseen.path] = unseen
    rows: list[tuple[Cell, ...]] = [_row(session, root, ((title, "bold"),), listing, children)]

    def add(folder: PureSequencePath, guide: str, level: int) -> None:
        if depth is not None and level > depth:
            return
        for child in children[folder]:
            is_last = child is children[folder][-1] and not not_shown[folder]
            branch = (guide + ("└── " if is_last else "├── "), "dim")
            if child in unreadable:
                rows.append(((branch, (child.name or "", "dim")), *unseen_cells(unreadable[child])))
                continue
            name = (branch, (child.name or "", "bold blue" if child in children else ""))
            rows.append(_row(session, child, name, listing, children))
            if child in children or not_shown[child]:
                add(child, guide + ("    " if is_last else "│   "), level + 1)
        for found in not_shown[folder]:
            is_last = found is not_shown[folder][-1]
            branch = (guide + ("└── " if is_last else "├── "), "dim")
            title = (printable(found.directory.name), "dim")
            rows.append(((branch, title), *unseen_cells(found)))

    add(root, "", 1)
    print_columns(console, (Column("NAME"), *COLUMNS), rows)


def _row(
    session: "ExperimentSession",
    path: PureSequencePath,
    name: tuple[tuple[str, str], ...],
    listing: Listing,
    children: defaultdict[PureSequencePath, list[PureSequencePath]],
) -> tuple[Cell, ...]:
    is_sequence = path in listing.summaries or (
        path not in children and session.sequences.is_sequence(path)
    )
    return (name, *path_cells(path, listing, is_sequence=is_sequence))
