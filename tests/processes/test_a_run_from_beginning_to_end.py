"""A run as a lab works with it: recorded, killed and gone on with by the same program, a shot taken
again and another one marked, each fitted by a second program as it comes, and found by the fit."""

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import State, StorageManager
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ExecuteShot, LinspaceLoop, StepsConfiguration, TimeLanes
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing.experiments import PATH
from tests.processes.children import Child

SHOTS = 6
RECIPE = StepsConfiguration([LinspaceLoop("hold_time", "0 s", "5 s", SHOTS, [ExecuteShot()])])
TAKEN_AGAIN, BAD = 1, 4


def program(parent: Connection, root: Path) -> None:
    """The whole of a control program, which waits for word before each shot."""
    storage = HDF5StorageManager(root)
    with storage.record(PATH, RECIPE, resume=True) as run:
        for parameters in run:
            parent.recv()
            hold_time = parameters["hold_time"].to("s").magnitude  # type: ignore[union-attr]
            atoms = np.full((8, 8), 1000 - 100 * hold_time, "u2")
            parent.send(run.save(atoms=atoms).index)
            if hold_time == TAKEN_AGAIN + 2:
                run.save(index=TAKEN_AGAIN, atoms=atoms + 5)


def fit(parent: Connection, root: Path) -> None:
    """Fits each shot as it comes, and stores what it finds."""
    storage = HDF5StorageManager(root)
    parent.send("ready")
    for shot in storage.follow(PATH):
        fraction = float(np.mean(shot.get_data_by_label("atoms"))) / 1000  # type: ignore[arg-type]
        path, index = shot.sequence_path, shot.index
        with storage.session() as session:
            session.sequences.set_results(path, index, {"fraction": fraction}, by="fit")
        parent.send(index)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    storage = HDF5StorageManager(tmp_path / "lab")
    with storage.session() as session:
        session.sequences.create(PATH, RECIPE, TimeLanes.empty())
    return tmp_path / "lab"


def test_it_is_kept_whole(root: Path, tmp_path: Path) -> None:
    with Child(fit, root) as fitting:
        assert fitting.hear() == "ready"
        with Child(program, root) as recording:
            for index in range(3):
                recording.tell()
                assert recording.hear() == index
            recording.kill()
        with Child(program, root) as recording:
            for index in range(3, SHOTS):
                recording.tell()
                assert recording.hear() == index
            recording.finish()
        fitting.finish()
    storage = HDF5StorageManager(root)
    with storage.session() as session:
        run = session.get_sequence(PATH)
        assert run.get_state() is State.FINISHED
        (interruption,) = run.get_interruptions()
        assert interruption.state is State.INTERRUPTED
        run.get_shot(BAD).add_tag("bad")
    check(storage)
    # To a database and back.
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "lab.db"))
    database.upgrade()
    copy_path(PATH, storage, database)
    back = HDF5StorageManager(tmp_path / "back")
    copy_path(PATH, database, back)
    for copy in (database, back):
        check(copy)
    assert histories(back) == histories(storage)
    assert back.verify().findings == []


def histories(storage: StorageManager) -> object:
    with storage.session() as session:
        run = session.get_sequence(PATH)
        tags = [shot.get_tags() for shot in run]
        history = [
            (each.shot_index, each.time, each.by, each.values)
            for each in run.get_results(history=True)
        ]
        return history, run.get_interruptions(), tags


def check(storage: StorageManager) -> None:
    """All of it is there, and is found."""
    with storage.session() as session:
        run = session.get_sequence(PATH)
        assert [shot.index for shot in run] == [*range(SHOTS)]
        (attempt,) = run.get_shot(TAKEN_AGAIN).attempts
        assert np.mean(attempt.data["atoms"]) == 900  # type: ignore[arg-type]
        axes: Any = run.plot("hold_time", "fraction", where="not tag = bad")
        assert axes.lines[0].get_xdata() == pytest.approx([0, 1, 2, 3, 5])
        assert axes.lines[0].get_ydata() == pytest.approx([1, 0.705, 0.8, 0.7, 0.5])
    assert [found.path for found in storage.find(where="fraction > 0.95")] == [PATH]
    assert storage.find(where="fraction > 1.5") == []
    if isinstance(storage, HDF5StorageManager):
        with h5py.File(storage.get_directory(PATH) / "results.h5") as file:
            rows = zip(file["shots"]["shot_index"], file["data/fraction"], strict=False)
            fraction = {index: value for index, value in rows if value == value}
        assert fraction[TAKEN_AGAIN] == pytest.approx(0.705)
