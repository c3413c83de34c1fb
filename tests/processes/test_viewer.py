"""Plain h5py, with its default locking, looks at the shots while they are recorded and read."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import h5py
import pytest

from shotstore.hdf5 import HDF5StorageManager, disk
from tests.processes import shots
from tests.processes.children import Child, listening
from tests.processes.viewers import Notebook, OtherProgram, Viewer

both_places = pytest.mark.parametrize("place", [Notebook, OtherProgram])
both_modes = pytest.mark.parametrize("mode", ["r", "r+"])

OPERATIONS = 40
"""More than recording a shot needs."""


@pytest.fixture
def has_pauses() -> bool:
    """Checkpoints are not made in pauses: what is done to the disk is counted."""
    return False


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    """A storage with a running sequence that has three shots."""
    storage = HDF5StorageManager(tmp_path / "store")
    shots.launched(storage)
    for index in range(3):
        shots.recorded(storage, index)
    return storage


@contextmanager
def at_operation(number: int, action: Callable[[], object]) -> Iterator[None]:
    """Do something just before the block changes the disk for the ``number``-th time, or after the
    block if it does not so often. A native call from inside HDF5 waits for the next chance."""
    counter = itertools.count()
    is_done = False

    def observe(_: disk.Operation) -> None:
        nonlocal is_done
        if next(counter) >= number and not is_done and not h5py._objects.phil._is_owned():
            is_done = True
            action()

    disk.observe = observe
    try:
        yield
    finally:
        disk.observe = None
    if not is_done:
        action()


def check_newest(storage: HDF5StorageManager, number: int) -> None:
    with storage.session() as session:
        assert shots.indices(session) == list(range(number))
        shots.check(session, number - 1)


def check_everything(storage: HDF5StorageManager, number: int) -> None:
    assert shots.read_all(storage) == list(range(number))
    with h5py.File(shots.shots_file(storage.root)) as file:
        assert shots.read_natively(file) == list(range(number))


@both_places
@both_modes
def test_a_viewer_that_stays_stops_nobody(
    storage: HDF5StorageManager, place: Callable[[Path], Viewer], mode: str
) -> None:
    with place(shots.shots_file(storage.root)) as viewer:
        assert viewer.open(mode) is None
        assert viewer.read() == [0, 1, 2]
        for index in range(3, 12):
            shots.recorded(storage, index)
            check_newest(storage, index + 1)
        if mode == "r+":  # it keeps its old file
            assert viewer.read() == [0, 1, 2]
        viewer.close()
        check_everything(storage, 12)
        shots.recorded(storage, 12)
        assert viewer.open(mode) is None
        assert viewer.read() == list(range(13))
    check_everything(storage, 13)


@both_places
@both_modes
def test_a_viewer_that_comes_and_goes_at_any_moment_of_a_commit_stops_nobody(
    storage: HDF5StorageManager, place: Callable[[Path], Viewer], mode: str
) -> None:
    number = 3
    with place(shots.shots_file(storage.root)) as viewer:
        for moment in range(OPERATIONS):
            for when, action in (
                (moment, lambda: viewer.open(mode)),
                (moment * 7 % OPERATIONS, viewer.close),
            ):
                with at_operation(when, action):
                    shots.recorded(storage, number)
                number += 1
                check_newest(storage, number)
    check_everything(storage, number)


@both_places
@both_modes
def test_a_viewer_may_come_and_go_while_a_session_has_shots_to_commit(
    storage: HDF5StorageManager, place: Callable[[Path], Viewer], mode: str
) -> None:
    number = 3
    with place(shots.shots_file(storage.root)) as viewer:
        for opens_at, closes_at in itertools.combinations_with_replacement(range(4), 2):
            with storage.session() as session:
                for step in range(4):
                    if step == opens_at:
                        viewer.open(mode)
                    if step == closes_at:
                        viewer.close()
                    if step < 3:
                        shots.record(session, number)
                        shots.check(session, number)
                        number += 1
            check_newest(storage, number)
    check_everything(storage, number)


@both_places
def test_writing_natively_is_refused_while_a_session_writes_the_same_file(
    storage: HDF5StorageManager, place: Callable[[Path], Viewer]
) -> None:
    with place(shots.shots_file(storage.root)) as viewer:
        with storage.session() as session:
            shots.record(session, 3)
            assert viewer.open("r+") == "BlockingIOError"
            assert viewer.open("r") is None
            assert viewer.read() == [0, 1, 2]
            viewer.close()
        assert viewer.open("r+") is None
        assert viewer.read() == [0, 1, 2, 3]
    check_everything(storage, 4)


@both_places
def test_a_session_that_reads_is_in_nobodys_way(
    storage: HDF5StorageManager, place: Callable[[Path], Viewer]
) -> None:
    with place(shots.shots_file(storage.root)) as viewer, storage.session() as session:
        assert shots.check_all(session) == [0, 1, 2]
        assert viewer.open("r+") is None
        assert shots.check_all(session) == [0, 1, 2]
        shots.recorded(storage, 3)
        viewer.close()
        assert shots.check_all(session) == [0, 1, 2]
    check_everything(storage, 4)


def test_two_native_handles_of_a_notebook_and_our_sessions_do_not_meet(
    storage: HDF5StorageManager,
) -> None:
    path = shots.shots_file(storage.root)
    for options in ({}, {"libver": "latest"}, {"locking": False}, {"driver": "stdio"}):
        number = len(shots.read_all(storage))
        with h5py.File(path, **options) as first, storage.session() as session:
            shots.record(session, number)
            with h5py.File(path, **options) as second:
                assert shots.read_natively(first) == shots.read_natively(second)
            shots.check(session, number)
            frames = first["data/frame"]
        assert not frames
        check_newest(storage, number + 1)
    check_everything(storage, 7)


def test_a_native_handle_may_be_written_to_and_flushed_beside_a_commit(
    storage: HDF5StorageManager,
) -> None:
    with h5py.File(shots.shots_file(storage.root), "r+") as file:
        with storage.session() as session:
            shots.record(session, 3)
            file.attrs["note"] = "too late: the session goes on with a copy"
            file.flush()
        shots.recorded(storage, 4)
    check_everything(storage, 5)


def come_and_go(parent: Connection, path: Path, mode: str) -> None:
    with Notebook(path) as viewer:
        assert viewer.open(mode) is None
        parent.send("came")
        viewer.close()
        while listening(parent):
            if viewer.open(mode) is None:
                with suppress(Exception):  # it may fail, in the instant of a commit
                    viewer.read()
                viewer.close()


@both_modes
def test_a_viewer_that_comes_and_goes_all_the_time_stops_nobody(
    storage: HDF5StorageManager, mode: str
) -> None:
    with Child(come_and_go, shots.shots_file(storage.root), mode) as viewer:
        assert viewer.hear() == "came"
        for index in range(3, 60):
            shots.recorded(storage, index)
            check_newest(storage, index + 1)
        viewer.tell("enough")
        viewer.finish()
    check_everything(storage, 60)


def test_a_viewer_killed_with_the_file_open_for_writing_leaves_no_trace(
    storage: HDF5StorageManager,
) -> None:
    with OtherProgram(shots.shots_file(storage.root)) as viewer:
        assert viewer.open("r+") is None
        shots.recorded(storage, 3)
        viewer.close()
        assert viewer.open("r+") is None
        viewer.kill()
    check_everything(storage, 4)
    shots.recorded(storage, 4)
    check_everything(storage, 5)
