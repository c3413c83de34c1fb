"""One process records, another one follows: no shot is missed or repeated, and nobody waits."""

import os
import signal
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.session import following
from tests.processes import shots
from tests.processes.children import PATIENCE, Child
from tests.processes.shots import RUN
from tests.processes.test_killed_writer import is_unfinished, record, record_half
from tests.processes.test_reader_beside_recorder import record_all

needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shots.launched(HDF5StorageManager(tmp_path / "store"))
    return tmp_path / "store"


@pytest.mark.parametrize("read_only", [False, True])
def test_a_recorder_is_followed_shot_by_shot(store: Path, read_only: bool) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE, read_only=read_only)
    count = 100
    with Child(record_all, store, count) as recorder:
        found = []
        for shot in storage.follow(RUN, poll=0.001):
            shots.check(shot.sequence.session, shot.index)
            found.append(shot.index)
        recorder.finish()
    assert found == list(range(count))


def follow_to_the_end(parent: Connection, store: Path) -> None:
    """Tell of the first wait, and of all shots."""
    wait = following.wait

    def tell(poll: float) -> None:
        following.wait = wait
        parent.send("waits")
        wait(poll)

    following.wait = tell
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    parent.send([shot.index for shot in storage.follow(RUN, poll=0.001)])


def test_many_followers_see_the_same(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    with Child(follow_to_the_end, store) as one, Child(follow_to_the_end, store) as two:
        for child in (one, two):
            assert child.hear() == "waits"
        for index in range(20):
            shots.recorded(storage, index)
        with storage.session() as session:
            session.sequences.set_finished(RUN, "now")
        for child in (one, two):
            assert child.hear() == list(range(20))
            child.finish()


def stop_while_waiting(parent: Connection, store: Path) -> None:
    """Follow; be stopped at the first wait, and in the middle of the first shot."""

    wait = following.wait

    def stop(poll: float) -> None:  # noqa: ARG001 - as it is called
        following.wait = wait
        parent.send("waits")
        os.kill(os.getpid(), signal.SIGSTOP)

    following.wait = stop
    found: list[int] = []
    for shot in HDF5StorageManager(store, lock_timeout=PATIENCE).follow(RUN):
        shots.check(shot.sequence.session, shot.index)
        if not found:
            parent.send("shows")
            os.kill(os.getpid(), signal.SIGSTOP)
        found.append(shot.index)
    parent.send(found)


@needs_signals
def test_a_follower_that_is_stopped_keeps_no_recorder_waiting(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=0)
    with Child(stop_while_waiting, store) as follower:
        assert follower.hear() == "waits"
        for index in range(10):
            shots.recorded(storage, index)
        follower.resume()
        assert follower.hear() == "shows"
        for index in range(10, 20):
            shots.recorded(storage, index)
        with storage.session() as session:
            session.sequences.set_finished(RUN, "now")
        follower.resume()
        assert follower.hear() == list(range(20))
        follower.finish()


@needs_signals
def test_a_recorder_that_is_killed_is_followed_by_its_successor(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    followed = storage.follow(RUN, poll=0.001)
    found = []
    for operation in (40, 55, 70):
        with Child(record, store, operation) as recorder:
            found.append(next(followed).index)
            recorder.wait_for_death()
    with storage.session() as session:
        session.sequences.set_interrupted(RUN, "now")
    found += [shot.index for shot in followed]
    assert found == shots.read_all(storage) == list(range(len(found)))


@needs_signals
def test_a_commit_that_a_killed_recorder_has_not_finished_is_followed(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    followed = storage.follow(RUN, poll=0.001)
    for index in range(3):
        with Child(record_half, store) as recorder:
            recorder.wait_for_death()
        assert is_unfinished(store)
        assert next(followed).index == index
