"""Shots whose every part tells their index, so that half a shot, or another one, is found out."""

from datetime import timedelta
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from shotstore import (
    ExperimentSession,
    ParameterNamespace,
    PureSequencePath,
    ShotId,
    StorageManager,
)
from shotstore.model import Data, quantity
from shotstore.testing.experiments import START, TIME_LANES, recipe

FOLDER = PureSequencePath(r"\2026")
RUN = FOLDER / "run"

MEGAHERTZ = quantity(1.0, "MHz")
"""Here, since a process whose modules are loaded by then is spared loading all units."""


def create(session: ExperimentSession, path: PureSequencePath = RUN) -> None:
    """Create a draft."""
    session.sequences.create(path, recipe(shots=100_000), TIME_LANES)


def launch(session: ExperimentSession, path: PureSequencePath = RUN) -> None:
    """Create a sequence that is running."""
    create(session, path)
    session.sequences.set_preparing(path, {}, ParameterNamespace.empty())
    session.sequences.set_running(path, START)


def launched(storage: StorageManager, path: PureSequencePath = RUN) -> None:
    """Create a sequence that is running, in a session of its own."""
    with storage.session() as session:
        launch(session, path)


def record(session: ExperimentSession, index: int, path: PureSequencePath = RUN) -> None:
    """Record a shot. Some have a label more than others, so that datasets come and go."""
    session.sequences.create_shot(
        ShotId(path, index),
        {"index": index, "mot.detuning": index * MEGAHERTZ},
        _data(index),
        START + timedelta(seconds=index),
        START + timedelta(seconds=index, milliseconds=500),
    )


def recorded(storage: StorageManager, index: int, path: PureSequencePath = RUN) -> None:
    """Record a shot, in a session of its own."""
    with storage.session() as session:
        record(session, index, path)


def indices(session: ExperimentSession, path: PureSequencePath = RUN) -> list[int]:
    """Index of each shot, in the order they were recorded."""
    return [shot.index for shot in session.sequences.get_shots(path)]


def check(session: ExperimentSession, index: int, path: PureSequencePath = RUN) -> None:
    """Make sure that a shot is whole, and the one of this index."""
    sequences = session.sequences
    parameters = sequences.get_shot_parameters(path, index)
    assert parameters == {"index": index, "mot.detuning": index * MEGAHERTZ}
    found = sequences.get_all_shot_data(path, index)
    expected = _data(index)
    assert found.keys() == expected.keys()
    for label, value in expected.items():
        np.testing.assert_array_equal(found[label], value, err_msg=f"{label} of shot {index}")
    assert sequences.get_shot_start_time(path, index) == START + timedelta(seconds=index)


def check_all(session: ExperimentSession, path: PureSequencePath = RUN) -> list[int]:
    """Make sure that every shot is whole; return their indices in the order of recording."""
    found = indices(session, path)
    for index in found:
        check(session, index, path)
    return found


def read_all(storage: StorageManager, path: PureSequencePath = RUN) -> list[int]:
    """The same, in a session of its own."""
    with storage.session() as session:
        return check_all(session, path)


def shots_file(root: Path, path: PureSequencePath = RUN) -> Path:
    """Where the shots of a sequence lie."""
    return root.joinpath("sequences", *path.parts, "shots.h5")


def read_natively(file: h5py.File) -> list[int]:
    """Make sure, with nothing but h5py, that every shot is whole; return their indices."""
    found: list[int] = file["shots"]["shot_index"].tolist()
    rows = len(found)
    if not rows:
        return []  # the datasets come with the first shot
    assert file["parameters"]["index"][:rows].tolist() == found
    assert file["parameters"]["mot.detuning"][:rows].tolist() == found
    assert file["scalars"]["number"][:rows].tolist() == found
    for row, index in enumerate(found):
        np.testing.assert_array_equal(file["data/frame"][row], _frame(index))
    return found


def _data(index: int) -> dict[str, Data]:
    data: dict[str, Data] = {"frame": _frame(index), "number": index, "text": f"shot {index}"}
    if index % 7 == 3:
        data["time tags"] = np.arange(index, dtype="<u4")
    return data


def _frame(index: int) -> npt.NDArray[np.uint16]:
    """A frame of 48 x 64 pixels."""
    return np.arange(48 * 64, dtype=np.uint16).reshape(48, 64) * 7 + np.uint16(index)
