"""The store of files does what every storage must do."""

from pathlib import Path

import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite


@pytest.fixture
def has_pauses() -> bool:
    """Checkpoints are made in pauses, whatever a session does then."""
    return True


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    return HDF5StorageManager(tmp_path / "store", serializer=serializer())
