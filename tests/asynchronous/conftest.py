"""Stores whose locks others hold, and whose commits can be stopped at the critical call."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import anyio
import anyio.to_thread
import attrs
import pytest

from shotstore import AsyncExperimentSession, ShotId, StorageManager
from shotstore.hdf5 import HDF5StorageManager, lock_files, worker
from shotstore.testing import experiments
from shotstore.testing.lab import serializer

P = ParamSpec("P")
T = TypeVar("T")


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    """A store with a running sequence, whose sessions wait for ever."""
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer(), lock_timeout=1e9)
    with storage.session() as session:
        experiments.launch(session)
    return storage


@attrs.frozen
class Gate:
    """A place in a thread where it waits, and a task knows of it."""

    reached: threading.Event = attrs.field(factory=threading.Event)
    opened: threading.Event = attrs.field(factory=threading.Event)

    def stop(self) -> None:
        """Wait here, the first time, until the gate is opened."""
        self.reached.set()
        self.opened.wait()

    def before(self, function: Callable[P, T]) -> Callable[P, T]:
        """The function, with the gate before it."""

        def stopping(*args: P.args, **kwargs: P.kwargs) -> T:
            self.stop()
            return function(*args, **kwargs)

        return stopping

    async def wait(self) -> None:
        """Wait until somebody stands before it."""
        await in_thread(self.reached.wait)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate; whoever still stands before it after the test may go on."""
    gate = Gate()
    yield gate
    gate.opened.set()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set as soon as somebody waits for a lock."""
    event = threading.Event()
    check_cancelled = worker.check_cancelled

    def check() -> None:
        event.set()
        check_cancelled()

    monkeypatch.setattr(lock_files, "check_cancelled", check)
    return event


@contextmanager
def writing(storage: StorageManager) -> Iterator[None]:
    """Another thread has a writing session open for the time of the block."""
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with storage.session(write=True):
            holds.set()
            may_end.wait()

    with ThreadPoolExecutor(1) as executor:
        holding = executor.submit(hold)
        holds.wait()
        try:
            yield
        finally:
            may_end.set()
            holding.result()


async def record(session: AsyncExperimentSession, index: int) -> None:
    """Record a shot."""
    start = experiments.START + index * experiments.SECOND
    await session.sequences.create_shot(
        ShotId(experiments.PATH, index), {"index": index}, {"counts": 10 * index}, start, start
    )


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call what blocks; a test that has failed does not wait for it."""
    return await anyio.to_thread.run_sync(
        partial(function, *args, **kwargs),
        abandon_on_cancel=True,
        limiter=anyio.CapacityLimiter(1),
    )


def count_shots(storage: StorageManager) -> int:
    """How many shots were committed; fails if somebody holds the write lock."""
    assert isinstance(storage, HDF5StorageManager)
    unhurried = HDF5StorageManager(storage.root, lock_timeout=0)
    with unhurried.session(write=True) as session:
        return session.sequences.get_stats(experiments.PATH).number_completed_shots
