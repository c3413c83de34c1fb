"""The log grows where commits come without a pause, if the disk has space."""

import errno

import pytest

from shotstore.hdf5 import HDF5StorageManager, disk, rounds
from shotstore.hdf5.log.log_file import LARGEST, SMALLEST, START
from shotstore.testing.content import reopened
from shotstore.testing.experiments import indices, launch, record


def _record(storage: HDF5StorageManager, first: int, count: int) -> None:
    for index in range(first, first + count):
        with storage.session() as session:
            record(session, index=index)


@pytest.fixture
def running(storage: HDF5StorageManager) -> HDF5StorageManager:
    with storage.session() as session:
        launch(session, shots=None)
    return storage


def test_it_grows_where_there_is_no_pause(running: HDF5StorageManager) -> None:
    log = running.root / ".shotstore" / "log"
    assert log.stat().st_size == SMALLEST
    _record(running, 0, 30)
    assert SMALLEST < log.stat().st_size <= LARGEST


def test_without_space_to_grow_it_goes_on_as_it_is(
    running: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = running.root / ".shotstore" / "log"
    refused = 0

    def observe(operation: disk.Operation) -> None:
        nonlocal refused
        if operation.path == str(log) and operation.offset + len(operation.data) > SMALLEST:
            refused += 1
            raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr(disk, "observe", observe)
    _record(running, 0, 30)
    assert refused
    assert log.stat().st_size == SMALLEST
    with reopened(running).session() as session:
        assert indices(session) == [*range(30)]


def test_it_is_made_shorter_when_nothing_in_it_is_needed(
    running: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = running.root / ".shotstore" / "log"
    _record(running, 0, 30)
    assert log.stat().st_size > SMALLEST
    monkeypatch.setattr(rounds, "LARGEST", SMALLEST)
    steps: list[str] = []

    def observe(operation: disk.Operation) -> None:
        if operation.path == str(log):
            steps.append(f"{operation.kind} {'header' if operation.offset < START else ''}")

    monkeypatch.setattr(disk, "observe", observe)
    running.close()
    assert log.stat().st_size == SMALLEST
    headers = [step.startswith("write header") for step in steps]
    assert headers.index(True) < [step.split()[0] for step in steps].index("truncate")
