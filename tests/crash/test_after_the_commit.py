"""From the commit on nothing is discarded, whatever fails, and nothing needs space."""

import errno
import os
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from shotstore.hdf5 import HDF5StorageManager, lock_files
from shotstore.hdf5.disk import Operation
from tests.commit_moment import CommitMoment
from tests.crash.explore import work_on
from tests.crash.logical import contents
from tests.crash.scenarios import FINISHED, RUNNING, populate, shoot
from tests.crash.test_faults import failing, same_but_times
from tests.crash.transactions import TRANSACTIONS, prepare

BLOCK = 4096
REFUSED_TIMES = 3
OF_ALL_KINDS = [
    "later shot",
    "several sequences",
    "shoot, finish and reset",
    "swap",
    "restore from trash",
    "empty trash",
    "recover",
    "copy files from another store",
]


class FullDisk:
    """Has no space left from the commit on: no file, no directory, and no block can be added."""

    def __init__(self, storage: HDF5StorageManager) -> None:
        self.commit = CommitMoment()
        self._log = str(storage.root / ".shotstore" / "log")

    def __call__(self, operation: Operation) -> None:
        # Sequences that come in are made in a store aside.
        is_of_another = operation.path.endswith("/log") and operation.path != self._log
        is_committed = self.commit.has_come if is_of_another else self.commit.note(operation)
        if is_committed and self._needs_space(operation):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), operation.path)

    def _needs_space(self, operation: Operation) -> bool:
        if operation.path.endswith("writer.json"):
            return False  # of the next session
        if operation.kind == "write":
            blocks = -(-Path(operation.path).stat().st_size // BLOCK)
            return operation.offset + len(operation.data) > blocks * BLOCK
        return operation.kind in ("create", "mkdir")


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    (tmp_path / "disk").mkdir()
    storage = HDF5StorageManager(tmp_path / "disk" / "store")
    populate(storage)
    return storage


@pytest.fixture
def done(name: str, tmp_path: Path) -> dict[str, Any]:
    """What a store holds after the transaction."""
    (tmp_path / "example").mkdir()
    example = HDF5StorageManager(tmp_path / "example" / "store")
    populate(example)
    act = TRANSACTIONS[name]
    prepare(act, example)
    act(example)
    return contents(example)


def prepared(name: str, storage: HDF5StorageManager) -> Callable[[HDF5StorageManager], object]:
    act = TRANSACTIONS[name]
    if not (storage.root.parent.parent / "other").exists():
        prepare(act, storage)
    return act


@pytest.mark.parametrize("name", TRANSACTIONS)
def test_nothing_after_the_commit_needs_space(
    name: str, storage: HDF5StorageManager, done: dict[str, Any]
) -> None:
    act = prepared(name, storage)
    with failing(full_disk := FullDisk(storage)):
        act(storage)
        found = contents(storage)
    assert full_disk.commit.has_come or name == "empty trash"
    assert same_but_times(found, done)


@pytest.mark.parametrize("name", ["later shot", "swap", "several sequences"])
def test_a_lock_that_fails_to_be_released_loses_nothing(
    name: str, storage: HDF5StorageManager, done: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unlock = lock_files.release_lock
    commit = CommitMoment()

    def fail(*arguments: Any) -> None:
        if commit.has_come:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        unlock(*arguments)

    with failing(commit.note), monkeypatch.context() as patch:
        patch.setattr(lock_files, "release_lock", fail)
        TRANSACTIONS[name](storage)
    assert same_but_times(contents(storage), done)
    assert same_but_times(contents(HDF5StorageManager(storage.root)), done)
    assert storage.verify().findings == []
    work_on(storage)


class Scanner:
    """Holds every file and directory for a moment when it is about to be used, as a virus scanner
    does on Windows."""

    def __init__(self) -> None:
        self.refused: Counter[tuple[str, ...]] = Counter()

    def change(self, operation: Operation) -> None:
        if operation.kind not in ("write", "sync"):
            self._refuse(operation.kind, operation.path, operation.destination)

    def open(self, path: str) -> None:
        self._refuse("open", path, "")

    def _refuse(self, *use: str) -> None:
        if self.refused[use] < REFUSED_TIMES:
            self.refused[use] += 1
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), use[1])

    def at_work(self) -> AbstractContextManager[None]:
        return failing(self.change, self.open)


@pytest.mark.parametrize("name", OF_ALL_KINDS)
def test_a_passing_refusal_of_every_operation_is_not_noticed(
    name: str, storage: HDF5StorageManager, done: dict[str, Any]
) -> None:
    act = prepared(name, storage)
    with (scanner := Scanner()).at_work():
        act(storage)
        found = contents(HDF5StorageManager(storage.root))
    assert same_but_times(found, done)
    expected = {"open"} if name == "later shot" else {"open", "rename"}
    assert expected <= {kind for kind, *_ in scanner.refused}


def test_a_passing_refusal_of_every_operation_does_not_keep_a_store_from_being_made(
    tmp_path: Path,
) -> None:
    with (scanner := Scanner()).at_work():
        storage = HDF5StorageManager(tmp_path / "new" / "store")
        populate(storage)
        storage.trash.empty()
        assert RUNNING in storage.session().__enter__().paths.get_all_paths()
    assert {kind for kind, *_ in scanner.refused} == {
        "open",
        "create",
        "truncate",
        "mkdir",
        "rename",
        "unlink",
        "rmdir",
        "sync names",
    }


def test_a_passing_refusal_of_every_operation_is_not_noticed_in_a_recovery(
    storage: HDF5StorageManager,
) -> None:
    for index in (3, 4):
        commit = CommitMoment()

        def stop(operation: Operation, commit: CommitMoment = commit) -> None:
            if commit.note(operation):
                raise OSError(errno.EIO, "stopped", operation.path)

        with failing(stop), pytest.raises(Exception, match="stopped"), storage.session() as session:
            shoot(RUNNING, index)(session)
        with Scanner().at_work(), HDF5StorageManager(storage.root).session() as session:
            assert len(session.sequences.get_shots(RUNNING)) == index + 1


def test_a_refusal_that_stays_is_an_error_that_names_the_file(
    storage: HDF5StorageManager,
) -> None:
    before = contents(storage)

    def refuse(operation: Operation) -> None:
        if operation.path.endswith("/log"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), operation.path)

    with (
        failing(refuse),
        pytest.raises(PermissionError, match=r"\.shotstore/log"),
        storage.session() as session,
    ):
        shoot(RUNNING, 3)(session)
    assert contents(storage) == before
    work_on(storage)


def test_what_a_killed_program_has_renamed_is_made_durable_by_who_finishes(
    storage: HDF5StorageManager,
) -> None:
    document = storage.root / "sequences" / "2026" / "finished" / "sequence.json"
    is_dead = False

    def die(operation: Operation) -> None:
        nonlocal is_dead
        if is_dead:
            raise OSError(errno.EIO, os.strerror(errno.EIO), operation.path)
        is_dead = operation.destination == str(document)

    with failing(die), storage.session() as session:
        session.sequences.set_tags(FINISHED, ["new"])
    synced: list[str] = []

    def note(operation: Operation) -> None:
        if operation.kind == "sync names":
            synced.append(operation.path)

    with failing(note), HDF5StorageManager(storage.root).session() as session:
        assert session.sequences.get_tags(FINISHED) == {"new"}
    assert str(document.parent) in synced
