"""A storage with something of everything, and what can be read of a storage, to be compared."""

from datetime import timedelta
from typing import Any

import numpy as np

from shotstore import (
    ExperimentSession,
    ParameterNamespace,
    ShotId,
    State,
    StorageManager,
    TracebackSummary,
    UnknownDeviceConfiguration,
    UnknownIterationConfiguration,
)
from shotstore.model import quantity
from shotstore.testing.content import content
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    SECOND,
    START,
    STOP,
    TIME_LANES,
    bring_to,
    create,
    path,
    recipe,
    record,
)

ORDER = [5, 0, 9, 2]
"""Indices of shots, with gaps, as they were recorded."""
ODD_NAMES = [
    path(r"\2026\11\a b.c, (d)"),
    path("\\名前\\Über \N{GREEK SMALL LETTER MU}m"),
    path("\\con\\e\N{COMBINING ACUTE ACCENT}%20"),
    path(r"\x\<>?*|/:".replace(":", "")),
    path("\\" + "n" * 200),
]
UNKNOWN = path(r"\2026\unknown class")
CRASHED_BEFORE_ITS_START = path(r"\2026\crashed before its start")
EMPTY_FOLDER = path(r"\2026\to do\later")
ENDED = [State.DRAFT, State.FINISHED, State.INTERRUPTED, State.CRASHED]


def populate(storage: StorageManager) -> None:
    """Put something of everything into an empty storage."""
    with storage.session() as session:
        for number, name in enumerate(ODD_NAMES):
            bring_to(session, ENDED[number % len(ENDED)], name)
        for state in ENDED:
            bring_to(session, state, PATH.root() / "states" / state.value)
        record_every_kind(session)
        create_of_unknown_class(session)
        session.sequences.create(CRASHED_BEFORE_ITS_START, recipe(), TIME_LANES)
        session.sequences.set_preparing(CRASHED_BEFORE_ITS_START, DEVICES, PARAMETERS)
        session.sequences.set_crashed(CRASHED_BEFORE_ITS_START, nested_error(), STOP)
        for number, name in enumerate([*ODD_NAMES, PATH, CRASHED_BEFORE_ITS_START]):
            session.sequences.set_tags(name, {f"tag {number}", "名前"})
            session.sequences.set_note(name, f"Two lines\n and \0, number {number}")
        session.paths.create_path(EMPTY_FOLDER)
        for number, found in enumerate(sorted(session.paths.get_all_paths())):
            session.paths.update_creation_date(found, START - (number + 1) * timedelta(days=400))
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations["camera"] = DEVICES["camera"]
        session.default_device_configurations["laser/1"] = UnknownDeviceConfiguration(
            "Laser", {"power": 0.1, "tags": [1, None, "µ"]}
        )


def record_every_kind(session: ExperimentSession) -> None:
    """Record shots with values of every kind, in a strange order."""
    create(session, PATH, shots=10)
    devices = {**DEVICES, "laser/1": UnknownDeviceConfiguration("Laser", {"power": 1})}
    session.sequences.set_preparing(PATH, devices, PARAMETERS)
    session.sequences.set_running(PATH, START)
    for index in ORDER:
        record(session, PATH, index, parameters(index), data(index))
    session.sequences.create_shot(
        ShotId(PATH, 2), parameters(3), data(3), START, START + SECOND, replace=True
    )
    session.sequences.set_crashed(PATH, nested_error(), START + 20 * SECOND)
    session.sequences.resume(PATH, START + 30 * SECOND)
    session.sequences.set_interrupted(PATH, START + 40 * SECOND)
    session.sequences.resume(PATH, START + 50 * SECOND)
    session.sequences.set_crashed(PATH, nested_error(), STOP)


def parameters(index: int) -> dict[str, Any]:
    """Of every type; other units and types in some shots."""
    return {
        "n": index,
        "large": 2**70 + index,
        "is_on": index % 2 == 0,
        "gain": 1.0,
        "nothing": float("nan"),
        "far": -float("inf"),
        "minus_zero": -0.0,
        "mot.detuning": quantity(-1.5 * index, "MHz" if index < 5 else "kHz"),
        "count": quantity(index, "1/s"),
        "température": quantity(20.5, "degC"),
    }


def data(index: int) -> dict[str, Any]:
    """Of every kind; other labels, shapes and types in some shots."""
    pixels = np.random.default_rng(index).integers(0, 2**16, (24, 32))
    found: dict[str, Any] = {
        "Camera\\picture": pixels.astype("<u2" if index < 9 else ">u2"),
        "tags": np.arange(index, dtype=np.uint64),
        "trace": np.linspace(0, 1, 20, dtype=np.float32),
        "complex": np.array([1 + 2j, complex("nan")], np.complex64),
        "times": np.array(["2026-11-22T12", "NaT"], "datetime64[ms]"),
        "names": np.array(["a", "µm"]),
        "bytes": np.array([b"ab", b"c"]),
        "empty": np.empty((0, 3), np.int8),
        "scalar": np.array(1.5),
        "points": np.array([(1, 2.5), (3, 4.5)], [("x", "<i4"), ("y", ">f8")]),
        "text": "two\nlines, \0 and 名前",
        "none": None,
        "true": True,
        "one": 1.0,
        "int": -(2**80),
        "nan": float("nan"),
        "nested": [1, {"a": None, "b": [True, 2.0, np.arange(3)]}, "c"],
    }
    if index == 2:
        del found["trace"]
        found["only here"] = {"x": [np.float32(1.5).item()]}
    return found


def create_of_unknown_class(session: ExperimentSession) -> None:
    """Record a sequence whose classes the serializer does not know."""
    iteration = UnknownIterationConfiguration("Scan", {"values": [1, 2, 3]}, number_of_shots=3)
    session.sequences.create(UNKNOWN, iteration, TIME_LANES)
    session.sequences.set_preparing(UNKNOWN, {}, ParameterNamespace.empty())
    session.sequences.set_running(UNKNOWN, START)
    session.sequences.create_shot(ShotId(UNKNOWN, 2), {}, {}, START, START + SECOND)
    session.sequences.set_finished(UNKNOWN, STOP)


def nested_error() -> TracebackSummary:
    """An error with all that one can have."""
    try:
        try:
            raise ExceptionGroup("two", [ValueError("a"), RuntimeError("b")])
        except ExceptionGroup as error:
            error.add_note("look at the laser")
            raise OSError("the camera is off") from error
    except OSError as error:
        return TracebackSummary.from_exception(error)


def everything(storage: StorageManager) -> dict[str, Any]:
    """All that can be read; the shots in the order they were recorded."""
    with storage.session() as session:
        found = content(session)
    return {name: _plain(value) for name, value in found.items()}


def _plain(value: Any) -> Any:
    """The order of names is nothing that a storage promises."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    if "devices" in found:
        found["devices"] = dict(sorted(found["devices"].items()))
    if "shots" in found:
        found["shots"] = {
            index: [start, end, dict(sorted(parameters.items())), dict(sorted(data.items())), *rest]
            for index, (start, end, parameters, data, *rest) in found["shots"].items()
        }
    return found
