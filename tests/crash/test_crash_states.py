"""A sample of what `tests.crash.explore` looks at in full."""

import random
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shotstore import (
    ExperimentSession,
    PathError,
    SequenceStateError,
    ShotExistsError,
    ShotNotFoundError,
)
from shotstore.hdf5 import HDF5StorageManager
from tests.crash.explore import (
    FIRST_START,
    NEXT_START,
    Extent,
    explore,
    look_into,
    open_in_a_viewer,
)
from tests.crash.logical import contents
from tests.crash.machine import started
from tests.crash.recording import Recording, recorded
from tests.crash.scenarios import RUNNING, SCENARIOS, Step, populate
from tests.crash.transactions import RUNS, frames, in_a_session

COUNTER_SIZE = 60
"""Bytes"""


@pytest.mark.parametrize("name", RUNS)
def test_a_crash_leaves_what_was_acknowledged_or_one_more(name: str, tmp_path: Path) -> None:
    report = explore(name, RUNS[name], tmp_path, Extent(sample=5, recoveries=1))
    assert report.states == 5
    assert report.violations == []


@given(names=st.lists(st.sampled_from(sorted(SCENARIOS)), min_size=2, max_size=5, unique=True))
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
def test_a_crash_of_a_mixed_transaction_leaves_what_was_before_or_after(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        steps = in_a_session(tolerant([SCENARIOS[name] for name in names]))
        report = explore(" + ".join(names), steps, Path(scratch), Extent(sample=6, recoveries=1))
    assert report.violations == []


def test_a_power_cut_takes_no_directory_of_a_store_that_was_made(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    with recorded(Recording(tmp_path / "base")) as recording:
        storage = HDF5StorageManager(tmp_path / "base" / "new" / "a" / "b" / "lab")
        populate(storage)
    expected = contents(storage)
    (states,) = recording.power_losses(random.Random(0), mixes=20, first=len(recording))
    for number, crash in enumerate(states):
        place = tmp_path / str(number)
        crash.image.write(place)
        assert (place / "new" / "a" / "b" / "lab").is_dir()
        with started(NEXT_START), closing(HDF5StorageManager(place / "new/a/b/lab")) as found:
            assert contents(found) == expected


def test_a_counter_from_before_a_power_cut_gives_up_no_acknowledged_shot(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    with (
        started(FIRST_START),
        closing(HDF5StorageManager(tmp_path / "base" / "store")) as storage,
    ):
        populate(storage)
        storage.close()
        with recorded(Recording(tmp_path / "base")) as recording:
            in_a_session(frames(RUNNING, 3))(storage)
        expected = contents(storage)
    crashes = next(recording.power_losses(random.Random(0), mixes=0, first=len(recording)))
    durable = min((crash.kept for crash in crashes), key=len)
    begun = next(
        number
        for number, change in enumerate(recording.changes)
        if change.kind == "write" and len(change.data) == COUNTER_SIZE
    )
    recording.image(durable | {begun: None}).write(tmp_path / "state")
    open_in_a_viewer(tmp_path / "state" / "store")
    with started(NEXT_START):
        found = look_into(tmp_path / "state" / "store", [expected], may_be_lost=True)
    assert found is None


def tolerant(steps: list[Step]) -> Step:
    """Do what can be done: a call that fails changes nothing."""

    def step(session: ExperimentSession) -> None:
        for one in steps:
            try:
                one(session)
            except (PathError, SequenceStateError, ShotExistsError, ShotNotFoundError):
                continue

    return step
