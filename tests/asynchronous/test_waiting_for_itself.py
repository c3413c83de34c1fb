"""A session that waits for one which cannot end meanwhile is told so at once.

The sessions here would wait for ever: a test that hangs has failed.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
import trio

from shotstore import PureSequencePath, StorageLockTimeoutError, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.memory import InMemoryStorageManager
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from tests.asynchronous.conftest import in_thread

pytestmark = pytest.mark.anyio

A, B = PureSequencePath(r"\a"), PureSequencePath(r"\b")


@pytest.fixture(params=["files", "sqlite", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorageManager]:
    """An empty storage of each kind, whose sessions wait for ever."""
    match request.param:
        case "files":
            yield HDF5StorageManager(tmp_path / "store", lock_timeout=1e9)
        case "sqlite":
            database = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"), lock_timeout=1e9)
            database.upgrade()
            yield database
        case _:
            yield InMemoryStorageManager(lock_timeout=1e6)


def paths(storage: StorageManager) -> set[PureSequencePath]:
    with storage.session() as session:
        return session.paths.get_all_paths()


async def test_a_plain_session_inside_an_async_one(storage: StorageManager) -> None:
    async with storage.async_session() as session:
        await session.paths.create_path(A)
        in_this_thread = pytest.raises(StorageLockTimeoutError, match="in this thread already")
        with in_this_thread, storage.session(write=True):
            pass
        with storage.session() as plain, in_this_thread:
            plain.paths.create_path(B)
    assert paths(storage) == {A}


async def test_an_async_session_inside_a_plain_one(storage: StorageManager) -> None:
    with storage.session() as plain:
        plain.paths.create_path(A)
        with pytest.raises(StorageLockTimeoutError, match="open in this task already"):
            async with storage.async_session(write=True):
                pass
        async with storage.async_session() as session:
            with pytest.raises(StorageLockTimeoutError, match="open in this task already"):
                await session.paths.create_path(B)
    assert paths(storage) == {A}


async def test_an_async_session_inside_an_async_one(storage: StorageManager) -> None:
    async with storage.async_session() as outer:
        await outer.paths.create_path(A)
        async with storage.async_session() as inner:
            with pytest.raises(StorageLockTimeoutError, match="open in this task already"):
                await inner.paths.create_path(B)
        await outer.paths.create_path(B)
    assert paths(storage) == {A, B}


@pytest.mark.parametrize("run", [anyio.run, trio.run])
def test_an_event_loop_inside_a_plain_session(storage: StorageManager, run: object) -> None:
    async def write() -> None:
        async with storage.async_session() as session:
            with pytest.raises(StorageLockTimeoutError, match="open in this thread already"):
                await session.paths.create_path(B)

    assert callable(run)
    with storage.session() as plain:
        plain.paths.create_path(A)
        run(write)
    assert paths(storage) == {A}


async def test_a_plain_session_in_one_task_beside_an_async_one_in_another(
    storage: StorageManager,
) -> None:
    """The event loop would never come back to the task that could end its session."""
    holds, may_end = anyio.Event(), anyio.Event()

    async def hold() -> None:
        async with storage.async_session() as session:
            await session.paths.create_path(A)
            holds.set()
            await may_end.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold)
        await holds.wait()
        with (
            storage.session() as plain,
            pytest.raises(StorageLockTimeoutError, match=r"async with storage\.async_session"),
        ):
            plain.paths.create_path(B)
        may_end.set()
    assert paths(storage) == {A}


async def test_an_async_session_waits_for_a_plain_one_that_another_task_can_end(
    storage: StorageManager,
) -> None:
    holds, may_end = anyio.Event(), anyio.Event()

    async def hold() -> None:
        with storage.session() as plain:
            plain.paths.create_path(A)
            holds.set()
            await may_end.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(hold)
        await holds.wait()
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(write, storage)
            await anyio.wait_all_tasks_blocked()
            may_end.set()
    assert paths(storage) == {A, B}


async def write(storage: StorageManager) -> None:
    async with storage.async_session() as session:
        await session.paths.create_path(B)


async def test_a_plain_session_waits_for_one_of_another_thread(storage: StorageManager) -> None:
    def write_in_thread() -> None:
        with storage.session() as plain:
            plain.paths.create_path(B)

    async with anyio.create_task_group() as tasks, storage.async_session() as session:
        await session.paths.create_path(A)
        tasks.start_soon(in_thread, write_in_thread)
        await anyio.wait_all_tasks_blocked()
    assert paths(storage) == {A, B}


async def test_an_async_session_that_comes_first_of_two_that_wait(
    storage: StorageManager,
) -> None:
    """Both wait for another thread; then the async one gets the lock in a thread of its own, while
    the plain one keeps the event loop waiting: only by then would it wait for ever."""
    holds, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with storage.session(write=True):
            holds.set()
            may_end.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(in_thread, hold)
        await in_thread(holds.wait)
        tasks.start_soon(write, storage)
        await anyio.wait_all_tasks_blocked()
        may_end.set()
        with (
            suppress(StorageLockTimeoutError),  # unless it is the first after all
            storage.session(write=True) as plain,
        ):
            plain.paths.create_path(A)
    assert B in paths(storage)
