"""Many threads with sessions on one storage, and sessions that nobody has left."""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

import h5py
import pytest

from shotstore import PureSequencePath, Sequence
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import ParameterNamespace
from tests.processes import shots
from tests.processes.children import PATIENCE, Child
from tests.processes.shots import RUN

WRITERS, READERS, SHOTS = 4, 3, 12


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    storage = HDF5StorageManager(tmp_path / "store", lock_timeout=PATIENCE)
    shots.launched(storage)
    shots.recorded(storage, 0)
    return storage


def path_of(writer: int) -> PureSequencePath:
    return PureSequencePath.root() / f"writer {writer}"


def test_many_threads_write_and_read_through_one_storage(storage: HDF5StorageManager) -> None:
    barrier = threading.Barrier(WRITERS + READERS)
    stop = threading.Event()

    def count(delta: int) -> int:
        with storage.session(write=True) as session:
            value = session.get_global_parameters().evaluate().get("count", 0)
            assert isinstance(value, int)
            session.set_global_parameters(
                ParameterNamespace.from_mapping({"count": str(value + delta)})
            )
            return value + delta

    def write(writer: int) -> None:
        barrier.wait()
        shots.launched(storage, path_of(writer))
        for index in range(SHOTS):
            shots.recorded(storage, index, path_of(writer))
            count(1)

    def read() -> None:
        barrier.wait()
        seen = dict.fromkeys(map(path_of, range(WRITERS)), 0)
        while not stop.is_set():
            with storage.session() as session:
                for path in seen:
                    if session.paths.does_path_exists(path):
                        found = len(shots.indices(session, path))
                        assert found >= seen[path]
                        seen[path] = found
                        if found:
                            shots.check(session, found - 1, path)

    with ThreadPoolExecutor(WRITERS + READERS) as threads:
        readers = [threads.submit(read) for _ in range(READERS)]
        try:
            list(threads.map(write, range(WRITERS)))
        finally:
            stop.set()
        for reader in readers:
            reader.result()
    for writer in range(WRITERS):
        assert shots.read_all(storage, path_of(writer)) == list(range(SHOTS))
    assert count(0) == WRITERS * SHOTS


def test_a_writer_waits_for_one_in_another_thread(storage: HDF5StorageManager) -> None:
    with ThreadPoolExecutor() as threads:
        with storage.session(write=True) as session:
            second = threads.submit(shots.recorded, storage, 2)
            shots.record(session, 1)
            assert not second.done()
        second.result()
    assert shots.read_all(storage) == [0, 1, 2]


def shots_of_a_session(storage: HDF5StorageManager, *, write: bool) -> Iterator[int]:
    with storage.session(write=write) as session:
        if write:
            shots.record(session, 1)
        yield from shots.indices(session)


@pytest.mark.parametrize("write", [False, True])
def test_a_session_in_a_generator_ends_with_that(storage: HDF5StorageManager, write: bool) -> None:
    generator = shots_of_a_session(storage, write=write)
    assert next(generator) == 0
    del generator
    shots.recorded(storage, 1)
    assert shots.read_all(storage) == [0, 1]


@pytest.mark.parametrize("write", [False, True])
def test_a_session_that_is_dropped_in_its_block_ends(
    storage: HDF5StorageManager, write: bool
) -> None:
    session = storage.session(write=write)
    session.__enter__()
    assert shots.check_all(session) == [0]
    if write:
        shots.record(session, 1)
    del session
    shots.recorded(storage, 1)
    with h5py.File(shots.shots_file(storage.root), "r+") as file:
        assert shots.read_natively(file) == [0, 1]


def make_garbage(storage: HDF5StorageManager, *, write: bool) -> None:
    """Leave sessions that were not left, and native files that were not closed, in cycles."""
    native = h5py.File(shots.shots_file(storage.root))
    unrelated = h5py.File(storage.root.parent / "other.h5", "a")
    session = storage.session()
    session.__enter__()
    sequence = Sequence(RUN, session)
    cycle = [native, unrelated, native["data/frame"], session, sequence, sequence.get_shots()[0]]
    cycle.append(cycle)
    if write:
        writing = storage.session(write=True)
        writing.__enter__()
        shots.record(writing, 999)
        another: list[object] = [writing]
        another.append(another)


def collect_all_the_time(_: Connection, storage: HDF5StorageManager, rounds: int) -> None:
    stop = threading.Event()

    def collect() -> None:
        while not stop.is_set():
            gc.collect()

    collector = threading.Thread(target=collect)
    gc.freeze()
    collector.start()
    try:
        work_and_litter(storage, rounds)
    finally:
        stop.set()
        collector.join()


def collect_at_every_allocation(_: Connection, storage: HDF5StorageManager, rounds: int) -> None:
    gc.freeze()
    gc.set_threshold(1, 1, 1)
    work_and_litter(storage, rounds)


def work_and_litter(storage: HDF5StorageManager, rounds: int) -> None:
    for index in range(1, rounds):
        make_garbage(storage, write=index % 2 == 0)
        if index % 2 == 0:
            gc.collect()
        with storage.session() as session:
            shots.record(session, index)
            make_garbage(storage, write=False)
            shots.check(session, index)
        with h5py.File(storage.root.parent / "other.h5", "a") as file:
            file[f"shot {index}"] = index
    gc.set_threshold(700, 10, 10)
    assert shots.read_all(storage) == list(range(rounds))


@pytest.mark.parametrize(
    ("collect", "rounds"), [(collect_all_the_time, 6), (collect_at_every_allocation, 25)]
)
def test_garbage_collected_at_the_worst_moments_harms_nothing(
    storage: HDF5StorageManager, collect: Callable[..., None], rounds: int
) -> None:
    with Child(collect, storage, rounds) as process:
        process.finish()
    assert shots.read_all(storage) == list(range(rounds))
