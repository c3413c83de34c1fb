"""What is recorded: shots as an experiment with two cameras makes them, and small ones."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import numpy as np

from shotstore import ExperimentSession, PureSequencePath, ShotId, StorageManager
from shotstore.model import (
    Data,
    ExecuteShot,
    LinspaceLoop,
    Parameter,
    ParameterNamespace,
    StepsConfiguration,
    TimeLanes,
    quantity,
)

RUN = PureSequencePath(r"\2026\11\22\run")
TIME_LANES = TimeLanes(step_names=["pulse"], step_durations=["1 ms"], lanes={})
GLOBALS = ParameterNamespace.from_mapping({"offset": "2 MHz"})
FRAME = (512, 512)

_random = np.random.default_rng(1)
_FRAMES = [_random.integers(0, 4096, FRAME, np.uint16) for _ in range(8)]


def recipe(shots: int = 10**6) -> StepsConfiguration:
    """An iteration with room for so many shots."""
    loop = LinspaceLoop("detuning", "0 MHz", "10 MHz", shots, [ExecuteShot()])
    return StepsConfiguration([loop])


def parameters(index: int) -> dict[str, Parameter]:
    """40 parameters, half of them with units. ``detuning`` is between 0 and 10 MHz."""
    plain: dict[str, Parameter] = {f"plain.p{i}": index + i / 7 for i in range(20)}
    united = {f"united.q{i}": quantity(index + i / 3, "MHz") for i in range(19)}
    return {**plain, **united, "detuning": quantity(index % 100 / 10, "MHz")}


def with_frames(index: int) -> dict[str, Data]:
    """Two frames and a small dict."""
    return {
        "atoms": _FRAMES[index % 8],
        "background": _FRAMES[(index + 3) % 8],
        "fit": {"number": index * 10.5, "center": [1.5, index]},
    }


def small(index: int) -> dict[str, Data]:
    """A trace of 100 points."""
    return {"trace": np.arange(100, dtype=float) + index}


def time_tags(index: int) -> dict[str, Data]:
    """About 1,000 arrival times, another number each time."""
    return {"tags": np.arange(900 + index * 37 % 200, dtype=np.uint64)}


def launch(session: ExperimentSession, path: PureSequencePath = RUN) -> None:
    """Create a sequence, and let it run."""
    session.sequences.create(path, recipe(), TIME_LANES)
    session.sequences.set_preparing(path, {}, GLOBALS)
    session.sequences.set_running(path, "now")


def record(
    session: ExperimentSession,
    index: int,
    data: Mapping[str, Data],
) -> None:
    """Record a shot."""
    now = datetime.now(UTC)
    session.sequences.create_shot(ShotId(RUN, index), parameters(index), data, now, now)


def fill(
    storage: StorageManager, first: int, end: int, make: Callable[[int], dict[str, Data]]
) -> None:
    """Record the shots of these numbers, some hundred in a transaction."""
    for start in range(first, end, 250):
        with storage.session() as session:
            for index in range(start, min(start + 250, end)):
                record(session, index, make(index))
