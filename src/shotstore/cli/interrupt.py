"""``shotstore interrupt``: end a run whose recorder is gone."""

from typing import Annotated

import typer

from shotstore.cli.formats import counted
from shotstore.cli.opening import open_to_write
from shotstore.cli.options import SequenceArgument, StorageOption
from shotstore.cli.places import find_sequence
from shotstore.errors import SequenceRunningError
from shotstore.session.recording import interrupt_abandoned


def interrupt(
    path: SequenceArgument,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            "-f",
            help="Also if its recorder lives, or nobody can tell whether it does. It is told so "
            "with its next shot, which is not stored.",
        ),
    ] = False,
    store: StorageOption = None,
) -> None:
    """End a running sequence whose recorder is gone: it counts as interrupted at its last shot.

    `shotstore resume` lets it go on.
    """
    with open_to_write(store).session(write=True) as session:
        sequences, place = session.sequences, find_sequence(session, path)
        stats = sequences.get_stats(place)
        if stats.state.is_active() and stats.recorder != "gone" and not force:
            why = "is alive" if stats.recorder == "alive" else "may be alive"
            raise SequenceRunningError(
                f"The program that records {place} {why}: end it there, or give --force."
            )
        interrupt_abandoned(sequences, place)
    shots = counted(stats.number_completed_shots, "shot")
    typer.echo(f"{place} is interrupted, with {shots}.")
