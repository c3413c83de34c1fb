"""Fixtures that most tests share."""

from pathlib import Path

import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import DefaultSerializer
from tests.builders import CameraConfiguration


@pytest.fixture
def serializer() -> DefaultSerializer:
    """A serializer that knows the devices of these tests."""
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    return serializer


@pytest.fixture
def storage(tmp_path: Path, serializer: DefaultSerializer) -> HDF5StorageManager:
    """An empty storage."""
    return HDF5StorageManager(tmp_path / "store", serializer=serializer)
