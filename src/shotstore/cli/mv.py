"""``shotstore mv``: another path for a sequence or folder."""

from typing import Annotated

import typer

from shotstore.cli.completion import complete_path
from shotstore.cli.opening import StorageOption, open_to_write
from shotstore.paths import PureSequencePath


def mv(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="A sequence or folder.", autocompletion=complete_path
        ),
    ],
    destination: Annotated[
        str,
        typer.Argument(
            metavar="DESTINATION",
            help="The path that it gets; folders above it are created. If it is a folder that "
            "exists, SOURCE goes into it.",
            autocompletion=complete_path,
        ),
    ],
    store: StorageOption = None,
) -> None:
    """Move or rename a sequence or folder, with everything in it.

    Nothing is overwritten, and a sequence that is preparing or running stays where it is.
    """
    from shotstore.cli.places import find_path

    storage = open_to_write(store)
    with storage.session(write=True) as session:
        old, new = find_path(session, source), PureSequencePath(destination)
        if (
            old.name is not None
            and new != old
            and session.paths.does_path_exists(new)
            and not session.sequences.is_sequence(new)
        ):
            new = new / old.name
        session.paths.move(old, new)
    typer.echo(f"{old} is {new} now.")
