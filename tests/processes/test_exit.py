"""A program that ends with sessions open, or with threads that record and read, ends in peace."""

import errno
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import pytest

from shotstore import DamagedStorageError
from shotstore.hdf5 import HDF5StorageManager, disk, on_disk
from tests.processes import shots
from tests.processes.children import run_interpreter

kept: list[object] = []


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    storage = HDF5StorageManager(tmp_path / "store", lock_timeout=5)
    shots.launched(storage)
    shots.recorded(storage, 0)
    return storage


def keep_a_session(storage: HDF5StorageManager) -> None:
    session = storage.session()
    session.__enter__()
    shots.record(session, 1)
    shots.check(session, 1)
    kept.append(session)


def litter_a_session(storage: HDF5StorageManager) -> None:
    gc.disable()
    session = storage.session()
    session.__enter__()
    shots.record(session, 1)
    shots.check(session, 1)
    cycle: list[object] = [session]
    cycle.append(cycle)


def keep_a_generator(storage: HDF5StorageManager) -> None:
    def suspended() -> Iterator[None]:
        with storage.session() as session:
            shots.record(session, 1)
            shots.check(session, 0)
            yield

    generator = suspended()
    next(generator)
    kept.append(generator)


def exit_in_the_block(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        shots.record(session, 1)
        sys.exit()


def exit_while_a_thread_is_inside_hdf5(storage: HDF5StorageManager) -> None:
    is_inside, is_over = threading.Event(), threading.Event()

    def observe(_: disk.Operation) -> None:
        if h5py._objects.phil._is_owned():
            is_inside.set()
            is_over.wait(0.3)  # so long that the program ends meanwhile, if it can

    disk.observe = observe
    threading.Thread(target=shots.recorded, args=(storage, 1), daemon=True).start()
    is_inside.wait()


def exit_while_a_thread_waits_for_a_lock(storage: HDF5StorageManager) -> None:
    session = storage.session(write=True)
    session.__enter__()
    kept.append(session)
    begins = threading.Event()

    def wait() -> None:
        begins.set()
        shots.recorded(HDF5StorageManager(storage.root, lock_timeout=1e9), 1)

    threading.Thread(target=wait, daemon=True).start()
    begins.wait()


def exit_while_a_thread_reads(storage: HDF5StorageManager) -> None:
    has_read = threading.Event()

    def read() -> None:
        while True:
            shots.read_all(storage)
            has_read.set()

    threading.Thread(target=read, daemon=True).start()
    has_read.wait()


def exit_after_the_disk_has_failed(storage: HDF5StorageManager) -> None:
    left = 0

    def observe(path: str) -> None:
        nonlocal left
        if path.endswith("shots.h5"):
            left -= 1
            if left <= 0:
                raise OSError(errno.EIO, "the disk fails")

    on_disk.observe_reading = observe
    for at in range(1, 5):  # while the file is opened
        storage.close()
        left = at
        try:
            shots.read_all(storage)
        except DamagedStorageError as error:
            kept.append(error)
    on_disk.observe_reading = None
    assert len(kept) == 4, kept


@pytest.mark.parametrize(
    "program",
    [
        keep_a_session,
        litter_a_session,
        keep_a_generator,
        exit_in_the_block,
        exit_while_a_thread_is_inside_hdf5,
        exit_while_a_thread_waits_for_a_lock,
        exit_while_a_thread_reads,
        exit_after_the_disk_has_failed,
    ],
)
def test_a_program_ends_in_peace(
    storage: HDF5StorageManager, program: Callable[[HDF5StorageManager], None]
) -> None:
    assert run_interpreter(program, storage) == ""
    found = shots.read_all(storage)
    # A commit that has begun is finished.
    assert found == [0] or (program is exit_while_a_thread_is_inside_hdf5 and found == [0, 1])
    shots.recorded(storage, len(found))
    assert shots.read_all(storage) == [*found, len(found)]
