"""``shotstore init``: a new store."""

from pathlib import Path
from typing import Annotated

import typer

from shotstore.cli.opening import has_tables, is_store, is_url, open_database, open_or_create
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
    none is created inside of another one.
    """
    if is_url(store):
        database = open_database(store)
        name = database.name
        is_there = has_tables(database)
        if not is_there:
            database.upgrade()
    else:
        name = str(Path(store).resolve())
        is_there = is_store(store)
        around = next((str(d) for d in Path(name).parents if is_store(str(d))), None)
        if around is not None and not is_there:
            raise StorageError(
                f"{name} is inside of the store {around}, which commands use there; nothing was "
                "created. Choose a place outside of it."
            )
        open_or_create(store)
    typer.echo(f"{name} is a store already." if is_there else f"{name} is a store now.")
