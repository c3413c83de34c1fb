"""Opening what a command works on, for what it does there."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from shotstore.cli.databases import is_url, open_database, set_up
from shotstore.cli.directories import MARKER, check_is_directory, find_store, is_store
from shotstore.errors import StorageError
from shotstore.model import (
    JSON,
    DefaultSerializer,
    IterationConfiguration,
    StepsConfiguration,
)
from shotstore.paths import PureSequencePath

if TYPE_CHECKING:
    from shotstore import StorageManager
    from shotstore.hdf5 import HDF5StorageManager

_FOREVER = timedelta(days=365_00)
"""What is in the trash stays there: how long is up to the programs that use the store."""


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
    directory = find_store() if name is None else Path(name)
    check_is_directory(directory)
    if name is not None and not read_only and not is_store(directory):
        # Else one would be created there.
        raise StorageError(f"{directory} is not a store: it has no {MARKER}.")
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
    return open_any(str(find_store()) if name is None else name, recipes=recipes)


def open_any(name: str, *, recipes: bool = True) -> "StorageManager":
    """Open what is there, for reading: a store of files, or a directory that was copied out of
    one, by its directory; a database by its URL.

    Args:
        name: What to open.
        recipes: Whether the recipes of sequences are needed.

    Raises:
        StorageError: nothing is there, or it is not a store.
    """
    serializer = None if recipes else _WithoutRecipes()
    if is_url(name):
        return open_database(name, serializer)
    from shotstore.hdf5 import HDF5StorageManager

    check_is_directory(Path(name))
    storage = HDF5StorageManager(name, read_only=True, serializer=serializer)
    with suppress(StorageError):  # it cannot be written to
        if not storage.get_information().is_carried_out:
            return HDF5StorageManager(name, trash_retention=_FOREVER, serializer=serializer)
    if not is_store(storage.root):
        with storage.session() as session:
            if not session.sequences.get_contained_sequences(PureSequencePath.root()):
                raise StorageError(
                    f"{name} is not a store: it has no {MARKER}, and there are no sequences in it."
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
        set_up(storage)
        return storage
    from shotstore.hdf5 import HDF5StorageManager

    return HDF5StorageManager(name, trash_retention=_FOREVER)
