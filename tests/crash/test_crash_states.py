"""A sample of what `tests.crash.explore` looks at in full."""

import random
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shotstore import ExperimentSession, PathError, SequenceStateError, ShotExistsError
from shotstore.hdf5 import HDF5StorageManager
from tests.crash.explore import NEXT_START, Extent, explore
from tests.crash.logical import contents
from tests.crash.machine import started, without_pauses
from tests.crash.recording import Recording, recorded
from tests.crash.scenarios import SCENARIOS, Step, populate
from tests.crash.transactions import RUNS, in_a_session


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
    with without_pauses(), recorded(Recording(tmp_path / "base")) as recording:
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


def tolerant(steps: list[Step]) -> Step:
    """Do what can be done: a call that fails changes nothing."""

    def step(session: ExperimentSession) -> None:
        for one in steps:
            try:
                one(session)
            except (PathError, SequenceStateError, ShotExistsError):
                continue

    return step
