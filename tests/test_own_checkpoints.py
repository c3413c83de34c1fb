"""What an earlier test has left does nothing while another one watches the disk."""

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shotstore.hdf5 import HDF5StorageManager, disk, dropped, membership
from shotstore.testing.experiments import launch, path, record
from shotstore.testing.lab import serializer
from tests.checkpoints import close_storages
from tests.open_files import count_data_files, needs_descriptors
from tests.processes.children import run_interpreter

OTHER = path(r"\other")


def leave_open(root: Path) -> object:
    storage = HDF5StorageManager(root, serializer=serializer())
    with storage.session() as session:
        launch(session, shots=None)
    with storage.session() as session:
        record(session)
    return storage


def drop_in_a_cycle(root: Path) -> None:
    cycle = [leave_open(root)]
    cycle.append(cycle)


def leave_in_a_session(root: Path) -> object:
    storage = leave_open(root)
    assert isinstance(storage, HDF5StorageManager)
    session = storage.session()
    session.__enter__()
    launch(session, OTHER, shots=None)
    record(session, OTHER)
    return session


def waiting_for_a_pause() -> list[threading.Thread]:
    """The threads that make checkpoints; the others of ours wait for work for ever."""
    ours = [thread for thread in threading.enumerate() if thread.name == "shotstore"]
    plain = [thread for thread in ours if type(thread) is threading.Thread]
    return [thread for thread in plain if thread not in dropped._threads.values()]


@pytest.fixture
def _no_collection() -> Iterator[None]:
    """A cycle is not found by chance."""
    gc.disable()
    yield
    gc.enable()


@needs_descriptors
@pytest.mark.usefixtures("_no_collection")
@pytest.mark.parametrize("has_pauses", [True])
@pytest.mark.parametrize("leave", [leave_open, drop_in_a_cycle, leave_in_a_session])
def test_what_an_earlier_test_has_left_changes_nothing_and_has_no_file_open(
    leave: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = count_data_files()
    monkeypatch.setattr(membership, "_PAUSE", 0.3)
    left = leave(tmp_path / "store")
    close_storages()  # as after each test
    assert count_data_files() == before
    changes: list[disk.Operation] = []
    monkeypatch.setattr(disk, "observe", changes.append)
    for thread in waiting_for_a_pause():
        thread.join()
    del left
    gc.collect()
    dropped.settle(60)
    assert changes == []


def wait_for_ever() -> None:
    dropped.settle(threading.TIMEOUT_MAX)


def test_where_no_storage_was_opened_nothing_is_waited_for() -> None:
    assert run_interpreter(wait_for_ever) == ""
