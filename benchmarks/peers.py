"""The same work by hand: plain h5py, zarr, SQLite, PostgreSQL."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import zarr
from tests.postgresql import running_server

from benchmarks.measure import Work
from benchmarks.shots import launch, parameters, record
from shotstore import StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
)

_Storage = TypeVar("_Storage", bound=StorageManager)


class PlainH5py:
    """A file made by hand, kept open, without any safety: rows are appended, flushed and synced."""

    def __init__(self, path: Path, first: Mapping[str, Any], *, sync: bool = True) -> None:
        self.file = h5py.File(path, "w", libver="v110")
        self._descriptor = os.open(path, os.O_RDWR)
        self._sync = sync
        self._names = list(parameters(0))
        table = np.dtype([(name, "<f8") for name in self._names])
        times = np.dtype([("shot_index", "<u8"), ("start", "<i8"), ("end", "<i8")])
        self._shots = self._create("shots", times, ())
        self._parameters = self._create("parameters", table, ())
        self._data = {}
        for label, value in first.items():
            if isinstance(value, np.ndarray):
                self._data[label] = self._create(f"data/{label}", value.dtype, value.shape)
            else:
                self._data[label] = self._create(f"data/{label}", np.dtype("S256"), ())

    def _create(self, name: str, dtype: np.dtype[Any], shape: tuple[int, ...]) -> h5py.Dataset:
        size = dtype.itemsize * int(np.prod(shape))
        rows = max(1, 4096 // size)
        return self.file.create_dataset(
            name, (0, *shape), dtype, maxshape=(None, *shape), chunks=(rows, *shape)
        )

    def append(self, index: int, data: Mapping[str, Any]) -> None:
        """Write the next row, which a crash may lose together with the file."""
        row = len(self._shots)
        now = int(datetime.now(UTC).timestamp() * 1e6)
        values = [getattr(value, "magnitude", value) for value in parameters(index).values()]
        for dataset, value in (
            (self._shots, (index, now, now)),
            (self._parameters, tuple(values)),
            *((self._data[label], value) for label, value in data.items()),
        ):
            dataset.resize(row + 1, axis=0)
            dataset[row] = json.dumps(value).encode() if isinstance(value, dict) else value

    def commit(self) -> None:
        """Hand everything to the disk."""
        self.file.flush()
        if self._sync:
            os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        os.close(self._descriptor)


class Zarr:
    """A directory of zarr arrays, of which each chunk that was written is synced."""

    def __init__(self, path: Path, first: Mapping[str, Any]) -> None:
        self._path = path
        group = zarr.open_group(path, mode="w")
        self.arrays = {
            label: group.create_array(
                label,
                shape=(0, *value.shape),
                chunks=(1, *value.shape),
                dtype=value.dtype,
                compressors=None,
            )
            for label, value in first.items()
            if isinstance(value, np.ndarray)
        }

    def append(self, data: Mapping[str, Any]) -> None:
        """Write the next row of each array."""
        for label, array in self.arrays.items():
            row = array.shape[0]
            array.resize((row + 1, *array.shape[1:]))
            array[row] = data[label]
            chunk = "/".join(["c", str(row), *("0" for _ in array.shape[1:])])
            for name in (chunk, "zarr.json"):
                descriptor = os.open(self._path / label / name, os.O_RDONLY)
                os.fsync(descriptor)
                os.close(descriptor)


@contextmanager
def databases(directory: Path) -> Iterator[dict[str, StorageManager]]:
    """Empty storages on SQLite and PostgreSQL, which sync every commit."""
    with ExitStack() as stack:
        in_sqlite = sqlite(directory)
        server = stack.enter_context(running_server({}))
        server.create_database("peer")
        postgresql = PostgreSQLStorageManager(
            PostgreSQLConfig(server.username, server.password, server.host, server.port, "peer")
        )
        postgresql.upgrade()
        yield {"SQLite": in_sqlite, "PostgreSQL": postgresql}


def sqlite(directory: Path) -> SQLiteStorageManager:
    """An empty storage on SQLite."""
    storage = SQLiteStorageManager(SQLiteConfig(directory / "peer.db"))
    storage.upgrade()
    return storage


def launched(storage: _Storage) -> _Storage:
    """The storage, with a running sequence."""
    with storage.session() as session:
        launch(session)
    return storage


def files(directory: Path) -> HDF5StorageManager:
    """An empty store of files."""
    return HDF5StorageManager(directory / "store")


def committing(storage: StorageManager, make: Callable[[int], Mapping[str, Any]]) -> Work:
    """Record the shot of each turn in a transaction of its own."""
    return lambda turn: commit_one(storage, turn, make(turn))


def commit_one(storage: StorageManager, index: int, data: Mapping[str, Any]) -> None:
    """Record a shot in a transaction of its own."""
    with storage.session() as session:
        record(session, index, data)
