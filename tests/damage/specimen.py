"""A sequence with shots of every kind, and everything that can be read of it."""

import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pint

from shotstore import (
    DamagedStorageError,
    DataId,
    ExperimentSession,
    PureSequencePath,
    Sequence,
    ShotId,
    UnreadableConfigurationError,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, DefaultSerializer, Parameter, quantity
from shotstore.testing.experiments import DEVICES, PARAMETERS, START, TIME_LANES, finish, recipe
from shotstore.testing.experiments import record as record_shot
from shotstore.testing.lab import CameraConfiguration

FOLDER = PureSequencePath(r"\2026")
PATH = FOLDER / "rabi"
NEIGHBOUR = PureSequencePath(r"\2026\ramsey")
REFUSED = "DamagedStorageError"

Read: TypeAlias = Callable[[ExperimentSession], object]

_NUMBER_OF_SHOTS = 6
_FRAME = 96  # pixels; more than 16 KiB


def serializer() -> DefaultSerializer:
    """One that knows the device of the specimen."""
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    return serializer


def open_store(root: Path, **arguments: Any) -> HDF5StorageManager:
    """The storage at ``root``."""
    return HDF5StorageManager(root, serializer=serializer(), lock_timeout=5, **arguments)


def create_store(root: Path) -> HDF5StorageManager:
    """A new store with the specimen, which has ended, and a neighbour, which is running."""
    storage = open_store(root)
    with storage.session() as session:
        for path in (PATH, NEIGHBOUR):
            session.sequences.create(path, recipe(100), TIME_LANES)
            session.sequences.set_preparing(path, _devices(), PARAMETERS)
            session.sequences.set_running(path, START)
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations["camera"] = DEVICES["camera"]
    for index in range(_NUMBER_OF_SHOTS):
        for path in (PATH, NEIGHBOUR):
            with storage.session() as session:
                record(session, path, index)
    with storage.session() as session:
        finish(session, PATH)
    return storage


def record(session: ExperimentSession, path: PureSequencePath, index: int) -> None:
    """Record a shot with values of every kind; those of odd index differ from the others."""
    record_shot(session, path, index, _parameters(index), _data(index))


def _devices() -> dict[str, CameraConfiguration]:
    # More than eight: HDF5 then keeps the names of a group in a heap and a tree.
    return {f"camera {number}": CameraConfiguration(exposure=number / 10) for number in range(9)}


def _parameters(index: int) -> dict[str, Parameter]:
    odd = index % 2
    return {
        "index": index,
        "on": bool(odd),
        "mot.detuning": quantity(-1.5 * index, "kHz" if odd else "MHz"),
        "large": 2**70 + index,
        "gain": float("nan") if odd else 0.5,
    }


def _data(index: int) -> dict[str, Data]:
    counts = np.arange(24 * 32, dtype="<u2").reshape(24, 32) * np.uint16(7 + index)
    data: dict[str, Data] = {
        "counts": 10 * index,
        "Camera\\picture": counts,
        "frame": np.full((_FRAME, _FRAME), index, "<u2"),
        "trace": np.linspace(0, index, 50),
        "time tags": np.arange(3 + index, dtype="<u4"),
        "comment": f"shot {index}: größer",
        "settings": {"mode": ["a", index], "phase": float("inf")},
        "names": np.array(["left", "right", str(index)]),
        "points": np.array([(1.5, index)], [("x", "<f8"), ("y", "<i4")]),
        "moment": np.array(index, "<M8[us]"),
        "wide": np.full(3, index, "<f16") if np.dtype("f16").itemsize == 16 else index,
        "nothing": None,
        "empty": np.zeros((2, 0), "<i2"),
    }
    if index % 2:
        data["odd"] = np.array([1j * index])
    return data


def reads(path: PureSequencePath = PATH, shots: int = _NUMBER_OF_SHOTS) -> dict[str, Read]:
    """Every public way to read a sequence that has these shots, by its name."""
    found: dict[str, Read] = {
        "shots": lambda s: [shot.index for shot in s.sequences.get_shots(path)],
        "state": lambda s: s.sequences.get_state(path),
        "stats": lambda s: s.sequences.get_stats(path),
        "schema": lambda s: dict(s.sequences.get_parameter_schema(path)),
        "globals": lambda s: s.sequences.get_global_parameters(path),
        "devices": lambda s: dict(s.sequences.get_device_configurations(path)),
        "iteration": lambda s: s.sequences.get_iteration_configuration(path),
        "time lanes": lambda s: s.sequences.get_time_lanes(path),
        "length": lambda s: len(Sequence(path, s)),
    }
    for index in range(shots):
        found |= {f"{name} {index}": read for name, read in _shot_reads(path, index).items()}
    return found


def _shot_reads(path: PureSequencePath, index: int) -> dict[str, Read]:
    shot = ShotId(path, index)
    return {
        "start": lambda s: s.sequences.get_shot_start_time(path, index),
        "end": lambda s: s.sequences.get_shot_end_time(path, index),
        "parameters": lambda s: s.sequences.get_shot_parameters(path, index),
        "data": lambda s: s.sequences.get_all_shot_data(path, index),
        "picture": lambda s: s.sequences.get_shot_data_by_label(DataId(shot, "Camera\\picture")),
        "two": lambda s: s.sequences.get_shot_data_by_labels(path, index, ["comment", "counts"]),
    }


def outcomes(session: ExperimentSession, wanted: Mapping[str, Read]) -> dict[str, object]:
    """What each read gives, as something that can be compared and sent, or `REFUSED`."""
    found: dict[str, object] = {}
    for name, read in wanted.items():
        try:
            found[name] = canonical(read(session))
        except UnreadableConfigurationError:
            found[name] = REFUSED
        except DamagedStorageError as error:
            names_a_file = any(name in str(error) for name in ("shots.h5", ".json"))
            found[name] = REFUSED if names_a_file else f"an error that names no file: {error}"
    return found


def canonical(value: object) -> object:
    """A value that equals that of another one exactly if both are the same to the last bit."""
    if isinstance(value, np.ndarray):
        return ("array", value.dtype.str, str(value.dtype.descr), value.shape, value.tobytes())
    if isinstance(value, float):
        return ("float", struct.pack("<d", value))
    if isinstance(value, dict):
        return ("dict", *((key, canonical(item)) for key, item in value.items()))
    if isinstance(value, list):
        return ("list", *map(canonical, value))
    if isinstance(value, pint.Quantity):
        return ("quantity", canonical(value.magnitude), str(value.units))
    if isinstance(value, bool | int | str | None):
        return (type(value).__name__, value)
    return (type(value).__name__, repr(value))


def shots_file(root: Path, path: PureSequencePath = PATH) -> Path:
    """Where the shots of a sequence lie."""
    return root.joinpath("sequences", *path.parts, "shots.h5")


def document(root: Path, path: PureSequencePath = PATH) -> Path:
    """Where the document of a sequence lies."""
    return root.joinpath("sequences", *path.parts, "sequence.json")
