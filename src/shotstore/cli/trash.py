"""``shotstore trash``: what was deleted; get it back, or give its space back."""

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import attrs
import typer

from shotstore.cli.columns import Cell, Column, print_columns
from shotstore.cli.commands import Commands
from shotstore.cli.console import new_console
from shotstore.cli.formats import counted, print_json, readable_size, readable_time
from shotstore.cli.opening import open_store
from shotstore.cli.options import JsonOption, StoreOption, YesOption
from shotstore.errors import StorageError
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore.hdf5 import HDF5StorageManager, TrashEntry

app = Commands("List what was deleted, get it back, or give its disk space back.")


@app.add
def list_(
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what is in the trash, the oldest first.

    Deleted paths, the shots of sequences that were reset to drafts, and the damaged files of
    recovered sequences.
    """
    storage = open_store(store, read_only=True)
    entries = storage.trash.entries()
    if as_json:
        print_json(
            [
                attrs.asdict(entry, recurse=False) | {"deleted": entry.deleted.isoformat()}
                for entry in entries
            ]
        )
    elif entries:
        _print(entries)
    else:
        typer.echo("The trash is empty.")


@app.add
def restore(
    entry: Annotated[
        str,
        typer.Argument(metavar="ENTRY", help="An entry of the list, or the beginning of its name."),
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="PATH", help="Where to put it; by default, where it was."),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Bring something back from the trash.

    The shots of a sequence that was reset come back to its path if the draft is still there.
    """
    place = None if to is None else PureSequencePath(to)
    storage = open_store(store)
    path = storage.trash.restore(_find(storage, entry), place)
    typer.echo(f"{path} is back.")


@app.add
def empty(
    older_than: Annotated[
        float,
        typer.Option(
            metavar="DAYS", min=0, help="Only what was deleted at least this many days ago."
        ),
    ] = 0,
    yes: YesOption = False,
    store: StoreOption = None,
) -> None:
    """Remove what is in the trash for good, and give its disk space back.

    This cannot be undone.
    """
    storage = open_store(store)
    if math.isnan(older_than):
        raise typer.BadParameter("--older-than must be a number of days.")
    span = timedelta(days=min(older_than, timedelta.max.days))
    now = datetime.now(UTC)
    old = [e for e in storage.trash.entries() if not span or now - e.deleted >= span]
    if not old:
        typer.echo("There is nothing to remove.")
        return
    if not yes:
        _print(old)
        typer.confirm(f"Remove {'it' if len(old) == 1 else 'them'} for good?", abort=True)
    removed = storage.trash.remove(old)
    if removed:
        size = readable_size(sum(entry.size for entry in removed))
        typer.echo(f"Removed {counted(len(removed), 'entry')}: {size} are free again.")
    gone = {entry.id for entry in removed}
    kept = [entry for entry in storage.trash.entries() if entry in old and entry.id not in gone]
    if kept:
        raise StorageError(
            f"{counted(len(kept), 'entry')} cannot be removed: {', '.join(e.id for e in kept)}. "
            f"See who may write to the directories in {storage.trash.directory}, and whether a "
            "program has files in them open."
        )


def _find(storage: "HDF5StorageManager", beginning: str) -> "TrashEntry":
    found = [entry for entry in storage.trash.entries() if entry.id.startswith(beginning)]
    exact = [entry for entry in found if entry.id == beginning]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        raise StorageError(
            f"{len(found)} entries of the trash begin with {beginning}: type more of it."
        )
    raise StorageError(
        f"There is no entry {beginning} in the trash of {storage.root}: "
        "`shotstore trash list` names them."
    )


def _print(entries: "list[TrashEntry]") -> None:
    rows: list[tuple[Cell, ...]] = [
        (
            ((entry.id, "cyan"),),
            str(entry.path),
            readable_time(entry.deleted),
            entry.reason,
            readable_size(entry.size),
        )
        for entry in entries
    ]
    columns = (
        Column("ENTRY"),
        Column("PATH"),
        Column("WHEN", rank=1),
        Column("WHY", rank=3),
        Column("SIZE", is_right=True, rank=2),
    )
    console = new_console()
    print_columns(console, columns, rows)
    total = readable_size(sum(entry.size for entry in entries))
    console.print(f"{counted(len(entries), 'entry')}, {total} in total.")
