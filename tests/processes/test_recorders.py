"""Programs that record a run: killed, forked, and seen by others."""

import os
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from shotstore import State, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ExecuteShot, LinspaceLoop, StepsConfiguration
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing.experiments import PATH
from tests.processes.children import Child

RECIPE = StepsConfiguration([LinspaceLoop("x", "0", "1", 6, [ExecuteShot()])])


@pytest.fixture(params=["files", "sqlite"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> StorageManager:
    if request.param == "files":
        return HDF5StorageManager(tmp_path / "store")
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"))
    database.upgrade()
    return database


def record(parent: Connection, storage: StorageManager) -> None:
    """The whole of a control program, which tells each shot that it has saved and waits for word
    before the next one."""
    with storage.record(PATH, RECIPE, resume=True) as run:
        for _ in run:
            parent.send(run.save(x=1).index)
            parent.recv()


def look(storage: StorageManager) -> tuple[State, str | None, int]:
    with storage.session() as session:
        stats = session.sequences.get_stats(PATH)
    return stats.state, stats.recorder, stats.number_completed_shots


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_killed_recorder_is_seen_to_be_gone_and_the_same_program_goes_on(
    storage: StorageManager,
) -> None:
    with Child(record, storage) as child:
        assert child.hear() == 0
        child.tell()
        assert child.hear() == 1
        assert look(storage) == (State.RUNNING, "alive", 2)
        child.kill()
    assert look(storage) == (State.RUNNING, "gone", 2)
    with Child(record, storage) as child:
        for index in range(2, 6):
            assert child.hear() == index
            assert look(storage) == (State.RUNNING, "alive", index + 1)
            child.tell()
        child.finish()
    assert look(storage) == (State.FINISHED, None, 6)


@pytest.mark.skipif(os.name == "nt", reason="ends a process at once there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_that_is_told_to_end_interrupts_its_run(
    storage: StorageManager, number: int
) -> None:
    with Child(record, storage) as child:
        assert child.hear() == 0
        os.kill(child.pid, number)
        with pytest.raises(EOFError):
            child.hear()
    assert look(storage) == (State.INTERRUPTED, None, 1)


def record_and_fork(parent: Connection, storage: StorageManager) -> None:
    with storage.record(PATH, RECIPE) as run:
        run.save(x=1)
        forked = os.fork()
        if not forked:
            time.sleep(1000)
        parent.send(forked)
        parent.recv()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_recorder_is_gone_even_if_a_child_of_it_lives(storage: StorageManager) -> None:
    with Child(record_and_fork, storage) as child:
        forked = child.hear()
        try:
            assert look(storage) == (State.RUNNING, "alive", 1)
            child.kill()
            assert look(storage) == (State.RUNNING, "gone", 1)
        finally:
            os.kill(forked, signal.SIGKILL)


def test_what_recorders_that_are_gone_have_left_is_removed(tmp_path: Path) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    with Child(record, storage) as child:
        child.hear()
    left = list((tmp_path / "store/.shotstore/recorders").iterdir())
    assert len(left) == 1
    with storage.record(PATH, RECIPE, resume=True) as run:
        (ours,) = (tmp_path / "store/.shotstore/recorders").iterdir()
        assert ours not in left
        for _ in run:
            run.save(x=1)
    assert not list((tmp_path / "store/.shotstore/recorders").iterdir())
    assert storage.verify().findings == []


def test_an_archive_does_not_tell_of_recorders(tmp_path: Path) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    with storage.record(PATH, RECIPE) as run:
        run.save(x=1)
        archive = HDF5StorageManager(tmp_path / "store/sequences", read_only=True)
        assert look(archive) == (State.RUNNING, None, 1)
        reader = HDF5StorageManager(tmp_path / "store", read_only=True)
        assert look(reader) == (State.RUNNING, "alive", 1)
        with pytest.raises(Exception, match="read_only=True"):
            reader.record(PATH, RECIPE, resume=True).__enter__()
