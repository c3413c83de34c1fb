"""A database in a file does what every storage must do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables, to be copied: that is faster than to create it again."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    SQLiteStorageManager(SQLiteConfig(path)).upgrade()
    return path


@pytest.fixture
def storage(empty_database: Path, tmp_path: Path) -> SQLiteStorageManager:
    path = tmp_path / "store.db"
    with closing(sqlite3.connect(empty_database)) as empty, closing(sqlite3.connect(path)) as copy:
        empty.backup(copy)
    return SQLiteStorageManager(SQLiteConfig(path), serializer=serializer())
