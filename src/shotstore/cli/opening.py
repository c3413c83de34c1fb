"""What the commands on a store have in common: which one it is, and how paths are typed."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shotstore.errors import StorageError
from shotstore.model import (
    JSON,
    DefaultSerializer,
    IterationConfiguration,
    Serializer,
    StepsConfiguration,
)
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore import StorageManager
    from shotstore.hdf5 import HDF5StorageManager
    from shotstore.sql import SQLStorageManager

_MARKER = "shotstore.json"
_JOURNAL = ".shotstore/journal"
_FOREVER = timedelta(days=365_00)
"""What is in the trash stays there: how long, is up to the programs that use the store."""

_BY_DEFAULT = "By default the current directory, or the nearest one above it that is a store."
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--store", envvar="SHOTSTORE", metavar="DIR", help=f"The store of files. {_BY_DEFAULT}"
    ),
]
StorageOption = Annotated[
    str | None,
    typer.Option(
        "--store",
        envvar="SHOTSTORE",
        metavar="STORE",
        help="The store: a directory, or the URL of a database such as sqlite:///runs.db. "
        f"{_BY_DEFAULT}",
    ),
]


class _WithoutRecipes(DefaultSerializer):
    """For lists that show no recipes: to load thousands of them takes a second."""

    def load_iteration(self, content: JSON) -> IterationConfiguration:
        del content
        return StepsConfiguration([])


def open_store(name: str | None, *, read_only: bool = False) -> "HDF5StorageManager":
    """Open a store of files; with ``read_only``, also a directory that was copied out of one.

    Raises:
        StorageError: there is none.
    """
    from shotstore.hdf5 import HDF5StorageManager

    if name is not None and is_url(name):
        raise StorageError("This is done with stores of files only, and --store names a database.")
    directory = _find_store() if name is None else Path(name)
    _check_is_directory(directory)
    if name is not None and not read_only and not (directory / _MARKER).is_file():
        # Else one would be created there.
        raise StorageError(f"{directory} is not a store: it has no {_MARKER}.")
    return HDF5StorageManager(directory, read_only=read_only, trash_retention=_FOREVER)


def open_to_write(name: str | None) -> "StorageManager":
    """Open the store that ``--store`` names.

    Raises:
        StorageError: there is none.
    """
    if name is not None and is_url(name):
        return open_database(name)
    return open_store(name)


def open_to_read(name: str | None, *, recipes: bool = True) -> "StorageManager":
    """Open what ``--store`` names, for reading: see `open_any`."""
    return open_any(str(_find_store()) if name is None else name, recipes=recipes)


def open_any(name: str, *, recipes: bool = True) -> "StorageManager":
    """Open what is there, for reading: a store of files, or a directory that was copied out of
    one, by its directory; a database by its URL.

    Args:
        name: What to open.
        recipes: Whether the recipes of sequences are needed.

    Raises:
        StorageError: there is no such thing.
    """
    serializer = None if recipes else _WithoutRecipes()
    if is_url(name):
        return open_database(name, serializer)
    from shotstore.hdf5 import HDF5StorageManager

    _check_is_directory(Path(name))
    storage = HDF5StorageManager(name, read_only=True, serializer=serializer)
    if (storage.root / _JOURNAL).exists():
        # Left by a killed program: whoever opens the store for writing finishes it.
        with suppress(StorageError):
            return HDF5StorageManager(name, trash_retention=_FOREVER, serializer=serializer)
    if not (storage.root / _MARKER).is_file():
        with storage.session() as session:
            if not session.sequences.get_contained_sequences(PureSequencePath.root()):
                raise StorageError(
                    f"{name} is not a store: it has no {_MARKER}, and there are no sequences in it."
                )
    return storage


def open_or_create(name: str) -> "StorageManager":
    """Open a storage for writing; a directory that is missing or empty becomes a store, and a
    database without tables gets them.

    Raises:
        StorageError: the directory holds other things, or the database cannot be used.
    """
    if is_url(name):
        storage = open_database(name)
        if not has_tables(storage):
            storage.upgrade()
        return storage
    from shotstore.hdf5 import HDF5StorageManager

    return HDF5StorageManager(name, trash_retention=_FOREVER)


def is_store(name: str) -> bool:
    """Whether a directory is a store of files."""
    return (Path(name) / _MARKER).is_file()


def is_url(name: str) -> bool:
    """Whether a storage is named by a URL, and not by a directory."""
    return "://" in name


def open_database(url: str, serializer: Serializer | None = None) -> "SQLStorageManager":
    """The database at a URL, of which nothing is read yet.

    Raises:
        StorageError: it is not such a URL.
        MissingPackageError: SQLAlchemy is not installed.
    """
    scheme = url.partition("://")[0]
    if scheme not in ("sqlite", "postgresql"):
        raise StorageError(
            f"{scheme}:// is not a database that shotstore knows: write sqlite:///runs.db, or "
            "postgresql://username:password@host:5432/database."
        )
    from shotstore import sql

    try:
        if scheme == "sqlite":
            return sql.SQLiteStorageManager(sql.SQLiteConfig.from_url(url), serializer=serializer)
        return sql.PostgreSQLStorageManager(
            sql.PostgreSQLConfig.from_url(url), serializer=serializer
        )
    except ValueError as error:
        raise StorageError(str(error)) from error


def has_tables(storage: "SQLStorageManager") -> bool:
    """Whether the database is there, and has tables of shotstore.

    Raises:
        StorageError: it cannot be reached.
    """
    from shotstore.sql import SQLiteStorageManager

    is_missing = isinstance(storage, SQLiteStorageManager) and not storage.config.path.exists()
    return not is_missing and storage.has_schema()


def readable_size(size: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if amount < 999.5:
            break
        amount, unit = amount / 1000, larger
    return f"{size} bytes" if unit == "bytes" else f"{amount:.3g} {unit}"


def counted(number: int, what: str) -> str:
    """ "1 shot", "2 shots", "2 entries"."""
    if number == 1:
        return f"1 {what}"
    return f"{number} {what[:-1] + 'ies' if what.endswith('y') else what + 's'}"


def _check_is_directory(name: Path) -> None:
    if name.is_dir():
        return
    found = "is a file" if name.exists() else "does not exist"
    file = str(name).removeprefix("sqlite:").lstrip("/") if not name.is_absolute() else str(name)
    hint = f" A database is named by its URL: sqlite:///{file}" if _is_database(name) else ""
    raise StorageError(f"{name} {found}, and a store is a directory.{hint}")


def _is_database(name: Path) -> bool:
    return str(name).startswith("sqlite:") or name.suffix in (".db", ".sqlite", ".sqlite3")


def _find_store() -> Path:
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / _MARKER).is_file():
            return directory
    raise StorageError(
        f"There is no store here: neither {here} nor a directory above it has a {_MARKER}. "
        "Name one with --store DIR, or in the environment variable SHOTSTORE."
    )
