"""Fixtures that most tests share."""

from pathlib import Path

import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import DefaultSerializer
from tests import builders


@pytest.fixture
def serializer() -> DefaultSerializer:
    """The serializer of the storage."""
    return builders.serializer()


@pytest.fixture
def storage(tmp_path: Path, serializer: DefaultSerializer) -> HDF5StorageManager:
    """An empty storage."""
    return HDF5StorageManager(tmp_path / "store", serializer=serializer)
