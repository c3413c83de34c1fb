"""Directories that are stores of files, or are to be."""

from pathlib import Path

from shotstore.errors import StorageError

MARKER = "shotstore.json"
"""The file that makes a directory a store."""


def is_store(directory: Path) -> bool:
    """Whether a directory is a store of files."""
    return (directory / MARKER).is_file()


def find_store() -> Path:
    """Return the current directory, or the nearest one above it that is a store.

    Raises:
        StorageError: none of them is.
    """
    here = Path.cwd()
    for directory in (here, *here.parents):
        if is_store(directory):
            return directory
    raise StorageError(
        f"There is no store here: neither {here} nor a directory above it has a {MARKER}. "
        "Name one with --store DIR, or in the environment variable SHOTSTORE."
    )


def check_is_directory(name: Path) -> None:
    """Check that what is named as a store may be one.

    Raises:
        StorageError: it is not a directory; the message tells how a database is named.
    """
    if name.is_dir():
        return
    found = "is a file" if name.exists() else "does not exist"
    file = str(name).removeprefix("sqlite:").lstrip("/") if not name.is_absolute() else str(name)
    is_database = str(name).startswith("sqlite:") or name.suffix in (".db", ".sqlite", ".sqlite3")
    hint = f" A database is named by its URL: sqlite:///{file}" if is_database else ""
    raise StorageError(f"{name} {found}, and a store is a directory.{hint}")
