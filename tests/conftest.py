"""Fixtures that most tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import DefaultSerializer
from tests import builders

# A busy machine is no failure, and a check that is run again tries the same.
settings.register_profile(
    "shotstore",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("shotstore")


@pytest.fixture
def serializer() -> DefaultSerializer:
    """The serializer of the storage."""
    return builders.serializer()


@pytest.fixture
def storage(tmp_path: Path, serializer: DefaultSerializer) -> HDF5StorageManager:
    """An empty storage."""
    return HDF5StorageManager(tmp_path / "store", serializer=serializer)
