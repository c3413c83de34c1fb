"""The storages that are copied between."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shotstore import StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
)
from shotstore.testing import serializer

Opened = Callable[[str, str], StorageManager]


@pytest.fixture
def opened(tmp_path: Path, request: pytest.FixtureRequest) -> Opened:
    """Make an empty storage: of a kind, and with a name."""

    def open_(kind: str, name: str) -> StorageManager:
        if kind == "files":
            return HDF5StorageManager(tmp_path / name, serializer=serializer())
        if kind == "sqlite":
            sqlite = SQLiteStorageManager(
                SQLiteConfig(tmp_path / f"{name}.db"), serializer=serializer()
            )
            sqlite.upgrade()
            return sqlite
        config: PostgreSQLConfig = request.getfixturevalue("postgresql_config")
        return PostgreSQLStorageManager(config, serializer=serializer())

    return open_
