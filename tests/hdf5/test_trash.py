"""What was deleted can be brought back, until the trash is emptied."""

import errno
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shotstore import (
    CommitUncertainError,
    InvalidPathFormatError,
    PathExistsError,
    PathIsRootError,
    PathIsSequenceError,
    PureSequencePath,
    State,
    StorageError,
    StorageLockTimeoutError,
)
from shotstore.hdf5 import HDF5StorageManager, disk, documents, on_disk, time_in_trash
from shotstore.records.times import dump_time
from shotstore.testing.content import content, paths_in, reopened
from shotstore.testing.experiments import (
    PATH,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
    relaunch,
)
from shotstore.testing.lab import serializer
from tests.commit_moment import CommitMoment
from tests.crash.test_faults import failing
from tests.permissions import mode, ordinary_user

FOLDER = path(r"\2026")


def contents_of(storage: HDF5StorageManager) -> dict[str, Any]:
    with storage.session() as session:
        return content(session)


def delete(storage: HDF5StorageManager, path: PureSequencePath = PATH) -> None:
    with storage.session() as session:
        session.paths.delete_path(path, delete_sequences=True)


def reset(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        session.sequences.reset_to_draft(PATH)


@pytest.fixture
def finished(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a sequence that has finished, and another one."""
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        bring_to(session, State.CRASHED, FOLDER / "ramsey")
    return storage


def test_nothing_is_in_the_trash_of_a_new_store(storage: HDF5StorageManager) -> None:
    assert storage.trash.entries() == []
    assert storage.trash.empty() == []


def test_a_deleted_sequence_is_listed(finished: HDF5StorageManager) -> None:
    before = datetime.now(UTC)
    delete(finished)
    (entry,) = reopened(finished).trash.entries()
    assert entry.path == PATH
    assert entry.reason == "deleted"
    assert before <= entry.deleted <= datetime.now(UTC)
    assert entry.deleted.utcoffset() == timedelta(0)
    assert entry.size > 1000


def test_a_deleted_sequence_comes_back(finished: HDF5StorageManager) -> None:
    before = contents_of(finished)
    delete(finished)
    (entry,) = finished.trash.entries()
    assert finished.trash.restore(entry) == PATH
    assert contents_of(finished) == contents_of(reopened(finished)) == before
    assert finished.trash.entries() == []


def test_a_deleted_folder_comes_back_with_all_inside(finished: HDF5StorageManager) -> None:
    with finished.session() as session:
        session.paths.create_path(FOLDER / "empty" / "inside")
    before = contents_of(finished)
    delete(finished, FOLDER)
    assert paths_in(contents_of(finished)) == set()
    finished.trash.restore(finished.trash.entries()[0].id)
    assert contents_of(finished) == before


def test_a_sequence_comes_back_to_another_path(finished: HDF5StorageManager) -> None:
    before = contents_of(finished)
    delete(finished)
    (entry,) = finished.trash.entries()
    assert finished.trash.restore(entry, to=r"\new\folder\rabi") == path(r"\new\folder\rabi")
    after = contents_of(finished)
    assert after[r"\new\folder\rabi"] == before[str(PATH)]
    assert str(PATH) not in after


def test_the_folders_above_are_made_again(finished: HDF5StorageManager) -> None:
    before = contents_of(finished)[str(PATH)]
    delete(finished)
    delete(finished, FOLDER)
    rabi = next(entry for entry in finished.trash.entries() if entry.path == PATH)
    finished.trash.restore(rabi)
    after = contents_of(finished)
    assert paths_in(after) == {str(FOLDER), str(PATH)}
    assert after[str(PATH)] == before


def test_the_oldest_entry_comes_first(finished: HDF5StorageManager) -> None:
    delete(finished, FOLDER / "ramsey")
    delete(finished, PATH)
    delete(finished, FOLDER)
    entries = finished.trash.entries()
    assert [entry.path for entry in entries] == [FOLDER / "ramsey", PATH, FOLDER]
    assert len({entry.id for entry in entries}) == 3


def test_what_is_deleted_several_times_is_kept_each_time(storage: HDF5StorageManager) -> None:
    for index in range(3):
        with storage.session() as session:
            launch(session)
            record(session, index=index)
            finish(session)
        delete(storage)
    entries = storage.trash.entries()
    assert [entry.path for entry in entries] == [PATH] * 3
    storage.trash.restore(entries[1])
    with storage.session() as session:
        assert [shot.index for shot in session.sequences.get_shots(PATH)] == [1]
    assert len(storage.trash.entries()) == 2


def test_several_deletions_in_one_session_are_several_entries(
    finished: HDF5StorageManager,
) -> None:
    before = contents_of(finished)
    with finished.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
        session.paths.delete_path(FOLDER / "ramsey", delete_sequences=True)
    entries = finished.trash.entries()
    assert {entry.path for entry in entries} == {PATH, FOLDER / "ramsey"}
    for entry in entries:
        finished.trash.restore(entry)
    assert contents_of(finished) == before


def test_what_was_never_committed_is_not_in_the_trash(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        session.paths.delete_path(FOLDER, delete_sequences=True)
        bring_to(session, State.FINISHED)
        session.sequences.reset_to_draft(PATH)
    assert storage.trash.entries() == []


def test_what_a_failed_session_deleted_is_not_in_the_trash(finished: HDF5StorageManager) -> None:
    def fail() -> None:
        with finished.session() as session:
            session.paths.delete_path(FOLDER, delete_sequences=True)
            raise RuntimeError("the laser is off")

    with pytest.raises(RuntimeError, match="the laser"):
        fail()
    assert finished.trash.entries() == []


def test_a_sequence_moved_and_deleted_comes_back_where_it_was_last(
    finished: HDF5StorageManager,
) -> None:
    before = contents_of(finished)[str(PATH)]
    with finished.session() as session:
        session.paths.move(PATH, path(r"\x\y"))
        session.paths.delete_path(path(r"\x"), delete_sequences=True)
    (entry,) = finished.trash.entries()
    assert entry.path == path(r"\x")
    finished.trash.restore(entry)
    assert contents_of(finished)[r"\x\y"] == before


# The shots of a sequence that was reset


def test_a_reset_sequence_comes_back_to_its_draft(finished: HDF5StorageManager) -> None:
    before = contents_of(finished)
    reset(finished)
    (entry,) = finished.trash.entries()
    assert (entry.path, entry.reason) == (PATH, "reset")
    draft = contents_of(finished)
    finished.trash.restore(entry)
    assert contents_of(finished) == before
    # The draft is in the trash in turn.
    (entry,) = finished.trash.entries()
    assert (entry.path, entry.reason) == (PATH, "deleted")
    finished.trash.restore(entry, to=path(r"\draft"))
    assert contents_of(finished)[r"\draft"] == draft[str(PATH)]


def test_a_reset_sequence_does_not_come_back_over_a_new_run(finished: HDF5StorageManager) -> None:
    before = contents_of(finished)[str(PATH)]
    reset(finished)
    (entry,) = finished.trash.entries()
    with finished.session() as session:
        relaunch(session)
        record(session, index=7)
    running = contents_of(finished)
    with pytest.raises(PathExistsError, match="another path"):
        finished.trash.restore(entry)
    assert contents_of(finished) == running
    finished.trash.restore(entry, to=FOLDER / "before")
    assert contents_of(finished)[str(FOLDER / "before")] == before


def test_each_run_that_was_reset_is_kept(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session)
    for index in range(3):
        with storage.session() as session:
            relaunch(session)
            record(session, index=index)
            finish(session)
        reset(storage)
    for index, entry in enumerate(storage.trash.entries()):
        storage.trash.restore(entry, to=path(rf"\run {index}"))
    with storage.session() as session:
        for index in range(3):
            shots = session.sequences.get_shots(path(rf"\run {index}"))
            assert [shot.index for shot in shots] == [index]


def test_a_run_that_was_ended_and_reset_in_one_session_is_kept(
    storage: HDF5StorageManager,
) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)
    with storage.session() as session:
        record(session, index=1)
        finish(session)
        ended = content(session)[str(PATH)]
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, index=9)
    (entry,) = storage.trash.entries()
    storage.trash.restore(entry, to=path(r"\ended"))
    assert contents_of(storage)[r"\ended"] == ended


def test_a_run_that_was_reset_and_deleted_is_kept_twice(finished: HDF5StorageManager) -> None:
    before = contents_of(finished)[str(PATH)]
    with finished.session() as session:
        session.sequences.reset_to_draft(PATH)
        session.paths.delete_path(PATH, delete_sequences=True)
    entries = {entry.reason: entry for entry in finished.trash.entries()}
    assert set(entries) == {"reset", "deleted"}
    finished.trash.restore(entries["reset"], to=path(r"\run"))
    finished.trash.restore(entries["deleted"], to=path(r"\draft"))
    after = contents_of(finished)
    assert after[r"\run"] == before
    assert after[r"\draft"]["stats"].state is State.DRAFT


# What is refused


def test_nothing_comes_back_over_something_else(finished: HDF5StorageManager) -> None:
    delete(finished)
    (entry,) = finished.trash.entries()
    with finished.session() as session:
        create(session)
    before = contents_of(finished)
    for taken in (None, FOLDER, FOLDER / "ramsey", PATH):
        with pytest.raises(PathExistsError, match="another path"):
            finished.trash.restore(entry, to=taken)
    with pytest.raises(PathIsSequenceError):
        finished.trash.restore(entry, to=FOLDER / "ramsey" / "x")
    with pytest.raises(PathIsRootError):
        finished.trash.restore(entry, to="\\")
    for wrong in (r"\ x", r"\a\\b", "\\" + "x" * 300):
        with pytest.raises(InvalidPathFormatError):
            finished.trash.restore(entry, to=wrong)
    assert contents_of(finished) == before
    assert finished.trash.entries() == [entry]


@pytest.mark.parametrize("unknown", ["", "..", "../..", "20260101T000000.000000Z-abcdef", "x/y"])
def test_an_entry_that_is_not_there_is_told(finished: HDF5StorageManager, unknown: str) -> None:
    delete(finished)
    (entry,) = finished.trash.entries()
    finished.trash.restore(entry)
    for gone in (entry, entry.id, unknown):
        with pytest.raises(StorageError, match="no entry"):
            finished.trash.restore(gone)


def test_an_entry_that_was_damaged_harms_nobody(finished: HDF5StorageManager) -> None:
    delete(finished)
    delete(finished, FOLDER / "ramsey")
    trash = finished.root / ".shotstore" / "trash"
    first, second = finished.trash.entries()
    (trash / first.id / "entry.json").write_bytes(b"{")
    (trash / "somebody's").mkdir()
    (trash / "a file").write_text("somebody's")
    assert [entry.id for entry in finished.trash.entries()] == [second.id]
    finished.trash.restore(second)
    finished.trash.empty()
    assert (trash / "somebody's").is_dir()


# Emptying


def size(root: Path) -> int:
    return sum(file.stat().st_size for file in root.rglob("*") if file.is_file())


def test_emptying_the_trash_gives_the_disk_space_back(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\kept"))
    before = size(storage.root)
    with storage.session() as session:
        launch(session)
        record(session, data={"noise": "x" * 3_000_000})
        finish(session)
    delete(storage, FOLDER)
    assert size(storage.root) > before + 3_000_000
    entries = storage.trash.entries()
    assert storage.trash.empty() == entries
    assert storage.trash.entries() == []
    assert size(storage.root) < before + 5000
    with storage.session() as session:
        assert session.paths.get_all_paths() == {path(r"\kept")}


def test_only_what_is_old_enough_is_removed(finished: HDF5StorageManager) -> None:
    delete(finished)
    assert finished.trash.empty(older_than=timedelta(days=1)) == []
    assert len(finished.trash.entries()) == 1
    assert len(finished.trash.empty(older_than=timedelta(0))) == 1


class Clock:
    """The clock of a machine, which somebody sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = datetime.now(UTC)
        monkeypatch.setattr(time_in_trash, "now", lambda: self.time)

    def pass_by(self, root: Path, *, days: float, retention: int = 30) -> list[str]:
        """Somebody starts a program that writes, so much later; return what is in the trash."""
        self.time += timedelta(days=days)
        storage = HDF5StorageManager(root, trash_retention=timedelta(days=retention))
        with storage.session() as session:
            note = session.sequences.get_note(path(r"\kept"))
            session.sequences.set_note(path(r"\kept"), note + "x")
        return [str(entry.path) for entry in storage.trash.entries()]


@pytest.fixture
def clock(finished: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of a machine with a store, where a sequence was deleted and another is kept."""
    with finished.session() as session:
        create(session, path(r"\kept"))
    delete(finished)
    clock = Clock(monkeypatch)
    assert clock.pass_by(finished.root, days=0) == [str(PATH)]
    return clock


def say_that_it_was_deleted(storage: HDF5StorageManager, time: datetime) -> None:
    (entry,) = storage.trash.entries()
    file = storage.trash.directory / entry.id / "entry.json"
    keys = documents.load("trash entry", file.read_bytes(), file)
    file.write_bytes(documents.dump("trash entry", {**keys, "deleted": dump_time(time)}))


def test_what_is_older_than_the_retention_is_removed(
    finished: HDF5StorageManager, clock: Clock
) -> None:
    for _ in range(29):
        assert clock.pass_by(finished.root, days=1) == [str(PATH)]
    assert clock.pass_by(finished.root, days=1) == []


def test_a_program_that_runs_for_weeks_removes_what_is_old(
    finished: HDF5StorageManager, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 0.0
    monkeypatch.setattr("shotstore.hdf5.trash.monotonic", lambda: seconds)
    storage = HDF5StorageManager(finished.root, trash_retention=timedelta(days=3))
    for day in range(3):
        assert len(storage.trash.entries()) == 1
        clock.time += timedelta(days=1)
        seconds += 86400
        with storage.session() as session:
            session.sequences.set_note(path(r"\kept"), f"day {day}")
    assert storage.trash.entries() == []


@pytest.mark.parametrize("days", [31, 400, 30_000])
def test_a_clock_that_is_ahead_for_one_start_does_not_empty_the_trash(
    finished: HDF5StorageManager, clock: Clock, days: int
) -> None:
    assert clock.pass_by(finished.root, days=days) == [str(PATH)]
    assert clock.pass_by(finished.root, days=-days) == [str(PATH)]
    assert clock.pass_by(finished.root, days=1) == [str(PATH)]


@pytest.mark.parametrize("year", [1970, 2155])
def test_what_was_deleted_by_a_wrong_clock_is_not_removed_unasked(
    finished: HDF5StorageManager, clock: Clock, year: int
) -> None:
    say_that_it_was_deleted(finished, datetime(year, 1, 1, tzinfo=UTC))
    for _ in range(5):
        assert clock.pass_by(finished.root, days=1, retention=2) == [str(PATH)]
    assert len(finished.trash.empty()) == 1


def test_a_clock_that_was_wrong_when_the_store_last_saw_it_counts_as_a_day(
    finished: HDF5StorageManager, clock: Clock
) -> None:
    assert clock.pass_by(finished.root, days=-20_000) == [str(PATH)]
    assert clock.pass_by(finished.root, days=20_000, retention=2) == [str(PATH)]


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": "shotstore trash clock"}'])
def test_what_the_store_has_seen_of_time_may_be_lost(
    finished: HDF5StorageManager, clock: Clock, content: bytes
) -> None:
    (finished.root / time_in_trash.SEEN).write_bytes(content)
    assert clock.pass_by(finished.root, days=1, retention=1) == [str(PATH)]
    assert clock.pass_by(finished.root, days=1, retention=1) == []


def test_who_only_reads_removes_nothing(finished: HDF5StorageManager) -> None:
    delete(finished)
    before = sorted(finished.root.rglob("*"))
    for read_only in (False, True):
        storage = HDF5StorageManager(
            finished.root, read_only=read_only, trash_retention=timedelta(0)
        )
        contents_of(storage)
        assert len(storage.trash.entries()) == 1
    assert sorted(finished.root.rglob("*")) == before


def test_opening_a_store_does_not_wait_for_a_writer_to_clean_up(
    finished: HDF5StorageManager,
) -> None:
    delete(finished)
    with finished.session(write=True) as session:
        HDF5StorageManager(finished.root, trash_retention=timedelta(0), lock_timeout=1000)
        create(session, path(r"\new"))
    assert len(finished.trash.entries()) == 1


@pytest.mark.parametrize("span", [timedelta.max, timedelta(days=99_999_999)])
def test_time_spans_may_be_of_any_length(finished: HDF5StorageManager, span: timedelta) -> None:
    delete(finished)
    storage = HDF5StorageManager(finished.root, trash_retention=span)
    with storage.session() as session:
        create(session, path(r"\new"))
    assert storage.trash.empty(older_than=span) == []
    assert len(storage.trash.entries()) == 1


@pytest.mark.parametrize("what", ["entry.json", "content", "content/shots.h5", "."])
def test_an_entry_that_cannot_be_read_is_in_nobodys_way(
    finished: HDF5StorageManager, what: str
) -> None:
    delete(finished)
    delete(finished, FOLDER / "ramsey")
    first, second = finished.trash.entries()
    place = finished.trash.directory / first.id
    with ordinary_user(finished.root), mode(place / what, 0):
        storage = HDF5StorageManager(finished.root)
        assert second.id in [entry.id for entry in storage.trash.entries()]
        assert storage.trash.restore(second) == second.path
        with storage.session() as session:
            session.paths.delete_path(FOLDER, delete_sequences=True)


def test_what_belongs_to_another_user_stays_in_the_trash(finished: HDF5StorageManager) -> None:
    delete(finished)
    delete(finished, FOLDER / "ramsey")
    first, second = finished.trash.entries()
    kept = finished.trash.directory / first.id
    with ordinary_user(finished.root), mode(kept / "content", 0o555):
        storage = HDF5StorageManager(finished.root)
        assert storage.trash.empty() == [second]
        assert storage.trash.empty() == []
        assert storage.trash.entries() == [first]
        assert (kept / "content" / "shots.h5").is_file()
    assert finished.trash.empty() == [first]


def test_what_was_removed_is_told_where_the_disk_fails_afterwards(
    finished: HDF5StorageManager,
) -> None:
    delete(finished)
    entries = finished.trash.entries()

    def fail(operation: disk.Operation) -> None:
        if operation.kind == "unlink" and operation.path.endswith("shots.h5"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)

    with failing(fail):
        assert finished.trash.empty() == entries
        assert finished.trash.entries() == []
    with finished.session() as session:
        create(session, path(r"\new"))
    assert [*(finished.root / ".shotstore" / "tx").iterdir()] == []


def test_a_negative_retention_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="trash_retention"):
        HDF5StorageManager(tmp_path / "store", trash_retention=timedelta(seconds=-1))


def test_the_trash_is_not_emptied_or_restored_from_beside_a_writer(
    finished: HDF5StorageManager,
) -> None:
    delete(finished)
    (entry,) = finished.trash.entries()
    impatient = HDF5StorageManager(finished.root, lock_timeout=0)
    with finished.session(write=True):
        with pytest.raises(StorageLockTimeoutError):
            impatient.trash.empty()
        with pytest.raises(StorageLockTimeoutError):
            impatient.trash.restore(entry)
        assert impatient.trash.entries() == [entry]
    assert impatient.trash.restore(entry) == PATH


def test_the_trash_of_a_read_only_store_can_be_listed_and_no_more(
    finished: HDF5StorageManager,
) -> None:
    delete(finished)
    archive = HDF5StorageManager(finished.root, read_only=True, trash_retention=timedelta(0))
    (entry,) = archive.trash.entries()
    with pytest.raises(StorageError, match="read_only=True"):
        archive.trash.restore(entry)
    with pytest.raises(StorageError, match="read_only=True"):
        archive.trash.empty()
    assert len(finished.trash.entries()) == 1


def test_an_entry_of_the_trash_can_be_read_and_copied_by_hand(
    finished: HDF5StorageManager, tmp_path: Path
) -> None:
    before = contents_of(finished)[str(PATH)]
    delete(finished)
    (entry,) = finished.trash.entries()
    copied = tmp_path / "rabi"
    shutil.copytree(finished.root / ".shotstore" / "trash" / entry.id / "content", copied)
    with HDF5StorageManager(copied, read_only=True).session() as session:
        assert content(session)[r"\rabi"]["shots"] == before["shots"]


def test_a_session_reads_on_in_what_was_deleted_and_emptied(finished: HDF5StorageManager) -> None:
    expected = contents_of(finished)[str(PATH)]
    with finished.session() as session:
        assert session.sequences.get_state(PATH) is State.FINISHED
        delete(finished, FOLDER)
        assert len(finished.trash.empty()) == 1
        assert session.sequences.get_shot_parameters(PATH, 0) == expected["shots"][0][2]
        assert session.sequences.get_all_shot_data(PATH, 0) == expected["shots"][0][3]
        assert session.sequences.get_device_configurations(PATH) == expected["devices"]


def test_nothing_comes_back_beside_a_name_that_differs_in_case_only(
    finished: HDF5StorageManager,
) -> None:
    with finished.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
        create(session, path(r"\2026\RABI"))
    (entry,) = finished.trash.entries()
    before = contents_of(finished)
    with pytest.raises(PathExistsError, match=r"\\2026\\RABI"):
        finished.trash.restore(entry)
    assert contents_of(finished) == before
    assert finished.trash.entries() == [entry]
    finished.trash.restore(entry, to="2026/rabi again")
    with finished.session() as session:
        assert len(session.sequences.get_shots(path(r"\2026\rabi again"))) > 0


def test_what_a_killed_program_was_bringing_back_is_not_removed(
    finished: HDF5StorageManager,
) -> None:
    delete(finished)
    (entry,) = finished.trash.entries()
    other = HDF5StorageManager(finished.root, serializer=serializer())
    bystander = HDF5StorageManager(finished.root)
    moment = CommitMoment()

    def fail(operation: disk.Operation) -> None:
        if moment.note(operation):
            raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)

    disk.observe = fail
    try:
        with pytest.raises(CommitUncertainError):
            other.trash.restore(entry)
    finally:
        disk.observe = None
    bystander.trash.remove_expired(timedelta(0))
    with finished.session() as session:
        assert len(session.sequences.get_shots(PATH)) > 0
    assert finished.trash.entries() == []


def test_the_trash_is_listed_while_it_is_emptied(
    finished: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete(finished)
    measure = on_disk.size_of_tree

    def empty_and_measure(directory: str) -> int:
        monkeypatch.undo()
        HDF5StorageManager(finished.root).trash.empty()
        return measure(directory)

    monkeypatch.setattr(on_disk, "size_of_tree", empty_and_measure)
    assert finished.trash.entries() == []
