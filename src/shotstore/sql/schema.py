"""The version of a database's tables: read, checked, and written where the tables are created."""

from datetime import UTC, datetime

from sqlalchemy import Connection, inspect, select

from shotstore.errors import StorageError
from shotstore.sql.tables import ROOT_ID, metadata, paths, versions
from shotstore.version import NEWER_VERSION

VERSION = "0001"
"""The version of the tables that this library works on."""


def get_version(connection: Connection, database: str) -> str | None:
    """The version of the tables, or None where the database is empty.

    Raises:
        StorageError: the tables are those of another program.
    """
    found = inspect(connection)
    # All tables in one look: another process may create them between two.
    tables = found.get_table_names()
    if versions.name in tables:
        return connection.scalar(select(versions.c.version_num))
    tables = sorted({*tables, *found.get_view_names()})
    if tables:
        some = ", ".join(tables[:5]) + (", ..." if len(tables) > 5 else "")
        raise StorageError(
            f"{database} belongs to another program: it has no tables of shotstore, and it is not "
            f"empty ({some}). Nothing in it was changed. Give shotstore a database of its own."
        )
    return None


def has_tables(connection: Connection, database: str) -> bool:
    """Return whether the tables that this library works on are there; False if there are none.

    Raises:
        StorageError: the tables are those of another version or program. The message says what to
            do.
    """
    version = get_version(connection, database)
    if version is None or version == VERSION:
        return version == VERSION
    if version > VERSION:
        raise StorageError(
            f"{database} has tables of version {version}, made by a newer shotstore; this one "
            f"knows versions up to {VERSION}: {NEWER_VERSION}."
        )
    raise StorageError(
        f"{database} has tables of version {version}, made by an older shotstore, and this one "
        f"works on version {VERSION} alone: with the older one, `shotstore copy` its content to a "
        "store of files."
    )


def check_tables(connection: Connection, database: str) -> None:
    """Check that the tables are those of this library.

    Raises:
        StorageError: they are not. The message says what to do.
    """
    if not has_tables(connection, database):
        raise StorageError(
            f"{database} holds no experiments yet: run `shotstore upgrade URL`, or "
            "storage.upgrade() in Python, once."
        )


def create_tables(connection: Connection) -> None:
    """Create the tables, with the root of the tree, in the transaction of the connection."""
    metadata.create_all(connection)
    root = {"id": ROOT_ID, "parent_id": None, "name": "", "created": datetime.now(UTC)}
    connection.execute(paths.insert().values(root))
    connection.execute(versions.insert().values(version_num=VERSION))
