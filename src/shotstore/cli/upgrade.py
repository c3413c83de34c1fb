"""``shotstore upgrade``: give a database the tables of this version."""

from typing import Annotated

import typer

from shotstore.cli.opening import has_tables, is_url, open_database
from shotstore.errors import StorageError


def upgrade(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="A database: sqlite:///runs.db, or "
            "postgresql://username:password@host:5432/database.",
        ),
    ],
) -> None:
    """Set up an empty database: create its tables.

    All in one transaction; nothing changes in a database that is set up. Stores of files need none
    of this.
    """
    if not is_url(url):
        raise StorageError(
            f"{url} is not the URL of a database; stores of files are never upgraded. Write "
            "sqlite:///runs.db, or postgresql://username:password@host:5432/database."
        )
    storage = open_database(url)
    had_tables = has_tables(storage)
    storage.upgrade()
    typer.echo("The database is up to date." if had_tables else "The database was set up.")
