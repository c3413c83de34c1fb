"""`os.fork` while a session is open: the parent goes on, and the child changes nothing of it."""

import gc
import os
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import h5py
import numpy as np
import pytest

from shotstore import (
    ExperimentSession,
    PureSequencePath,
    ShotId,
    StorageError,
    StorageLockTimeoutError,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import START
from tests.processes import shots
from tests.processes.children import Child, run_interpreter

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

OTHER = PureSequencePath(r"\2026\other")

both_kinds = pytest.mark.parametrize("kind", ["reading", "writing"])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with a running sequence that has three shots."""
    storage = HDF5StorageManager(tmp_path / "store")
    shots.launched(storage)
    for index in range(3):
        shots.recorded(storage, index)
    return tmp_path / "store"


def check_is_free(store: Path, number: int) -> int:
    """So many shots are there, and no lock is held; return how many are there then."""
    storage = HDF5StorageManager(store, lock_timeout=0)
    assert shots.read_all(storage) == list(range(number))
    with storage.session() as session:
        assert session.paths.does_path_exists(OTHER) == (number > 5)
        if number > 5:
            trace = session.sequences.get_all_shot_data(OTHER, 0)["trace"]
            np.testing.assert_array_equal(trace, np.arange(2_000_000))
    shots.recorded(storage, number)
    with h5py.File(shots.shots_file(store), "r+") as file:
        assert shots.read_natively(file) == list(range(number + 1))
    return number + 1


def begin(session: ExperimentSession, kind: str) -> None:
    assert shots.check_all(session) == [0, 1, 2]
    if kind == "writing":
        shots.record(session, 3)
        shots.record(session, 4)
        shots.launch(session, OTHER)
        # So large that HDF5 writes it at once.
        data = {"trace": np.arange(2_000_000)}
        session.sequences.create_shot(ShotId(OTHER, 0), {}, data, START, START)


def go_on(session: ExperimentSession, kind: str) -> None:
    if kind == "writing":
        shots.record(session, 5)
        assert shots.check_all(session) == [0, 1, 2, 3, 4, 5]
        session.sequences.set_finished(OTHER, "now")
    else:
        assert shots.check_all(session) == [0, 1, 2]


def use_inherited(session: ExperimentSession) -> None:
    with pytest.raises(StorageError, match="forked"):
        shots.indices(session)
    with pytest.raises(StorageError, match="forked"):
        shots.record(session, 9)


def reap(pid: int) -> None:
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == 0, status


def fork_and_wait(_: Connection | None, store: Path, kind: str, end: str) -> None:
    """The child ends first, by leaving the block in some way."""
    storage = HDF5StorageManager(store, lock_timeout=0.05)
    pid = -1
    try:
        with storage.session() as session:
            begin(session, kind)
            pid = os.fork()
            if pid:
                reap(pid)
                go_on(session, kind)
            else:
                use_inherited(session)
                assert shots.read_all(storage) == [0, 1, 2]
                if kind == "reading":
                    shots.recorded(storage, 3)
                else:
                    with pytest.raises(StorageLockTimeoutError, match=f"process {os.getppid()} "):
                        shots.recorded(storage, 3)
                if end == "raise":
                    raise KeyError(end)
                if end == "exit at once":
                    os._exit(0)
                if end == "exit":
                    sys.exit(0)
    except (KeyError, StorageError) as error:
        is_as_expected = pid == 0 and (end if end == "raise" else "forked") in str(error)
        del session, error
        gc.collect()
        os._exit(not is_as_expected)


@both_kinds
@pytest.mark.parametrize("end", ["leave", "raise", "exit at once"])
def test_a_forked_child_that_ends_first_changes_nothing(store: Path, kind: str, end: str) -> None:
    with Child(fork_and_wait, store, kind, end) as process:
        process.finish()
    check_is_free(store, 6 if kind == "writing" else 4)


@both_kinds
def test_a_forked_child_that_exits_changes_nothing(store: Path, kind: str) -> None:
    run_interpreter(fork_and_wait, None, store, kind, "exit")
    check_is_free(store, 6 if kind == "writing" else 4)


def fork_and_exit(parent: Connection, store: Path, kind: str, end: str) -> None:
    """The child stays, is told when to go on, and leaves the block in some way."""
    storage = HDF5StorageManager(store)
    process = os.getpid()
    try:
        with storage.session() as session:
            begin(session, kind)
            if os.fork():
                if end == "parent is killed":
                    os.kill(process, signal.SIGKILL)
                go_on(session, kind)
                return
            parent.recv()
            use_inherited(session)
            if end == "raise":
                raise KeyError(end)
    except (KeyError, StorageError) as error:
        if os.getpid() == process or (end if end == "raise" else "forked") not in str(error):
            raise
        del session, error
        gc.collect()
        parent.send(shots.read_all(storage))
        shots.recorded(storage, len(shots.read_all(storage)))
        parent.send("recorded")
        os._exit(0)


@both_kinds
@pytest.mark.parametrize("end", ["leave", "raise", "parent is killed"])
def test_a_forked_child_that_stays_holds_no_lock_and_changes_nothing(
    store: Path, kind: str, end: str
) -> None:
    with Child(fork_and_exit, store, kind, end) as process:
        if end == "parent is killed":
            process.wait_for_death()
        else:
            process.finish()
        number = check_is_free(store, 6 if kind == "writing" and "killed" not in end else 3)
        process.tell("go on")
        assert process.hear() == list(range(number))
        assert process.hear() == "recorded"
    check_is_free(store, number + 1)


def fork_often(parent: Connection, store: Path) -> None:
    storage = HDF5StorageManager(store)
    stop = threading.Event()

    def record() -> None:
        index = 3
        while not stop.is_set():
            shots.recorded(storage, index)
            index += 1

    recorder = threading.Thread(target=record)
    recorder.start()
    for _ in range(30):
        pid = os.fork()
        if not pid:
            with storage.session() as session:
                number = len(shots.indices(session))
                shots.check(session, number - 1)
            parent.send(number)
            os._exit(0)
        reap(pid)
    stop.set()
    recorder.join()
    parent.send(shots.read_all(storage))


def test_a_process_may_fork_while_another_thread_records(store: Path) -> None:
    with Child(fork_often, store) as process:
        seen = [process.hear() for _ in range(30)]
        assert seen == sorted(seen)
        recorded = process.hear()
        process.finish()
    assert shots.read_all(HDF5StorageManager(store, lock_timeout=0)) == recorded
    assert recorded == list(range(len(recorded)))
    assert len(recorded) >= seen[-1]
