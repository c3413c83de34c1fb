"""Those that wait to write are served in the order in which they came."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import SupportsIndex

import pytest

from shotstore import PureSequencePath
from shotstore.hdf5 import HDF5StorageManager
from tests.processes.children import PATIENCE, Child

ROOT = PureSequencePath.root()


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    return HDF5StorageManager(tmp_path / "store", lock_timeout=PATIENCE)


def write(storage: HDF5StorageManager, name: str) -> None:
    """Write one's name, with the number of those that have come before."""
    with storage.session(write=True) as session:
        number = len(session.paths.get_children(ROOT))
        session.paths.create_path(PureSequencePath(rf"\{number} {name}"))


def order(storage: HDF5StorageManager) -> list[str]:
    with storage.session() as session:
        return [path.parts[-1] for path in sorted(session.paths.get_children(ROOT))]


def call_when_waiting(function: Callable[[], object]) -> None:
    """Call a function once in each thread that begins to wait."""
    sleep, known = time.sleep, set[int]()

    def tell_and_sleep(seconds: float | SupportsIndex) -> None:
        if threading.get_ident() not in known:
            known.add(threading.get_ident())
            function()
        sleep(seconds)

    time.sleep = tell_and_sleep


@pytest.fixture
def waits() -> Iterator["SimpleQueue[None]"]:
    """Gets something from each thread that begins to wait."""
    sleep, queue = time.sleep, SimpleQueue[None]()
    call_when_waiting(lambda: queue.put(None))
    yield queue
    time.sleep = sleep


def write_in_turn(parent: Connection, storage: HDF5StorageManager, name: str) -> None:
    call_when_waiting(lambda: parent.send("waits"))
    write(storage, name)


def test_processes_and_threads_write_in_the_order_in_which_they_came(
    storage: HDF5StorageManager, waits: "SimpleQueue[None]"
) -> None:
    with ExitStack() as stack:
        threads = stack.enter_context(ThreadPoolExecutor(3))
        with storage.session(write=True):
            for number in range(3):
                child = stack.enter_context(Child(write_in_turn, storage, f"process {number}"))
                assert child.hear() == "waits"
                threads.submit(write, storage, f"thread {number}")
                waits.get(timeout=PATIENCE)
        write(storage, "the first again")  # at once, as one in a loop does
        assert order(storage)[-1] == "6 the first again"
    assert [name.partition(" ")[2] for name in order(storage)[:6]] == [
        "process 0",
        "thread 0",
        "process 1",
        "thread 1",
        "process 2",
        "thread 2",
    ]


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
@pytest.mark.parametrize("end", [Child.kill, Child.stop])
def test_who_was_killed_or_stopped_in_the_line_is_passed_over(
    storage: HDF5StorageManager, end: Callable[[Child], None]
) -> None:
    with ExitStack() as stack:
        with storage.session(write=True):
            dead = stack.enter_context(Child(write_in_turn, storage, "the dead"))
            living = stack.enter_context(Child(write_in_turn, storage, "the living"))
            assert dead.hear() == living.hear() == "waits"
            end(dead)
        living.finish()
    assert order(storage) == ["0 the living"]


def test_who_does_not_wait_may_write_while_one_that_was_killed_is_in_the_line(
    storage: HDF5StorageManager,
) -> None:
    with Child(write_in_turn, storage, "the dead") as dead, storage.session(write=True):
        assert dead.hear() == "waits"
        dead.kill()
    write(HDF5StorageManager(storage.root, lock_timeout=0), "the living")
    assert order(storage) == ["0 the living"]


def test_where_there_can_be_no_line_sessions_write_all_the_same(
    storage: HDF5StorageManager, waits: "SimpleQueue[None]"
) -> None:
    line = storage.root / ".shotstore" / "write.line"
    line.unlink()
    line.mkdir()
    with ThreadPoolExecutor(1) as threads, storage.session(write=True) as session:
        threads.submit(write, storage, "second")
        waits.get(timeout=PATIENCE)
        session.paths.create_path(PureSequencePath(r"\first"))
    assert set(order(storage)) == {"first", "1 second"}


@pytest.mark.skipif(os.name == "nt", reason="the system is not asked who lives")
def test_who_was_killed_in_the_line_keeps_nobody_waiting(
    storage: HDF5StorageManager, waits: "SimpleQueue[None]"
) -> None:
    with Child(write_in_turn, storage, "the dead") as dead, storage.session(write=True):
        assert dead.hear() == "waits"
        dead.kill()
    write(storage, "the living")
    assert waits.empty()
