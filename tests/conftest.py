"""Fixtures that most tests share, and what all tests run in."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from shotstore import testing
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import DefaultSerializer
from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager
from tests.checkpoints import close_storages, without_pauses
from tests.postgresql import Server, running_server

MEMORY = Path("/dev/shm")
"""A file system in memory, on Linux"""
DISK = "SHOTSTORE_TESTS_DISK"
"""The variable that says where temporary files go that are to lie on a disk"""

# A busy machine is not a failure, and a check that is run again tries the same.
settings.register_profile(
    "shotstore",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.register_profile("fresh", settings.get_profile("shotstore"), derandomize=False)
settings.load_profile("shotstore")

# Syncing costs most tests more time than all else, and shows nothing while no power is lost.
if DISK not in os.environ:
    os.environ[DISK] = tempfile.gettempdir()
    if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4 << 30:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None

# What runs in the background of a shell is not told of Ctrl-C, and neither are its children.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


EXHAUSTIVE = {"crash", "damage", "processes"}
"""Folders of tests that kill, cut and flip, again and again"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to `-m exhaustive` what takes minutes."""
    for item in items:
        if item.path.parent.name in EXHAUSTIVE:
            item.add_marker(pytest.mark.exhaustive)


@pytest.fixture
def has_pauses() -> bool:
    """Whether checkpoints are made in pauses, as they are in a lab; tests of many processes and
    threads say so. Other tests watch the disk, and are not to depend on how fast they are."""
    return False


@pytest.fixture(autouse=True)
def own_checkpoints(has_pauses: bool) -> Iterator[None]:
    """No storage that an earlier test has dropped, or left open, does anything."""
    with nullcontext() if has_pauses else without_pauses():
        yield
    close_storages()


@pytest.fixture
def disk_path() -> Iterator[Path]:
    """An empty directory on a disk, for tests of what a disk and several processes do to it."""
    with tempfile.TemporaryDirectory(dir=os.environ[DISK], prefix="shotstore-") as directory:
        yield Path(directory).resolve()


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
