"""A recorder that is killed with SIGKILL, anywhere, loses nothing that it was told is stored."""

import itertools
import os
import random
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import h5py
import pytest

from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.log.counter import Counter
from tests.commit_moment import CommitMoment
from tests.processes import shots
from tests.processes.children import PATIENCE, Child
from tests.processes.viewers import Notebook, OtherProgram, Viewer

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")

OPERATIONS = 20
"""More than recording a shot into datasets that are there needs."""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shots.launched(HDF5StorageManager(tmp_path / "store"))
    return tmp_path / "store"


def die_at(is_the_moment: Callable[[disk.Operation], bool]) -> None:
    """Let this process be killed just before a change of the disk."""

    def observe(operation: disk.Operation) -> None:
        if is_the_moment(operation):
            os.kill(os.getpid(), signal.SIGKILL)

    disk.observe = observe


def record(parent: Connection, store: Path, last_operation: int | None) -> None:
    """Record shots, acknowledging each, until killed."""
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    with storage.session() as session:
        first = len(shots.indices(session))
    if last_operation is not None:
        counter = itertools.count()
        die_at(lambda _: next(counter) == last_operation)
    for index in itertools.count(first):
        shots.recorded(storage, index)
        parent.send(index)


def record_half(_: Connection, store: Path) -> None:
    """Commit a shot, and be killed before the file is touched that it goes to."""
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    with storage.session() as session:
        index = len(shots.indices(session))
    die_at(CommitMoment().note)
    shots.recorded(storage, index)


def recover(_: Connection, store: Path, last_operation: int) -> None:
    """Read, and be killed meanwhile if so many changes of the disk are made."""
    counter = itertools.count()
    die_at(lambda _: next(counter) == last_operation)
    shots.read_all(HDF5StorageManager(store, lock_timeout=PATIENCE))
    os.kill(os.getpid(), signal.SIGKILL)


def read(parent: Connection, store: Path) -> None:
    parent.send("ready")
    parent.recv()
    parent.send(shots.read_all(HDF5StorageManager(store)))


def is_unfinished(store: Path) -> bool:
    """Whether somebody was killed between a commit and carrying it out."""
    return Counter(store / ".shotstore" / "commits").read().is_unfinished


def read_natively(store: Path) -> list[int]:
    with h5py.File(shots.shots_file(store)) as file:
        return shots.read_natively(file)


def check_after_kill(store: Path, acknowledged: int) -> int:
    """All shots that were acknowledged are there, and at most one more; return how many."""
    whole = [list(range(acknowledged)), list(range(acknowledged + 1))]
    if not is_unfinished(store):  # or the file may be half-changed until it is finished
        assert read_natively(store) in whole
    storage = HDF5StorageManager(store, lock_timeout=0)
    with storage.session() as session:
        found = shots.indices(session)
        assert found in whole
        for index in {*found[-3:], *found[::8]}:
            shots.check(session, index)
    assert read_natively(store) == found
    assert not is_unfinished(store)
    shots.recorded(storage, len(found))
    assert read_natively(store) == list(range(len(found) + 1))
    assert not any((store / ".shotstore" / "tx").iterdir())
    return len(found) + 1


def killed(store: Path, recorder: Child, number: int) -> int:
    """Wait for a recorder to be killed that began when there were so many shots."""
    recorder.wait_for_death()
    return check_after_kill(store, max([number - 1, *recorder.hear_all()]) + 1)


def test_killed_before_any_operation_of_a_commit(store: Path) -> None:
    number = 0
    for operation in range(OPERATIONS + 5):
        with Child(record, store, operation) as recorder:
            number = killed(store, recorder, number)
    assert shots.read_all(HDF5StorageManager(store)) == list(range(number))


def test_killed_before_any_operation_of_the_first_commit(tmp_path: Path) -> None:
    for operation in range(0, 60, 3):
        store = tmp_path / f"store {operation}"
        shots.launched(HDF5StorageManager(store))
        with Child(record, store, operation) as recorder:
            killed(store, recorder, 0)


def test_killed_right_after_an_acknowledgment(store: Path) -> None:
    moments = random.Random(1)
    number = 0
    for _ in range(15):
        with Child(record, store, None) as recorder:
            for _ in range(moments.randint(1, 3)):
                heard = recorder.hear()
            recorder.kill()
            number = killed(store, recorder, heard + 1)
    assert shots.read_all(HDF5StorageManager(store)) == list(range(number))


def test_killed_in_recovery_again_and_again(store: Path) -> None:
    number = 0
    for operation in itertools.count():
        with Child(record_half, store) as recorder:
            recorder.wait_for_death()
        assert is_unfinished(store)
        for _ in range(2):
            with Child(recover, store, operation) as reader:
                reader.wait_for_death()
        is_over = not is_unfinished(store)
        number = check_after_kill(store, number + 1)
        if is_over:
            break
    assert operation >= 4


def test_the_transaction_of_a_killed_writer_is_finished_by_many_at_once(store: Path) -> None:
    number = 0
    for _ in range(5):
        with Child(record_half, store) as recorder:
            recorder.wait_for_death()
        assert is_unfinished(store)
        number += 1
        with Child(read, store) as one, Child(read, store) as two, Child(read, store) as three:
            readers = [one, two, three]
            assert [reader.hear() for reader in readers] == ["ready"] * 3
            for reader in readers:
                reader.tell("go")
            assert [reader.hear() for reader in readers] == [list(range(number))] * 3
        number = check_after_kill(store, number)


@pytest.mark.parametrize("place", [Notebook, OtherProgram])
@pytest.mark.parametrize("mode", ["r", "r+"])
def test_a_viewer_is_there_while_the_transaction_of_a_killed_writer_is_finished(
    store: Path, place: Callable[[Path], Viewer], mode: str
) -> None:
    shots.recorded(HDF5StorageManager(store), 0)
    with Child(record_half, store) as recorder:
        recorder.wait_for_death()
    assert is_unfinished(store)
    with place(shots.shots_file(store)) as viewer:
        assert viewer.open(mode) is None
        assert shots.read_all(HDF5StorageManager(store)) == [0, 1]
        viewer.close()
        assert shots.read_all(HDF5StorageManager(store)) == [0, 1]
        assert viewer.open("r") is None
        assert viewer.read() == [0, 1]


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_a_viewer_looks_before_the_transaction_of_a_killed_writer_is_finished(
    store: Path, mode: str
) -> None:
    shots.recorded(HDF5StorageManager(store), 0)
    with Child(record_half, store) as recorder:
        recorder.wait_for_death()
    assert is_unfinished(store)
    with h5py.File(shots.shots_file(store), mode) as file:
        assert shots.read_natively(file) == [0]
    # Closing a file that was open for writing, HDF5 cuts off what the committed end leaves out. The
    # log has it.
    assert check_after_kill(store, 2) == 3
