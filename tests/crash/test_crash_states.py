"""A sample of what `tests.crash.explore` looks at in full."""

import random
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shotstore import ExperimentSession, PathError, SequenceStateError, ShotExistsError
from shotstore.hdf5 import HDF5StorageManager, disk, journal
from tests.crash.explore import TRANSACTIONS, Extent, explore, in_a_session
from tests.crash.logical import contents
from tests.crash.recording import Recording, recorded
from tests.crash.scenarios import SCENARIOS, Step, populate


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_a_crash_leaves_what_was_before_or_after(name: str, tmp_path: Path) -> None:
    report = explore(name, TRANSACTIONS[name], tmp_path, Extent(sample=6, recoveries=1))
    assert report.states == 6
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
    states = recording.power_lost(random.Random(0), mixes=20, first=len(recording))
    for number, (_, image) in enumerate(states):
        place = tmp_path / str(number)
        image.write(place)
        assert (place / "new" / "a" / "b" / "lab").is_dir()
        assert contents(HDF5StorageManager(place / "new" / "a" / "b" / "lab")) == expected


def tolerant(steps: list[Step]) -> Step:
    """Do what can be done: a call that fails changes nothing."""

    def step(session: ExperimentSession) -> None:
        for one in steps:
            try:
                one(session)
            except (PathError, SequenceStateError, ShotExistsError):
                continue

    return step


def without_the_journal_s_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is renamed into place before its content is on the disk."""
    write_new_file = disk.write_new_file

    def write(path: Path, content: bytes) -> None:
        if path.name != "journal.new":
            write_new_file(path, content)
            return
        file = disk.File(path, "x")
        file.write(content, 0)
        file.close()

    monkeypatch.setattr(disk, "write_new_file", write)


def without_directory_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name that is made or removed is ever made durable."""
    monkeypatch.setattr(disk, "sync_directory", lambda *_: None)


def without_file_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that is written is ever made durable."""
    monkeypatch.setattr(disk.File, "sync", lambda *_: None)


def without_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transaction is applied before its journal is in place."""
    rename = disk.rename

    def apply_first(source: Path, destination: Path) -> None:
        if destination.name == "journal":
            committed = journal.load(source.read_bytes(), source)
            journal.apply(destination.parent.parent, committed)
        rename(source, destination)

    monkeypatch.setattr(disk, "rename", apply_first)


@pytest.mark.parametrize(
    ("name", "cripple"),
    [
        ("later shot", without_the_journal_s_sync),
        ("later shot", without_directory_syncs),
        ("later shot", without_file_syncs),
        ("later shot", without_the_journal),
        ("create", without_directory_syncs),
        ("create", without_file_syncs),
        ("swap", without_the_journal),
    ],
)
def test_the_exploration_finds_a_store_without_one_of_its_safeguards(
    name: str,
    cripple: Callable[[pytest.MonkeyPatch], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def act(storage: HDF5StorageManager) -> None:
        with monkeypatch.context() as patch:
            cripple(patch)
            TRANSACTIONS[name](storage)

    report = explore(name, act, tmp_path, Extent(mixes=40, only_one=True))
    assert report.violations
