"""Databases, as they are named on the command line."""

from typing import TYPE_CHECKING

from shotstore.errors import StorageError

if TYPE_CHECKING:
    from shotstore.model import Serializer
    from shotstore.sql import SQLStorageManager

URLS = "sqlite:///runs.db, or postgresql://username:password@host:5432/database"
"""What URLs of databases are like."""


def is_url(name: str) -> bool:
    """Whether a storage is named by a URL, and not by a directory."""
    return "://" in name


def open_database(url: str, serializer: "Serializer | None" = None) -> "SQLStorageManager":
    """The database at a URL, of which nothing is read yet.

    Raises:
        StorageError: it is not such a URL.
        MissingPackageError: SQLAlchemy is not installed.
    """
    scheme = url.partition("://")[0]
    if scheme not in ("sqlite", "postgresql"):
        raise StorageError(f"{scheme}:// is not a database that shotstore knows: write {URLS}.")
    from shotstore import sql

    try:
        if scheme == "sqlite":
            return sql.SQLiteStorageManager(sql.SQLiteConfig.from_url(url), serializer=serializer)
        return sql.PostgreSQLStorageManager(
            sql.PostgreSQLConfig.from_url(url), serializer=serializer
        )
    except ValueError as error:
        raise StorageError(str(error)) from error


def set_up(storage: "SQLStorageManager") -> bool:
    """Create the tables of a database where there are none; return whether there were none.

    Raises:
        StorageError: the database cannot be used.
    """
    from shotstore.sql import SQLiteStorageManager

    is_missing = isinstance(storage, SQLiteStorageManager) and not storage.config.path.exists()
    is_new = is_missing or not storage.has_schema()
    storage.upgrade()
    return is_new
