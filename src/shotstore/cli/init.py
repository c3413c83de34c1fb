"""``shotstore init``: a new store."""

from pathlib import Path
from typing import Annotated

import typer

from shotstore.cli.databases import is_url, open_database, set_up
from shotstore.cli.directories import is_store
from shotstore.cli.opening import open_or_create
from shotstore.errors import StorageError


def init(
    store: Annotated[
        str,
        typer.Argument(
            metavar="STORE",
            help="A directory that is empty or does not exist yet; or the URL of a database, such "
            "as sqlite:///runs.db.",
        ),
    ] = ".",
) -> None:
    """Create a store, in the current directory or in another one.

    In a database, its tables are created. Nothing happens to a store that is there already, and
    none is created inside another one.
    """
    if is_url(store):
        database = open_database(store)
        name, is_new = database.name, set_up(database)
    else:
        directory = Path(store).resolve()
        name, is_new = str(directory), not is_store(directory)
        around = next(filter(is_store, directory.parents), None)
        if around is not None and is_new:
            raise StorageError(
                f"{name} is inside the store {around}, which commands use there; nothing was "
                "created. Choose a place outside it."
            )
        open_or_create(store)
    typer.echo(f"{name} is now a store." if is_new else f"{name} is already a store.")
