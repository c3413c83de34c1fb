"""Experiments, as small as they can be, to be put into a storage."""

import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Concatenate, ParamSpec, TypeVar

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
    ExecuteShot,
    LinspaceLoop,
    Parameter,
    ParameterNamespace,
    StepsConfiguration,
    TimeLanes,
)
from shotstore.model.quantities import quantity, unit_text_of
from shotstore.records import settings
from shotstore.testing.lab import CameraConfiguration

PATH = PureSequencePath(r"\2026\rabi")
START = datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)
SECOND = timedelta(seconds=1)
MICROSECONDS = unit_text_of(quantity(1, "us"))
"""Versions of pint write it with either of two characters that look the same."""
STOP = START + 100 * SECOND
TIME_LANES = TimeLanes(step_names=["pulse"], step_durations=["1 us"], lanes={})
PARAMETERS = ParameterNamespace.from_mapping({"offset": "2 MHz", "pulse": {"power": "0.5"}})
ERROR = TracebackSummary.from_exception(RuntimeError("the laser is off"))
DEVICES = {"camera": CameraConfiguration(exposure=0.1, remote_server="imaging-pc")}
LAUNCHED = [state for state in State if state is not State.DRAFT]
ENDED = [State.FINISHED, State.INTERRUPTED, State.CRASHED]

_P = ParamSpec("_P")
_T = TypeVar("_T")


def path(text: str) -> PureSequencePath:
    """The path that the text stands for."""
    return PureSequencePath(text)


def recipe(shots: int = 10) -> StepsConfiguration:
    """An iteration that makes this number of shots."""
    return StepsConfiguration(
        [LinspaceLoop("pulse.length", "1 us", "4 us", shots, [ExecuteShot()])]
    )


def recipe_of_unknown_length() -> StepsConfiguration:
    """An iteration whose number of shots depends on the global parameters."""
    return StepsConfiguration([ArangeLoop("i", "0", "offset", "1 MHz", [ExecuteShot()])])


def here_or_committed(
    act: Callable[Concatenate[ExperimentSession, _P], _T],
) -> Callable[Concatenate[ExperimentSession | StorageManager, _P], _T]:
    """Let a function of a session take a storage too, for which it opens a session of its own."""

    @functools.wraps(act)
    def in_either(
        place: ExperimentSession | StorageManager, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        if isinstance(place, ExperimentSession):
            return act(place, *args, **kwargs)
        with place.session() as session:
            return act(session, *args, **kwargs)

    return in_either


@here_or_committed
def create(
    session: ExperimentSession, path: PureSequencePath = PATH, shots: int | None = 10
) -> None:
    """Create a draft that is to make this number of shots, or nobody knows how many."""
    iteration = recipe_of_unknown_length() if shots is None else recipe(shots)
    session.sequences.create(path, iteration, TIME_LANES)


@here_or_committed
def launch(
    session: ExperimentSession, path: PureSequencePath = PATH, shots: int | None = 10
) -> None:
    """Create a sequence, and let it run."""
    create(session, path, shots)
    relaunch(session, path)


@here_or_committed
def relaunch(session: ExperimentSession, path: PureSequencePath = PATH) -> None:
    """Let a draft run."""
    session.sequences.set_preparing(path, DEVICES, PARAMETERS)
    session.sequences.set_running(path, START)


@here_or_committed
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


@here_or_committed
def finish(session: ExperimentSession, path: PureSequencePath = PATH) -> None:
    """Let a running sequence end."""
    session.sequences.set_finished(path, STOP)


@here_or_committed
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
            sequences.set_interrupted(path, STOP)
        case State.CRASHED:
            sequences.set_crashed(path, ERROR, STOP)


ENTER: dict[State, Callable[[ExperimentSession], object]] = {
    State.DRAFT: lambda session: session.sequences.reset_to_draft(PATH),
    State.PREPARING: lambda session: session.sequences.set_preparing(PATH, DEVICES, PARAMETERS),
    State.RUNNING: lambda session: session.sequences.set_running(PATH, START),
    State.FINISHED: lambda session: session.sequences.set_finished(PATH, STOP),
    State.INTERRUPTED: lambda session: session.sequences.set_interrupted(PATH, STOP),
    State.CRASHED: lambda session: session.sequences.set_crashed(PATH, ERROR, STOP),
}
"""How the sequence at ``PATH`` comes into each state."""


@here_or_committed
def indices(session: ExperimentSession) -> list[int]:
    """The indices of the shots of the sequence, in the order in which they were recorded."""
    shots = session.sequences.get_shots(PATH)
    assert {shot.sequence_path for shot in shots} <= {PATH}
    return [shot.index for shot in shots]


def empty(session: ExperimentSession) -> None:
    """Delete everything in a storage."""
    for state in (State.PREPARING, State.RUNNING):
        for active in session.sequences.get_sequences_in_state(state):
            session.sequences.set_crashed(active, ERROR, "now")
    for place in sorted(session.paths.get_all_paths(), reverse=True):
        session.paths.delete_path(place, delete_sequences=True)
    session.default_device_configurations.clear()
    session.set_global_parameters(ParameterNamespace.empty())
    settings.set_unit_definitions(session._records_(), ())
