"""``shotstore upgrade``: give a database the tables of this version."""

from typing import Annotated

import typer

from shotstore.cli.databases import URLS, is_url, open_database, set_up
from shotstore.errors import StorageError


def upgrade(
    url: Annotated[str, typer.Argument(metavar="URL", help=f"A database: {URLS}.")],
) -> None:
    """Set up an empty database: create its tables.

    All in one transaction; nothing changes in a database that is set up. Stores of files need none
    of this.
    """
    if not is_url(url):
        raise StorageError(
            f"{url} is not the URL of a database; stores of files are never upgraded. Write {URLS}."
        )
    is_new = set_up(open_database(url))
    typer.echo("The database was set up." if is_new else "The database is up to date.")
