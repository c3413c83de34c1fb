"""``shotstore rm``: into the trash with sequences and folders."""

from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.cli.formats import counted, readable_size
from shotstore.cli.listing import sizes_below
from shotstore.cli.opening import open_to_write
from shotstore.cli.options import StorageOption, YesOption, path_argument
from shotstore.cli.places import find_path
from shotstore.errors import DamagedStorageError

if TYPE_CHECKING:
    from shotstore.hdf5 import TrashEntry
    from shotstore.paths import PureSequencePath
    from shotstore.session import ExperimentSession


def rm(
    paths: Annotated[list[str], path_argument("Sequences and folders.")],
    yes: YesOption = False,
    store: StorageOption = None,
) -> None:
    """Move sequences and folders to the trash, with everything in them.

    `shotstore trash restore` brings them back. A database has no trash: what is removed there is
    gone for good. Nothing is removed if one of the paths does not exist or is running.
    """
    from shotstore.hdf5 import HDF5StorageManager

    storage = open_to_write(store)
    has_trash = isinstance(storage, HDF5StorageManager)
    with storage.session() as session:
        wanted = sorted({find_path(session, path) for path in paths})
        # What is inside another one goes with it.
        places = [p for p in wanted if not any(p.is_descendant_of(other) for other in wanted)]
        if not yes:
            for place in places:
                typer.echo(_description(session, place))
            them = "it" if len(places) == 1 else "them"
            where = f"Move {them} to the trash?" if has_trash else f"Delete {them} for good?"
    if not yes:
        # Outside the session: whoever thinks about it must not keep the store as it was.
        typer.confirm(where, abort=True)
    known = set(storage.trash.entries()) if isinstance(storage, HDF5StorageManager) else set()
    with storage.session(write=True) as session:
        for place in places:
            session.paths.delete_path(place, delete_sequences=True)
    if isinstance(storage, HDF5StorageManager):
        _print_entries([entry for entry in storage.trash.entries() if entry not in known])
    else:
        for place in places:
            typer.echo(f"{place} is deleted.")


def _description(session: "ExperimentSession", path: "PureSequencePath") -> str:
    is_sequence = session.sequences.is_sequence(path)
    try:
        found = session.sequences.get_summaries(path)
    except DamagedStorageError:
        return f"{path}: damaged"
    shots = counted(sum(summary.number_of_shots for summary in found), "shot")
    size = sizes_below(session.storage, path).get(path)
    what = [counted(len(found), "sequence"), shots]
    if is_sequence:
        what = [found[0].state.value, shots]
    if size is not None:
        what.append(readable_size(size))
    return f"{path}: {', '.join(what)}"


def _print_entries(entries: "list[TrashEntry]") -> None:
    for entry in entries:
        typer.echo(
            f"{entry.path} is in the trash. To get it back: shotstore trash restore {entry.id}"
        )
