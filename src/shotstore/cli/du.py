"""``shotstore du``: what takes the disk space."""

from typing import Annotated

import typer

from shotstore.cli.columns import Cell, Column, print_columns
from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json, readable_size
from shotstore.cli.opening import open_store
from shotstore.cli.options import StoreOption, json_option, path_argument
from shotstore.cli.places import find_path
from shotstore.paths import PureSequencePath


def du(
    path: Annotated[
        str | None,
        path_argument("A folder, such as 2026/11; by default everything, with the trash."),
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", "-d", metavar="N", min=0, help="How many levels.")
    ] = 1,
    as_json: Annotated[bool, json_option("Print JSON, with sizes in bytes.")] = False,
    store: StoreOption = None,
) -> None:
    """Tell how much disk space folders and sequences take, the largest first.

    Each with everything in it. This is for stores of files; `shotstore info` tells the size of a
    database.
    """
    storage = open_store(store, read_only=True)
    with storage.session() as session:
        place = find_path(session, path)
    sizes = storage.get_sizes(place)
    shown = [
        found for found in sizes if found != place and len(found.parts) <= len(place.parts) + depth
    ]
    shown.sort(key=lambda found: (-sizes[found], found))
    entries = storage.trash.entries() if place.is_root() else []
    trash = sum(entry.size for entry in entries)
    if as_json:
        content: dict[str, object] = {
            "path": str(place),
            "size": sizes[place],
            "inside": {str(found): sizes[found] for found in shown},
        }
        print_json({**content, "trash": trash} if place.is_root() else content)
        return
    rows: list[tuple[Cell, ...]] = [
        (readable_size(sizes[found]), _share(sizes[found], sizes[place]), str(found))
        for found in shown
    ]
    rows.append((((readable_size(sizes[place]), "bold"),), "", ((_in_total(place), "bold"),)))
    if entries:
        what = f"in the trash, {counted(len(entries), 'entry')}"
        rows.append((readable_size(trash), "", ((what, "yellow"),)))
    columns = (Column("SIZE", is_right=True), Column("SHARE", is_right=True), Column("PATH"))
    print_columns(new_console(), columns, rows)


def _in_total(place: PureSequencePath) -> str:
    return "in total" if place.is_root() else f"{place} in total"


def _share(size: int, whole: int) -> str:
    return f"{size / whole:.0%}" if whole else ""
