"""``shotstore init``: a new store."""

from pathlib import Path
from typing import Annotated

import typer

from shotstore.cli.opening import has_tables, is_store, is_url, open_database, open_or_create


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

    In a database, its tables are created. Nothing happens to a store that is there already.
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
        open_or_create(store)
    typer.echo(f"{name} is a store already." if is_there else f"{name} is a store now.")
