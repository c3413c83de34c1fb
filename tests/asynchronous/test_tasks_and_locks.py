"""Writing sessions of several tasks on one event loop."""

import gc
import threading

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from shotstore import ParameterNamespace, StorageLockTimeoutError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.commits import Commits
from shotstore.testing.experiments import PATH
from tests.asynchronous.conftest import Gate, count_shots, in_thread, record, writing

pytestmark = pytest.mark.anyio

UPDATES = 10


async def test_the_event_loop_goes_on_while_a_session_waits(
    storage: HDF5StorageManager, waiting: threading.Event
) -> None:
    ended = anyio.Event()

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
        ended.set()

    async with anyio.create_task_group() as tasks:
        with writing(storage):
            tasks.start_soon(write)
            await in_thread(waiting.wait)
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
            assert not ended.is_set()
        await ended.wait()
    assert count_shots(storage) == 1


async def test_the_event_loop_goes_on_during_a_commit(
    storage: HDF5StorageManager, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Commits, "commit", gate.before(Commits.commit))

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(write)
        await gate.wait()
        for _ in range(100):
            await anyio.lowlevel.checkpoint()
        gate.opened.set()
    assert count_shots(storage) == 1


async def test_a_second_task_waits_for_the_first(
    storage: HDF5StorageManager, waiting: threading.Event
) -> None:
    order = []

    async def write() -> None:
        async with storage.async_session(write=True) as session:
            order.append((await session.sequences.get_stats(PATH)).number_completed_shots)

    async with anyio.create_task_group() as tasks, storage.async_session(write=True) as session:
        tasks.start_soon(write)
        await in_thread(waiting.wait)
        assert order == []
        await record(session, 0)
    assert order == [1]


async def test_no_update_of_many_tasks_is_lost(storage: HDF5StorageManager) -> None:
    # As few as can be: a session never waits for a thread that another one has.
    limiter = anyio.to_thread.current_default_thread_limiter()
    tokens, limiter.total_tokens = limiter.total_tokens, 1

    async def count() -> None:
        async with storage.async_session(write=True) as session:
            before = (await session.get_global_parameters()).evaluate().get("count", 0)
            await session.set_global_parameters(
                ParameterNamespace.from_mapping({"count": f"{before} + 1"})
            )

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(UPDATES):
                tasks.start_soon(count)
    finally:
        limiter.total_tokens = tokens
    with storage.session() as session:
        assert session.get_global_parameters().evaluate() == {"count": UPDATES}


async def test_a_second_writer_in_the_same_task_fails_instead_of_waiting_for_itself(
    storage: HDF5StorageManager,
) -> None:
    async with storage.async_session(write=True) as session:
        with pytest.raises(StorageLockTimeoutError, match="in this task"):
            async with storage.async_session(write=True):
                pass
        async with storage.async_session() as second:
            with pytest.raises(StorageLockTimeoutError, match="in this task"):
                await record(second, 0)
        await record(session, 1)
    assert count_shots(storage) == 1


async def test_a_session_that_was_dropped_in_its_block_ends(
    storage: HDF5StorageManager,
) -> None:
    opened = storage.async_session(write=True)
    session = await opened.__aenter__()
    await record(session, 0)
    del opened
    gc.collect()
    async with storage.async_session(write=True) as another:
        stats = await another.sequences.get_stats(PATH)
    assert stats.number_completed_shots == 0
