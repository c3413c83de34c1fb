"""A real run goes from files to a server, to a database in a file, and back to files."""

import itertools
from pathlib import Path

import h5py
import numpy as np
import pytest

from shotstore import PureSequencePath
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
)
from shotstore.testing import exactly_equal
from tests.copying.lab import everything
from tests.test_png_run import FRAMES, HELIUM, PATH, assert_same_frames, frames_of, write_frames
from tests.test_png_run import record as record_run

ROOT = PureSequencePath.root()


@pytest.fixture(params=["generated", "helium"])
def frames(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of PNG frames: thirteen shots of helium, or two of noise."""
    if request.param == "helium":
        if not HELIUM.is_dir():
            pytest.skip(f"needs {HELIUM}")
        return HELIUM
    folder = tmp_path / "frames"
    folder.mkdir()
    write_frames(folder, shots=[0, 1])
    return folder


def test_a_real_run_comes_back_identical(
    frames: Path, tmp_path: Path, postgresql_config: PostgreSQLConfig
) -> None:
    assert record_run(frames, tmp_path / "files").returncode == 0
    files = HDF5StorageManager(tmp_path / "files")
    server = PostgreSQLStorageManager(postgresql_config)
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"))
    database.upgrade()
    back = HDF5StorageManager(tmp_path / "back")
    ways = [files, server, database, back]
    for source, destination in itertools.pairwise(ways):
        copied = copy_path(ROOT, source, destination, progress=False)
        assert copied.sequences == (PATH,)
        assert exactly_equal(everything(destination), everything(files))
    assert_same_frames(frames, back.root, PATH)
    expected = frames_of(frames)
    with h5py.File(back.root.joinpath("sequences", *PATH.parts, "shots.h5")) as file:
        for frame in FRAMES:
            assert file[f"data/{frame}"].dtype == np.uint16
            np.testing.assert_array_equal(file[f"data/{frame}"][:], expected[frame])
