"""``shotstore mv``: another path for a sequence or folder."""

from typing import Annotated

import typer

from shotstore.cli.opening import open_to_write
from shotstore.cli.options import StorageOption, path_argument
from shotstore.cli.places import find_path
from shotstore.paths import PureSequencePath


def mv(
    source: Annotated[str, path_argument("A sequence or folder.", metavar="SOURCE")],
    destination: Annotated[
        str,
        path_argument(
            "The path that it gets; folders above it are created. If it is a folder that exists, "
            "SOURCE goes into it.",
            metavar="DESTINATION",
        ),
    ],
    store: StorageOption = None,
) -> None:
    """Move or rename a sequence or folder, with everything in it.

    Nothing is overwritten, and a sequence that is preparing or running stays where it is.
    """
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
    typer.echo(f"{old} is now {new}.")
