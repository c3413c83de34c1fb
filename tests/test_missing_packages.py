"""Each way of use needs the packages of its own extra, and says which when one is missing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shotstore import MissingPackageError, Sequence
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH, finish, launch, record

WITHOUT_POLARS = """
import sys
sys.modules["polars"] = None
import matplotlib
matplotlib.use("agg")
from shotstore.hdf5 import HDF5StorageManager

storage = HDF5StorageManager(sys.argv[1])
with storage.session() as session:
    sequence = session.get_sequence(sys.argv[2])
    sequence.plot("shot_index", "counts", where="counts >= 0")
    sequence.plot_image("frame", where="counts >= 0")
    sequence.to_arrays()
    sequence.export("run.csv")
assert storage.find(where="index >= 0")
"""
WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from shotstore.sql import SQLiteConfig, SQLiteStorageManager

storage = SQLiteStorageManager(SQLiteConfig("runs.db"))
storage.upgrade()
with storage.session() as session:
    session.paths.create_path("2026")
"""


@pytest.fixture
def store(tmp_path: Path) -> HDF5StorageManager:
    """A store with a sequence of two shots, each with a number and a frame."""
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    with storage.session() as session:
        launch(session)
        for index in range(2):
            record(session, index=index, data={"counts": index, "frame": np.zeros((3, 4))})
        finish(session)
    return storage


def run(program: str, *arguments: object, directory: Path) -> None:
    subprocess.run([sys.executable, "-c", program, *map(str, arguments)], cwd=directory, check=True)


def test_pictures_and_files_need_no_polars(store: HDF5StorageManager, tmp_path: Path) -> None:
    run(WITHOUT_POLARS, store.root, PATH, directory=tmp_path)


def test_sqlite_needs_no_psycopg(tmp_path: Path) -> None:
    run(WITHOUT_PSYCOPG, directory=tmp_path)


def test_a_picture_names_matplotlib_alone(
    store: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    command = r'pip install "matplotlib>=[\d.]+"$'
    with store.session() as session:
        sequence = Sequence(PATH, session)
        with pytest.raises(MissingPackageError, match=command):
            sequence.plot("index", "counts")
        with pytest.raises(MissingPackageError, match=command):
            sequence.plot_image("frame")


def test_a_server_names_psycopg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    storage = PostgreSQLStorageManager(PostgreSQLConfig("lab", "", "127.0.0.1", 1))
    with (
        pytest.raises(MissingPackageError, match=r'psycopg.*pip install "psycopg\[binary\]>='),
        storage.session() as session,
    ):
        session.paths.get_all_paths()


def test_a_database_names_sqlalchemy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("shotstore.sql")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(MissingPackageError, match=r'pip install "sqlalchemy>='):
        import shotstore.sql  # noqa: F401
