"""When what was committed is durable in the files, so that they need no log: in the first pause,
where a sequence ends, and when a storage is closed, dropped, or left at the end of a program."""

import shutil
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import pytest

from shotstore import CommitUncertainError, State
from shotstore.hdf5 import HDF5StorageManager, disk, locks, membership
from shotstore.hdf5.log.log_file import LogFile
from shotstore.hdf5.rounds import Rounds
from shotstore.testing.content import content
from shotstore.testing.experiments import (
    PATH,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from shotstore.testing.lab import serializer
from tests.checkpoints import close_dropped_storages, without_pauses
from tests.open_files import descriptors, needs_descriptors
from tests.processes.children import run_interpreter

OTHER = path(r"\other")


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    """A storage with a running sequence."""
    storage = open_store(tmp_path / "store")
    with without_pauses(), storage.session() as session:
        launch(session, shots=None)
    storage.close()
    return storage


def open_store(root: Path, **arguments: Any) -> HDF5StorageManager:
    return HDF5StorageManager(root, serializer=serializer(), **arguments)


def shoot(storage: HDF5StorageManager, index: int, sequence: Any = PATH) -> None:
    with storage.session() as session:
        record(session, sequence, index, data={"x": index / 2})


def recorded(storage: HDF5StorageManager, sequence: Any = PATH) -> list[int]:
    with storage.session() as session:
        return [shot.index for shot in session.sequences.get_shots(sequence)]


def records(root: Path) -> int:
    """How many records the log holds."""
    with closing(LogFile(root / ".shotstore" / "log")) as log:
        log.read_header("r")
        return len(log.entries())


def contents_without_log(storage: HDF5StorageManager, copy: Path) -> Any:
    """What a copy of the files holds that has no log."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(storage.root, copy)
    (copy / ".shotstore" / "log").unlink()
    again = open_store(copy)
    with again.session() as session:
        found = content(session)
    assert again.verify().findings == []
    again.close()
    return found


def contents(storage: HDF5StorageManager) -> Any:
    with storage.session() as session:
        return content(session)


def test_until_a_pause_the_log_holds_what_was_committed(storage: HDF5StorageManager) -> None:
    for index in range(3):
        shoot(storage, index)
    assert records(storage.root) == 3


@pytest.mark.parametrize("has_pauses", [True])
def test_in_the_first_pause_there_is_a_checkpoint(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_done = threading.Event()
    checkpoint = Rounds.checkpoint

    def note(rounds: Rounds, **arguments: Any) -> None:
        checkpoint(rounds, **arguments)
        is_done.set()

    monkeypatch.setattr(membership, "_PAUSE", 0.001)
    monkeypatch.setattr(Rounds, "checkpoint", note)
    hasty = open_store(storage.root)
    for index in range(3):
        is_done.clear()
        shoot(hasty, index)
        assert is_done.wait(60)
        with storage.session(write=True):  # nobody else has the lock any more
            assert records(storage.root) == 0
    assert recorded(storage) == [0, 1, 2]


@pytest.mark.parametrize("end", ["close", "drop", "end of a sequence", "move"])
def test_afterwards_the_files_need_no_log(
    storage: HDF5StorageManager, tmp_path: Path, end: str
) -> None:
    used = open_store(storage.root)
    for index in range(5):
        shoot(used, index)
    with used.session() as session:
        create(session, path(r"\2026\draft"))
        session.sequences.set_note(PATH, "seen")
    assert records(storage.root) == 6
    match end:
        case "close":
            used.close()
        case "drop":
            del used, session
            close_dropped_storages()
        case "end of a sequence":
            with used.session() as session:
                finish(session)
        case "move":
            with used.session() as session:
                session.paths.move(path(r"\2026\draft"), OTHER)
    assert records(storage.root) == 0
    expected = contents(storage)
    assert contents_without_log(storage, tmp_path / "copy") == expected
    with h5py.File(storage.get_directory(PATH) / "shots.h5") as file:
        assert file["shots"]["shot_index"].tolist() == [0, 1, 2, 3, 4]
        assert file["scalars"]["x"][:5].tolist() == [0, 0.5, 1, 1.5, 2]


def record_some(root: Path) -> None:
    with without_pauses():
        storage = open_store(root)
        for index in range(3):
            shoot(storage, index)
    assert records(root) == 3


def test_at_the_end_of_a_program_there_is_a_checkpoint(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    assert run_interpreter(record_some, storage.root) == ""
    assert records(storage.root) == 0
    assert recorded(storage) == [0, 1, 2]
    assert contents_without_log(storage, tmp_path / "copy") == contents(storage)


def test_a_closed_storage_can_be_used_further(storage: HDF5StorageManager) -> None:
    for index in range(3):
        shoot(storage, index)
        storage.close()
        assert records(storage.root) == 0
        assert recorded(storage) == list(range(index + 1))
        storage.close()
        storage.close()


@needs_descriptors
@pytest.mark.parametrize("kind", ["writing", "reading", "failed"])
def test_a_closed_storage_has_no_file_open(storage: HDF5StorageManager, kind: str) -> None:
    close_dropped_storages()
    shoot(storage, 0)  # threads and libraries have what they keep
    storage.close()
    before = descriptors()
    used = open_store(storage.root, read_only=kind == "reading")
    if kind != "reading":
        shoot(used, 1)
    if kind == "failed":
        fail_after_the_commit(used)
    assert recorded(used)
    used.close()
    assert descriptors() == before
    assert recorded(used)
    if kind != "reading":
        assert descriptors() > before
    used.close()
    assert descriptors() == before


def fail_after_the_commit(storage: HDF5StorageManager) -> None:
    def fail(operation: disk.Operation) -> None:
        if operation.kind == "sync":
            raise OSError(5, "Input/output error")

    disk.observe = fail
    try:
        with pytest.raises(CommitUncertainError):
            shoot(storage, 2)
    finally:
        disk.observe = None


# Beside others


def test_storages_that_commit_in_turn_make_each_others_records_durable(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    other = open_store(storage.root)
    with storage.session() as session:
        launch(session, OTHER, shots=None)
    for index in range(3):
        shoot((storage, other)[index % 2], index)
        shoot((other, storage)[index % 2], index, OTHER)
    assert records(storage.root) == 6
    synced: set[str] = set()
    disk.observe = lambda each: synced.add(each.path) if each.kind == "sync" else None
    try:
        other.close()
    finally:
        disk.observe = None
    assert records(storage.root) == 0
    assert {str(storage.get_directory(each) / "shots.h5") for each in (PATH, OTHER)} <= synced
    expected = contents(storage)
    assert contents_without_log(storage, tmp_path / "copy") == expected
    shoot(storage, 3)  # to a log that was begun anew
    assert records(storage.root) == 1
    assert recorded(other) == [0, 1, 2, 3]


def test_a_checkpoint_waits_for_no_session_for_longer_than_a_moment(
    storage: HDF5StorageManager,
) -> None:
    other = open_store(storage.root)
    shoot(other, 0)
    with storage.session(write=True) as session:
        other.close()
        assert records(storage.root) == 1
        record(session, index=1)
    assert recorded(storage) == [0, 1]
    storage.close()
    assert records(storage.root) == 0


def test_a_session_that_waits_for_nobody_waits_for_a_checkpoint(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_in, is_waited_for = threading.Event(), threading.Event()
    checkpoint, is_held = Rounds.checkpoint, locks.Locks._is_held_for_a_moment

    def slow(rounds: Rounds, **arguments: Any) -> None:
        is_in.set()
        assert is_waited_for.wait(60)
        checkpoint(rounds, **arguments)

    def note(each: locks.Locks) -> bool:
        is_waited_for.set()
        return is_held(each)

    monkeypatch.setattr(locks.Locks, "_is_held_for_a_moment", note)
    impatient = open_store(storage.root, lock_timeout=0)
    shoot(storage, 0)
    with monkeypatch.context() as patch:
        patch.setattr(Rounds, "checkpoint", slow)
        closing_thread = threading.Thread(target=storage.close)
        closing_thread.start()
        assert is_in.wait(60)
        shoot(impatient, 1)
    closing_thread.join()
    assert recorded(impatient) == [0, 1]


# Who is alone


def lost_power(storage: HDF5StorageManager, copy: Path) -> Path:
    """A copy of the store in which the files have nothing of what was committed since it was
    closed, and nothing tells of that."""
    control = copy / ".shotstore"
    for name in ("log", "commits"):
        shutil.copy(storage.root / ".shotstore" / name, control / name)
    return copy


def act_and_lose(
    storage: HDF5StorageManager, copy: Path, act: Callable[[HDF5StorageManager], object]
) -> Path:
    storage.close()
    shutil.copytree(storage.root, copy)
    act(storage)
    return lost_power(storage, copy)


def shoot_some(storage: HDF5StorageManager) -> None:
    for index in range(3):
        shoot(storage, index)
    with storage.session() as session:
        create(session, path(r"\2026\draft"))
        session.sequences.set_note(PATH, "seen")


@pytest.mark.parametrize("read_only", [False, True])
def test_who_opens_a_store_alone_finds_what_a_power_loss_has_taken_back(
    storage: HDF5StorageManager, tmp_path: Path, read_only: bool
) -> None:
    left = act_and_lose(storage, tmp_path / "left", shoot_some)
    opened = open_store(left, read_only=read_only)
    assert contents(opened) == contents(storage)
    assert (records(left) == 0) is not read_only
    assert [each for each in opened.verify().findings if each.severity == "damage"] == []
    # And the next one too.
    assert contents(open_store(left)) == contents(storage)
    assert records(left) == 0


def test_who_opens_a_store_that_somebody_uses_does_not_touch_the_log(
    storage: HDF5StorageManager,
) -> None:
    shoot(storage, 0)
    changes: list[disk.Operation] = []
    disk.observe = changes.append
    try:
        others = [open_store(storage.root), open_store(storage.root, read_only=True)]
        assert [recorded(other) for other in others] == [[0], [0]]
    finally:
        disk.observe = None
    ours = [each for each in changes if each.path.startswith(str(storage.root))]
    assert [each for each in ours if not each.path.endswith("writer.json")] == []
    assert records(storage.root) == 1


def test_a_reader_alone_leaves_the_log_to_who_may_write(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    left = act_and_lose(storage, tmp_path / "left", shoot_some)
    reader = open_store(left, read_only=True)
    assert recorded(reader) == [0, 1, 2]
    writer = open_store(left)
    shoot(writer, 3)
    assert recorded(reader) == [0, 1, 2, 3]
    with writer.session() as session:
        finish(session)
    with reader.session() as session:
        assert session.sequences.get_state(PATH) is State.FINISHED
        assert len(session.sequences.get_shots(PATH)) == 4


@pytest.mark.parametrize("state", State)
def test_every_state_comes_back_after_a_power_loss(
    storage: HDF5StorageManager, tmp_path: Path, state: State
) -> None:
    left = act_and_lose(
        storage,
        tmp_path / "left",
        lambda each: bring(each, state),
    )
    if records(left):  # what stands alone in the log was durable at once
        opened = open_store(left)
        assert contents(opened) == contents(storage)


def bring(storage: HDF5StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state, OTHER)
