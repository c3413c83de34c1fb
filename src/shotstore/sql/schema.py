"""The version of a database's tables: read, checked, and brought up to that of the library."""

import threading

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from shotstore.errors import StorageError
from shotstore.version import NEWER_VERSION

VERSION = "0001"
"""The version of the tables that this library works on: the last of the migrations."""

VERSION_TABLE = "shotstore_version"

_versions = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


_one_at_a_time = threading.Lock()
"""Alembic keeps what it works on in global variables."""


def get_version(connection: Connection, database: str) -> str | None:
    """The version of the tables, or None where the database is empty.

    Raises:
        StorageError: the tables are those of another program.
    """
    found = inspect(connection)
    # All tables in one look: another process may create them between two.
    tables = found.get_table_names()
    if VERSION_TABLE in tables:
        return connection.scalar(select(_versions.c.version_num))
    tables = sorted({*tables, *found.get_view_names()})
    if tables:
        some = ", ".join(tables[:5]) + (", ..." if len(tables) > 5 else "")
        raise StorageError(
            f"{database} belongs to another program: it has no tables of shotstore, and it is not "
            f"empty ({some}). Nothing in it was changed. Give shotstore a database of its own."
        )
    return None


def check_version(version: str | None, database: str) -> None:
    """Check that the tables are those of this library.

    Raises:
        StorageError: they are not. The message says what to do.
    """
    if version == VERSION:
        return
    if version is None:
        found = "holds no experiments yet"
    elif version < VERSION:
        found = f"has tables of version {version}, and this shotstore works on version {VERSION}"
    else:
        raise StorageError(
            f"{database} has tables of version {version}, made by a newer shotstore; this one "
            f"knows versions up to {VERSION}: {NEWER_VERSION}."
        )
    raise StorageError(
        f"{database} {found}: run `shotstore upgrade URL`, or storage.upgrade() in Python, once."
    )


def upgrade(connection: Connection) -> None:
    """Create the tables, or bring them up to the version of the library; in the transaction of the
    connection."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "shotstore.sql:migrations")
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, "head")
