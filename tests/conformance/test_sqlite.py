"""A database in a file does what every storage must do."""

from pathlib import Path

import pytest

from shotstore import StorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite


@pytest.fixture
def storage(tmp_path: Path) -> StorageManager:
    from shotstore.sql import SQLiteConfig, SQLiteStorageManager

    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "store.db"), serializer=serializer())
    storage.upgrade()
    return storage
