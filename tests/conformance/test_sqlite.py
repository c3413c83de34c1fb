"""A database in a file does what every storage must do."""

from pathlib import Path

import pytest

from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite


@pytest.fixture
def storage(tmp_path: Path) -> SQLiteStorageManager:
    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "store.db"), serializer=serializer())
    storage.upgrade()
    return storage
