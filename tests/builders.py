"""What the tests of a storage put into it, and all that a session says about it."""

import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from shotstore import (
    ExperimentSession,
    PureSequencePath,
    ShotId,
    State,
    StorageManager,
    TracebackSummary,
)
from shotstore.model import (
    ArangeLoop,
    Data,
    DefaultSerializer,
    DeviceConfiguration,
    ExecuteShot,
    LinspaceLoop,
    Parameter,
    ParameterNamespace,
    StepsConfiguration,
    TimeLanes,
)

PATH = PureSequencePath(r"\2026\rabi")
START = datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)
SECOND = timedelta(seconds=1)
TIME_LANES = TimeLanes(step_names=["pulse"], step_durations=["1 us"], lanes={})
PARAMETERS = ParameterNamespace.from_mapping({"offset": "2 MHz", "pulse": {"power": "0.5"}})
ERROR = TracebackSummary.from_exception(RuntimeError("the laser is off"))


@attrs.frozen
class CameraConfiguration(DeviceConfiguration):
    exposure: float


DEVICES = {"camera": CameraConfiguration(exposure=0.1, remote_server="imaging-pc")}


def serializer() -> DefaultSerializer:
    """A serializer that knows the devices of these tests."""
    serializer = DefaultSerializer()
    serializer.register_device_configuration(CameraConfiguration)
    return serializer


def path(text: str) -> PureSequencePath:
    return PureSequencePath(text)


def recipe(shots: int = 10) -> StepsConfiguration:
    return StepsConfiguration(
        [LinspaceLoop("pulse.length", "1 us", "4 us", shots, [ExecuteShot()])]
    )


def recipe_of_unknown_length() -> StepsConfiguration:
    return StepsConfiguration([ArangeLoop("i", "0", "offset", "1 MHz", [ExecuteShot()])])


def create(
    session: ExperimentSession, path: PureSequencePath = PATH, shots: int | None = 10
) -> None:
    """Create a draft that is to make this number of shots, or nobody knows how many."""
    iteration = recipe_of_unknown_length() if shots is None else recipe(shots)
    session.sequences.create(path, iteration, TIME_LANES)


def launch(
    session: ExperimentSession, path: PureSequencePath = PATH, shots: int | None = 10
) -> None:
    """Create a sequence, and let it run."""
    create(session, path, shots)
    relaunch(session, path)


def relaunch(session: ExperimentSession, path: PureSequencePath = PATH) -> None:
    """Let a draft run."""
    session.sequences.set_preparing(path, DEVICES, PARAMETERS)
    session.sequences.set_running(path, START)


def record(
    session: ExperimentSession,
    path: PureSequencePath = PATH,
    index: int = 0,
    parameters: Mapping[str, Parameter] | None = None,
    data: Mapping[str, Data] | None = None,
) -> None:
    """Record a shot that began ``index`` seconds after the sequence."""
    session.sequences.create_shot(
        ShotId(path, index),
        {"index": index} if parameters is None else parameters,
        {"counts": 10 * index} if data is None else data,
        START + index * SECOND,
        START + (index + 0.5) * SECOND,
    )


def finish(session: ExperimentSession, path: PureSequencePath = PATH) -> None:
    session.sequences.set_finished(path, START + 100 * SECOND)


def bring_to(session: ExperimentSession, state: State, path: PureSequencePath = PATH) -> None:
    """Create a sequence in this state, with a shot where it can have one."""
    create(session, path)
    sequences = session.sequences
    if state is not State.DRAFT:
        sequences.set_preparing(path, DEVICES, PARAMETERS)
    if state not in (State.DRAFT, State.PREPARING):
        sequences.set_running(path, START)
        record(session, path)
    match state:
        case State.FINISHED:
            finish(session, path)
        case State.INTERRUPTED:
            sequences.set_interrupted(path, START + 100 * SECOND)
        case State.CRASHED:
            sequences.set_crashed(path, ERROR, START + 100 * SECOND)


def reopened(storage: StorageManager) -> StorageManager:
    """The same storage as another process would open it."""
    again: StorageManager = pickle.loads(pickle.dumps(storage))
    return again


def content(session: ExperimentSession) -> dict[str, Any]:
    """Everything that can be read in a session, by path; of a folder, its creation date."""
    return content_below(session, PureSequencePath.root()) | {
        "parameters": session.get_global_parameters(),
        "devices": dict(session.default_device_configurations),
    }


def content_below(session: ExperimentSession, folder: PureSequencePath) -> dict[str, Any]:
    """What can be read of the paths inside a folder, which is left out of their names."""
    return {
        str(PureSequencePath.from_parts(path.parts[len(folder.parts) :])): _sequence(session, path)
        if session.sequences.is_sequence(path)
        else session.paths.get_path_creation_date(path)
        for path in sorted(session.paths.get_all_paths())
        if path.is_descendant_of(folder)
    }


def _sequence(session: ExperimentSession, path: PureSequencePath) -> dict[str, Any]:
    sequences = session.sequences
    stats = sequences.get_stats(path)
    found = {
        "created": session.paths.get_path_creation_date(path),
        "stats": stats,
        "iteration": sequences.get_iteration_configuration(path),
        "time lanes": sequences.get_time_lanes(path),
    }
    if stats.state is not State.DRAFT:
        found["parameters"] = sequences.get_global_parameters(path)
        found["devices"] = sequences.get_device_configurations(path)
    if stats.state is State.CRASHED:
        found["exception"] = sequences.get_exception(path)
    shots = sequences.get_shots(path)
    assert stats.number_completed_shots == len(shots)
    found["shots"] = {
        shot.index: [
            sequences.get_shot_start_time(path, shot.index),
            sequences.get_shot_end_time(path, shot.index),
            sequences.get_shot_parameters(path, shot.index),
            sequences.get_all_shot_data(path, shot.index),
        ]
        for shot in shots
    }
    return found


def content_after(
    storage: StorageManager, change: Callable[[ExperimentSession], object]
) -> dict[str, Any]:
    """Change a storage in one session; return what it holds then.

    The session itself, a later one, and one of the storage opened anew must agree on that.
    """
    with storage.session() as session:
        change(session)
        inside = content(session)
    with storage.session() as session:
        assert content(session) == inside
    with reopened(storage).session() as session:
        assert content(session) == inside
    return inside


def paths_in(content: Mapping[str, object]) -> set[str]:
    return {name for name in content if name.startswith("\\")}
