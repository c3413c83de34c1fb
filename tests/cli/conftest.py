"""A shell, and stores to use it on."""

import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from shotstore import State, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import quantity
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import (
    START,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from tests.shell import Shell

FRAME = np.arange(12, dtype="u2").reshape(3, 4)


def populate(storage: StorageManager) -> None:
    r"""Put in ``\2026\rabi``, finished, with three shots and a tag, and a sequence in each of some
    other states."""
    rabi, ramsey = path(r"\2026\rabi"), path(r"\2026\11\ramsey")
    with storage.session() as session:
        launch(session, rabi, shots=3)
        for index, length in enumerate((1.0, 2.5, 4.0)):
            record(
                session,
                rabi,
                index,
                parameters={"pulse.length": quantity(length, "us"), "offset": quantity(2, "MHz")},
                data={"frame": FRAME + index, "atoms": 1000.0 * (index + 1), "camera": "left"},
            )
        finish(session, rabi)
        session.sequences.set_tags(rabi, ["thesis"])
        session.sequences.set_note(rabi, "the good one\nof many")
        bring_to(session, State.CRASHED, ramsey)
        bring_to(session, State.RUNNING, path(r"\2026\12\live"))
        create(session, path(r"\drafts\later"))
        session.paths.create_path(path(r"\empty"))
        session.paths.update_creation_date(path(r"\drafts\later"), START - timedelta(days=400))


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A shell in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHOTSTORE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(capsys, monkeypatch)


@pytest.fixture(scope="session")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a store of files and a database, to be copied."""
    directory = tmp_path_factory.mktemp("labs")
    populate(HDF5StorageManager(directory / "lab", serializer=serializer()))
    database = SQLiteStorageManager(SQLiteConfig(directory / "lab.db"), serializer=serializer())
    database.upgrade()
    populate(database)
    return directory


@pytest.fixture
def lab(
    labs: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> HDF5StorageManager:
    """A store of files that the shell is about."""
    del shell  # it is what leaves the environment
    shutil.copytree(labs / "lab", tmp_path / "lab")
    monkeypatch.setenv("SHOTSTORE", "lab")
    return HDF5StorageManager(tmp_path / "lab", serializer=serializer())


@pytest.fixture
def database(
    labs: Path, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SQLiteStorageManager:
    """A database that the shell is about."""
    del shell
    for file in labs.glob("lab.db*"):
        shutil.copy(file, tmp_path)
    monkeypatch.setenv("SHOTSTORE", "sqlite:///lab.db")
    return SQLiteStorageManager(SQLiteConfig(tmp_path / "lab.db"), serializer=serializer())


@pytest.fixture(params=["lab", "database"])
def store(request: pytest.FixtureRequest) -> StorageManager:
    """Each of them."""
    found: StorageManager = request.getfixturevalue(request.param)
    return found
