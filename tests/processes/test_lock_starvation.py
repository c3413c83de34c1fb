"""Readers in a tight loop keep no writer out, and a busy writer no reader."""

import contextlib
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from shotstore import StorageLockTimeoutError
from shotstore.hdf5 import HDF5StorageManager
from tests.processes import shots
from tests.processes.children import PATIENCE, Child, listening
from tests.processes.test_two_writers import stop_while_reading

COMMITS = 40


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    storage = HDF5StorageManager(tmp_path / "store", lock_timeout=PATIENCE)
    shots.launched(storage)
    shots.recorded(storage, 0)
    return storage


def read_all_the_time(parent: Connection, storage: HDF5StorageManager) -> None:
    seen = 0
    while listening(parent):
        with storage.session() as session:
            found = len(shots.indices(session))
            shots.check(session, found - 1)
        assert found >= seen
        if not seen:
            parent.send("reads")
        seen = found


def write_all_the_time(parent: Connection, storage: HDF5StorageManager) -> None:
    index = 1
    while listening(parent):
        shots.recorded(storage, index)
        if index == 1:
            parent.send("writes")
        index += 1


def test_many_reading_processes_keep_no_writer_out(storage: HDF5StorageManager) -> None:
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(Child(read_all_the_time, storage)) for _ in range(5)]
        assert [reader.hear() for reader in readers] == ["reads"] * 5
        for index in range(1, COMMITS):
            shots.recorded(storage, index)
        assert all(reader.is_alive() for reader in readers)
        for reader in readers:
            reader.tell("enough")
            reader.finish()
    assert shots.read_all(storage) == list(range(COMMITS))


def test_many_reading_threads_keep_no_writer_out(storage: HDF5StorageManager) -> None:
    stop = threading.Event()
    started = threading.Barrier(6)
    ended_well: list[int] = []

    def read() -> None:
        started.wait()
        seen = 0
        while not stop.is_set():
            with storage.session() as session:
                found = len(shots.indices(session))
                shots.check(session, found - 1)
            assert found >= seen
            seen = found
        ended_well.append(seen)

    readers = [threading.Thread(target=read) for _ in range(5)]
    for reader in readers:
        reader.start()
    started.wait()
    try:
        for index in range(1, COMMITS):
            shots.recorded(storage, index)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert len(ended_well) == 5
    assert shots.read_all(storage) == list(range(COMMITS))


def record_one(parent: Connection, storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        shots.record(session, 1)
        parent.send("commits")


def read_often(storage: HDF5StorageManager) -> None:
    for _ in range(5000):
        with storage.session() as session:
            session.get_global_parameters()


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_writer_that_waits_is_let_in_before_readers_that_come_later(
    storage: HDF5StorageManager,
) -> None:
    hasty = HDF5StorageManager(storage.root, lock_timeout=0)
    with Child(stop_while_reading, storage.root) as reader:
        assert reader.hear() == "stops"
        with Child(record_one, storage) as writer:
            assert writer.hear() == "commits"
            with pytest.raises(StorageLockTimeoutError):  # once the writer has begun to wait
                read_often(hasty)
            assert writer.is_alive()
            reader.resume()
            writer.finish()
        assert reader.hear() == [0]
    assert shots.read_all(storage) == [0, 1]


def test_a_busy_writer_keeps_no_reader_out(storage: HDF5StorageManager) -> None:
    with Child(write_all_the_time, storage) as writer:
        assert writer.hear() == "writes"
        seen = 0
        for _ in range(COMMITS):
            with storage.session() as session:
                found = shots.indices(session)
                shots.check(session, found[-1])
            assert len(found) >= seen
            seen = len(found)
        assert writer.is_alive()
        writer.tell("enough")
        writer.finish()
    assert len(shots.read_all(storage)) >= seen
