"""``shotstore resume``: let a run go on."""

import uuid

import typer

from shotstore.cli.formats import counted
from shotstore.cli.opening import open_to_write
from shotstore.cli.options import SequenceArgument, StorageOption
from shotstore.cli.places import find_sequence
from shotstore.session.recording import bring_back


def resume(path: SequenceArgument, store: StorageOption = None) -> None:
    """Prepare a sequence that was interrupted, or has crashed, to take further shots.

    So too one that is running, and whose recorder is gone. Its program goes on with
    `storage.record(path, resume=True)`, which does this by itself; one that stores shots by hand
    needs it.
    """
    with open_to_write(store).session(write=True) as session:
        place = find_sequence(session, path)
        bring_back(session.sequences, place, uuid.uuid4().hex)
        stats = session.sequences.get_stats(place)
    shots = counted(stats.number_completed_shots, "shot")
    if stats.expected_number_shots is not None:
        shots = f"{stats.number_completed_shots} of {counted(stats.expected_number_shots, 'shot')}"
    typer.echo(f"{place} is running again, with {shots}: start its program.")
