"""Fixtures that most tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shotstore import testing
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import DefaultSerializer
from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager
from tests.postgresql import Server, running_server

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
    return testing.serializer()


@pytest.fixture
def storage(tmp_path: Path, serializer: DefaultSerializer) -> HDF5StorageManager:
    """An empty storage."""
    return HDF5StorageManager(tmp_path / "store", serializer=serializer)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """A PostgreSQL server of the test run, started when the first test needs it."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def upgraded_database(postgresql_server: Server) -> PostgreSQLConfig:
    """A database on it with the tables of a storage."""
    postgresql_server.create_database("experiments")
    config = PostgreSQLConfig(
        username=postgresql_server.username,
        password=postgresql_server.password,
        host=postgresql_server.host,
        port=postgresql_server.port,
        database="experiments",
    )
    PostgreSQLStorageManager(config).upgrade()
    postgresql_server.keep_content(config.database)
    return config


@pytest.fixture
def postgresql_config(
    postgresql_server: Server, upgraded_database: PostgreSQLConfig
) -> PostgreSQLConfig:
    """Where there is a storage on it that is empty; the connections of earlier tests are gone."""
    postgresql_server.restore_content(upgraded_database.database)
    return upgraded_database
