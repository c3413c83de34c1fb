"""Awaited sessions are the same on another backend, whose calls wait in the very thread."""

import threading
from pathlib import Path

import anyio
import pytest

from shotstore import StorageLockTimeoutError, StorageManager
from shotstore.testing import experiments
from shotstore.testing.experiments import PATH
from tests.asynchronous.conftest import in_thread, record, writing

pytest.importorskip("sqlalchemy")

from shotstore.sql import SQLiteConfig, SQLiteStorageManager, transaction

pytestmark = pytest.mark.anyio


@pytest.fixture
def storage(tmp_path: Path) -> StorageManager:
    """A database with a running sequence, whose sessions wait for ever."""
    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"), lock_timeout=1e9)
    storage.upgrade()
    with storage.session() as session:
        session.sequences.create(PATH, experiments.recipe(), experiments.TIME_LANES)
        session.sequences.set_preparing(PATH, {}, experiments.PARAMETERS)
        session.sequences.set_running(PATH, experiments.START)
    return storage


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set as soon as somebody waits to write."""
    event = threading.Event()
    check_cancelled = transaction.check_cancelled  # type: ignore[attr-defined]

    def check() -> None:
        event.set()
        check_cancelled()

    monkeypatch.setattr(transaction, "check_cancelled", check)
    return event


async def count_shots(storage: StorageManager) -> int:
    async with storage.async_session(write=True) as session:
        return (await session.sequences.get_stats(PATH)).number_completed_shots


async def test_tasks_write_one_after_the_other(storage: StorageManager) -> None:
    async def write(index: int) -> None:
        async with storage.async_session() as session:
            await record(session, index)

    async with anyio.create_task_group() as tasks:
        for index in range(5):
            tasks.start_soon(write, index)
    assert await count_shots(storage) == 5


async def test_a_cancelled_task_stops_waiting_and_leaves_nothing(
    storage: StorageManager, waiting: threading.Event
) -> None:
    async def write() -> None:
        async with storage.async_session(write=True):
            pytest.fail("somebody else was writing")

    with writing(storage):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            await in_thread(waiting.wait)
            tasks.cancel_scope.cancel()
    assert await count_shots(storage) == 0


async def test_a_cancelled_block_is_rolled_back(storage: StorageManager) -> None:
    with anyio.CancelScope() as scope:
        async with storage.async_session() as session:
            await record(session, 0)
            scope.cancel()
            await anyio.sleep_forever()
    assert await count_shots(storage) == 0


async def test_a_second_writer_in_the_same_task_is_refused(storage: StorageManager) -> None:
    async with storage.async_session(write=True):
        with pytest.raises(StorageLockTimeoutError, match="in this task"):
            await storage.async_session(write=True).__aenter__()
