"""Between stores of files, the files are copied; others write meanwhile, and nobody waits."""

import filecmp
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shotstore import (
    ExperimentSession,
    PathExistsError,
    PathIsSequenceError,
    PureSequencePath,
    State,
    StorageError,
    StorageManager,
)
from shotstore.copy import CopyProgress, copy_path
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.memory import InMemoryStorageManager
from shotstore.testing import exactly_equal, serializer
from shotstore.testing.experiments import PATH, bring_to, create, launch, path, record
from tests.copying.conftest import Opened
from tests.copying.lab import everything, populate

ROOT = PureSequencePath.root()
RUNNING = path(r"\2026\running")
KILLED_WHILE_IT_COPIES = """
import os, signal, sys
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager

def kill(progress):
    if progress.size:
        os.kill(os.getpid(), signal.SIGKILL)

here, there = map(HDF5StorageManager, sys.argv[1:])
copy_path(r"\\2026\\rabi", here, there, progress=kill)
"""


@pytest.fixture
def here(tmp_path: Path) -> HDF5StorageManager:
    """A store with a finished sequence, at `PATH`."""
    storage = HDF5StorageManager(tmp_path / "here", serializer=serializer(), lock_timeout=0)
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    return storage


@pytest.fixture
def there(tmp_path: Path) -> HDF5StorageManager:
    """A store in which a sequence runs, and where nobody waits for a lock."""
    storage = HDF5StorageManager(tmp_path / "there", serializer=serializer(), lock_timeout=0)
    with storage.session() as session:
        launch(session, RUNNING)
    return storage


class Meanwhile:
    """Does something once a part of a sequence is copied, and before all of it is."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._action = action
        self.was_done = False

    def __call__(self, progress: CopyProgress) -> None:
        if progress.size and not self.was_done:
            self.was_done = True
            self._action()


def in_a_session(storage: StorageManager, step: Callable[[ExperimentSession], object]) -> Meanwhile:
    def act() -> None:
        with storage.session() as session:
            step(session)

    return Meanwhile(act)


def staged(store: HDF5StorageManager) -> list[Path]:
    control = store.root / ".shotstore"
    return [*(control / "incoming").glob("*"), *(control / "tx").glob("*")]


def directory(store: HDF5StorageManager, sequence: PureSequencePath = PATH) -> Path:
    return store.root.joinpath("sequences", *sequence.parts)


def test_the_files_are_the_same_byte_for_byte(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    copied = copy_path(PATH, here, there, progress=False)
    for name in ("sequence.json", "shots.h5"):
        assert filecmp.cmp(directory(here) / name, directory(there) / name, shallow=False)
    assert copied.size == (directory(there) / "shots.h5").stat().st_size
    assert there.verify().findings == []
    assert staged(there) == []


def test_a_tail_that_a_killed_writer_left_is_not_copied(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    file = directory(here) / "shots.h5"
    length = file.stat().st_size
    with file.open("ab") as tail:
        tail.write(bytes(10_000))
    copy_path(PATH, here, there, progress=False)
    assert (directory(there) / "shots.h5").stat().st_size == length


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_others_write_to_the_store_while_a_sequence_is_copied_into_it(
    kind: str, here: HDF5StorageManager, there: HDF5StorageManager, opened: Opened
) -> None:
    source: StorageManager = here
    if kind != "files":
        source = opened(kind, "database")
        copy_path(ROOT, here, source, progress=False)
    shoot = in_a_session(there, lambda session: record(session, RUNNING, 3))
    copied = copy_path(PATH, source, there, progress=shoot)
    assert shoot.was_done
    assert copied.sequences == (PATH,)
    with there.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(RUNNING)] == [3]
    assert exactly_equal(everything(there)[str(PATH)], everything(here)[str(PATH)])
    assert staged(there) == []


def test_a_sequence_is_copied_whole_that_is_reset_and_thrown_away_meanwhile(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    expected = everything(here)[str(PATH)]

    def throw_away() -> None:
        with here.session() as session:
            session.sequences.reset_to_draft(PATH)
        with here.session() as session:
            session.paths.delete_path(PATH, delete_sequences=True)
        here.trash.empty()

    meanwhile = Meanwhile(throw_away)
    copy_path(PATH, here, there, progress=meanwhile)
    assert meanwhile.was_done
    assert exactly_equal(everything(there)[str(PATH)], expected)


def test_a_sequence_that_somebody_creates_there_meanwhile_is_kept(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    meanwhile = in_a_session(there, lambda session: create(session, PATH))
    with pytest.raises(PathIsSequenceError):
        copy_path(PATH, here, there, progress=meanwhile)
    with there.session() as session:
        assert session.sequences.get_state(PATH) is State.DRAFT
        session.paths.delete_path(PATH, delete_sequences=True)
    meanwhile = in_a_session(there, lambda session: create(session, PATH))
    copied = copy_path(PATH, here, there, existing="skip", progress=meanwhile)
    assert copied.skipped == {PATH: "it is in the destination already"}
    assert staged(there) == []


def test_a_sequence_that_is_moved_away_before_its_turn_is_named(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    later = path(r"\2026\zeeman")
    with here.session() as session:
        bring_to(session, State.FINISHED, later)
    meanwhile = in_a_session(here, lambda session: session.paths.move(later, path(r"\gone")))
    copied = copy_path(ROOT, here, there, progress=meanwhile)
    assert copied.sequences == (PATH,)
    assert copied.skipped == {later: "it was moved or deleted meanwhile"}


def test_an_interrupt_leaves_nothing_and_the_copy_goes_on_later(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    later = path(r"\2026\zeeman")
    with here.session() as session:
        bring_to(session, State.FINISHED, later)

    def interrupt(progress: CopyProgress) -> None:
        if progress.sequences == 1 and progress.shots == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_path(ROOT, here, there, progress=interrupt)
    assert staged(there) == []
    with there.session() as session:
        assert session.sequences.is_sequence(PATH)
        assert not session.paths.does_path_exists(later)
    copied = copy_path(ROOT, here, there, existing="skip", progress=False)
    assert copied.sequences == (later,)
    assert exactly_equal(everything(there)[str(later)], everything(here)[str(later)])


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that kills")
def test_what_a_killed_copy_has_left_is_noticed_and_removed(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    program = [sys.executable, "-c", KILLED_WHILE_IT_COPIES, str(here.root), str(there.root)]
    assert subprocess.run(program).returncode == -signal.SIGKILL
    [left] = staged(there)
    assert sum(file.stat().st_size for file in left.iterdir()) > 0
    [finding] = there.verify().findings
    assert (finding.severity, finding.file) == ("note", left)
    with there.session() as session:
        assert not session.paths.does_path_exists(PATH)
        record(session, RUNNING, 1)
    assert staged(there) == []
    copy_path(PATH, here, there, progress=False)


def test_a_directory_that_was_copied_out_of_a_store_is_copied(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    alone = HDF5StorageManager(directory(here), read_only=True)
    copy_path(ROOT, alone, there, progress=False)
    with there.session() as session:
        assert session.sequences.get_state(path(r"\rabi")) is State.FINISHED


@pytest.mark.skipif(not hasattr(os, "copy_file_range"), reason="it is what is done without")
def test_files_are_copied_where_the_system_does_not_help(
    here: HDF5StorageManager, there: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "copy_file_range")
    copy_path(PATH, here, there, progress=False)
    one, other = (directory(store) / "shots.h5" for store in (here, there))
    assert filecmp.cmp(one, other, shallow=False)


def test_everything_arrives_shot_by_shot_too(tmp_path: Path) -> None:
    lab, there = (HDF5StorageManager(tmp_path / n, serializer=serializer()) for n in "ab")
    populate(lab)
    memory = InMemoryStorageManager(serializer=serializer())
    copy_path(ROOT, lab, memory, progress=False)
    copy_path(ROOT, memory, there, progress=False)
    assert exactly_equal(everything(there), everything(lab))
    assert there.verify().findings == []


def test_half_a_copy_is_never_committed(
    here: HDF5StorageManager, there: HDF5StorageManager
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("the display is gone")

    with (
        pytest.raises(StorageError, match="failed while it was writing"),
        here.session() as source,
        there.receiving() as receive,
        receive(PATH) as session,
        pytest.raises(ValueError, match="display"),
    ):
        session.copy_files(PATH, source, fail)
    with there.session() as session:
        assert not session.paths.does_path_exists(PATH)
    assert there.verify().findings == []


def test_a_copy_that_ends_by_itself_does_not_disturb_who_clears_it_away(
    here: HDF5StorageManager, there: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come to remove the same directory: one of the two finds it gone."""
    is_removing, is_in_the_way = threading.Event(), threading.Event()

    def observe(operation: disk.Operation) -> None:
        if operation.kind == "rmdir" and "incoming" in str(operation.path):
            if is_removing.is_set():
                is_in_the_way.set()
            else:
                is_removing.set()
                is_in_the_way.wait(1)

    def give_up(*_: object) -> None:
        raise ValueError("it was the wrong one")

    def copy_and_give_up() -> None:
        with (
            here.session() as source,
            there.receiving() as receive,
            receive(PATH) as session,
        ):
            session.copy_files(PATH, source, give_up)

    monkeypatch.setattr(disk, "observe", observe)
    with ThreadPoolExecutor() as threads:
        copying = threads.submit(copy_and_give_up)
        is_removing.wait()
        with there.session() as session:
            record(session, RUNNING)
        with pytest.raises(ValueError, match="wrong one"):
            copying.result()
    assert staged(there) == []


@pytest.mark.parametrize("kind", ["files", "sqlite"])
def test_a_sequence_is_not_copied_beside_a_name_that_differs_in_case_only(
    here: HDF5StorageManager, opened: Opened, kind: str
) -> None:
    other = opened(kind, "other")
    with other.session() as session:
        create(session, path(r"\2026\RABI"))
    before = everything(other)
    with pytest.raises(PathExistsError, match=r"\\2026\\RABI"):
        copy_path("2026/rabi", here, other, progress=False)
    assert everything(other) == before
