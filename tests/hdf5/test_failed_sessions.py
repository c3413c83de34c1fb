"""A session that fails leaves everything as it was, byte for byte."""

import os
import resource
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from shotstore import ShotId, State, StorageManager, TransactionConflictError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ParameterNamespace
from shotstore.testing.behaviours.failures import (
    FOLDER,
    OPERATIONS,
    REFUSED,
    TOGETHER,
    Operation,
    fill,
    sequence_in,
)
from shotstore.testing.content import content, reopened
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, START, bring_to, create, path, record, relaunch
from shotstore.testing.lab import serializer
from tests.checkpoints import close_dropped_storages
from tests.open_files import count_data_files, descriptors

OF_NO_CONTENT = {"commits", "writer.json", "write.lock", "gate.lock", "apply.lock"}


def files(root: Path) -> dict[str, bytes | None]:
    """All files of a store with their content, and all directories, but for locks and counters."""
    return {
        str(found.relative_to(root)): None if found.is_dir() else found.read_bytes()
        for found in root.rglob("*")
        if found.name not in OF_NO_CONTENT
    }


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a sequence in each state, a folder, devices, parameters, and some trash."""
    storage = HDF5StorageManager(tmp_path_factory.mktemp("store"), serializer=serializer())
    fill(storage)
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
    return storage.root


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> HDF5StorageManager:
    """A storage of its own for each test."""
    shutil.copytree(template, tmp_path / "store")
    return HDF5StorageManager(tmp_path / "store", serializer=serializer())


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_operation_that_is_not_committed_changes_no_byte(
    filled: HDF5StorageManager, kind: str
) -> None:
    before = files(filled.root)
    with filled.session() as session:
        expected = content(session)

    def fail() -> None:
        with filled.session() as session:
            OPERATIONS[kind](session)
            assert content(session) != expected
            raise RuntimeError("the laser is off")

    with pytest.raises(RuntimeError, match="the laser"):
        fail()
    assert files(filled.root) == before
    with filled.session() as session:
        assert content(session) == expected
        OPERATIONS[kind](session)  # and it can be done after all
        changed = content(session)
    with filled.session() as session:
        assert exactly_equal(content(session), changed)


def test_many_operations_together_change_no_byte_if_not_committed(
    filled: HDF5StorageManager,
) -> None:
    before = files(filled.root)

    def fail() -> None:
        with filled.session() as session:
            for kind in TOGETHER:
                OPERATIONS[kind](session)
            raise RuntimeError("the laser is off")

    with pytest.raises(RuntimeError, match="the laser"):
        fail()
    assert files(filled.root) == before


LABEL_TOO_LONG: dict[str, Operation] = {
    "a shot with a label too long": lambda s: record(
        s, sequence_in(State.RUNNING), 1, {}, {"a": np.ones(9), "x" * 10**6: 1}
    ),
}


@pytest.mark.parametrize("kind", REFUSED | LABEL_TOO_LONG)
def test_a_refused_call_changes_no_byte(filled: HDF5StorageManager, kind: str) -> None:
    before = files(filled.root)
    with filled.session() as session:
        expected = content(session)
    with filled.session() as session:
        with pytest.raises((RuntimeError, ValueError, TypeError, KeyError)):
            (REFUSED | LABEL_TOO_LONG)[kind](session)
        assert content(session) == expected
    assert files(filled.root) == before


def test_a_session_that_only_reads_changes_no_byte(filled: HDF5StorageManager) -> None:
    before = files(filled.root)
    commits = (filled.root / ".shotstore" / "commits").read_bytes()
    with filled.session() as session:
        content(session)
    with filled.session(write=True) as session:
        content(session)
    assert files(filled.root) == before
    assert (filled.root / ".shotstore" / "commits").read_bytes() == commits


def test_a_session_that_undoes_what_it_did_leaves_the_same_paths(
    filled: HDF5StorageManager,
) -> None:
    before = files(filled.root)
    with filled.session() as session:
        create(session, path(r"\new\sequence"))
        session.paths.delete_path(path(r"\new"), delete_sequences=True)
        session.paths.move(FOLDER, path(r"\x"))
        session.paths.move(path(r"\x"), FOLDER)
    assert files(filled.root) == before


def test_a_session_in_conflict_changes_no_byte(filled: HDF5StorageManager) -> None:
    running = sequence_in(State.RUNNING)
    with filled.session() as late:
        assert len(late.sequences.get_shots(running)) == 1
        with filled.session() as other:
            record(other, running, 1)
        before = files(filled.root)
        for operation in (OPERATIONS["creating a folder"], OPERATIONS["setting parameters"]):
            with pytest.raises(TransactionConflictError):
                operation(late)
    assert files(filled.root) == before


@contextmanager
def no_file_longer_than(length: int) -> Iterator[None]:
    """Let the system refuse to write further, as it does when the disk or the quota is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _record_beyond_the_limit(storage: StorageManager, frames: int) -> None:
    running = sequence_in(State.RUNNING)
    with storage.session() as session:
        for index in range(1, frames + 1):
            record(session, running, index, {}, {"frame": np.ones((500, 500)) * index})


@pytest.mark.parametrize("frames", [1, 3])
def test_a_full_disk_changes_no_byte(filled: HDF5StorageManager, frames: int) -> None:
    # The first frame does not fit, or the third one.
    before = files(filled.root)
    with (
        no_file_longer_than(2_000_000 * (frames - 1) + 500_000),
        pytest.raises(OSError, match="File too large"),
    ):
        _record_beyond_the_limit(filled, frames)
    assert files(filled.root) == before
    _record_beyond_the_limit(filled, frames)
    with filled.session() as session:
        found = session.sequences.get_all_shot_data(sequence_in(State.RUNNING), frames)
        np.testing.assert_array_equal(found["frame"], np.ones((500, 500)) * frames)


def test_a_disk_too_full_for_a_document_changes_no_byte(filled: HDF5StorageManager) -> None:
    before = files(filled.root)
    big = ParameterNamespace.from_mapping({f"p{number}": "1" for number in range(10_000)})

    def write() -> None:
        with filled.session() as session:
            record(session, sequence_in(State.RUNNING), 1)
            session.paths.move(FOLDER, path(r"\x"))
            session.set_global_parameters(big)

    with no_file_longer_than(100_000), pytest.raises(OSError, match="File too large"):
        write()
    assert files(filled.root) == before
    write()


def test_failed_sessions_leave_no_file_open(filled: HDF5StorageManager) -> None:
    def fail(operation: Operation) -> None:
        with filled.session() as session:
            content(session)
            operation(session)
            raise RuntimeError("the laser is off")

    close_dropped_storages()
    filled.close()
    before, data_files = descriptors(), count_data_files()
    for operation in OPERATIONS.values():
        with pytest.raises(RuntimeError, match="the laser"):
            fail(operation)
    assert count_data_files() == data_files
    filled.close()
    assert descriptors() == before


def test_the_file_that_is_recorded_into_is_open_until_the_sequence_ends(
    filled: HDF5StorageManager,
) -> None:
    running = sequence_in(State.RUNNING)
    close_dropped_storages()
    before = count_data_files()
    for index in (5, 6):
        with filled.session() as session:
            record(session, running, index)
        assert count_data_files() == before + 1
    with filled.session() as session:
        session.sequences.set_interrupted(running, "now")
    assert count_data_files() == before


def test_a_storage_that_is_dropped_closes_the_file_it_records_into(
    filled: HDF5StorageManager,
) -> None:
    close_dropped_storages()
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208
    storage = reopened(filled)
    with storage.session() as session:
        record(session, sequence_in(State.RUNNING), 5)
    del storage, session
    close_dropped_storages()
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_an_interrupt_comes_through_and_changes_no_byte(filled: HDF5StorageManager) -> None:
    before = files(filled.root)
    running = sequence_in(State.RUNNING)
    recording = threading.Event()

    def interrupt() -> None:
        recording.wait()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def record_for_ever() -> None:
        with filled.session() as session:
            session.sequences.set_finished(running, "now")
            create(session, path(r"\new"), shots=None)
            relaunch(session, path(r"\new"))
            for index in range(10_000):  # or until the interrupt comes
                shot = ShotId(path(r"\new"), index)
                session.sequences.create_shot(shot, {}, {"x": np.ones(1000)}, START, START)
                recording.set()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        record_for_ever()
    thread.join()
    assert files(filled.root) == before
    _record_beyond_the_limit(filled, 1)
