"""Runs that are recorded in one block, awaited."""

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from shotstore import PureSequencePath, State, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.memory import InMemoryStorageManager
from shotstore.model import ExecuteShot, LinspaceLoop, StepsConfiguration
from shotstore.sql import SQLiteConfig, SQLiteStorageManager

pytestmark = pytest.mark.anyio

PATH = PureSequencePath(r"\2026\rabi")
RECIPE = StepsConfiguration([LinspaceLoop("x", "0", "1", 4, [ExecuteShot()])])


@pytest.fixture(params=["files", "sqlite", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StorageManager]:
    match request.param:
        case "files":
            yield HDF5StorageManager(tmp_path / "store")
        case "sqlite":
            database = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"))
            database.upgrade()
            yield database
        case _:
            yield InMemoryStorageManager()


def look(storage: StorageManager) -> tuple[State, list[object]]:
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        return sequence.get_state(), [shot.get_data_by_label("x") for shot in sequence]


async def test_a_loop_records_a_run(storage: StorageManager) -> None:
    expected = list(RECIPE.walk({}))
    async with storage.async_record(PATH, RECIPE) as run:
        assert run.path == PATH
        async for parameters in run:
            index = expected.index(parameters)
            assert (await run.save({"y": 0}, x=index)).index == index
            assert look(storage) == (State.RUNNING, [*range(index + 1)])
    assert look(storage) == (State.FINISHED, [*range(4)])


async def test_a_loop_that_is_left_early_is_interrupted_and_can_go_on(
    storage: StorageManager,
) -> None:
    async with storage.async_record(PATH, RECIPE) as run:
        async for _ in run:
            await run.save(x=0)
            break
    assert look(storage) == (State.INTERRUPTED, [0])
    async with storage.async_record(PATH, RECIPE, resume=True) as run:
        async for _ in run:
            await run.save(x=1)
    assert look(storage) == (State.FINISHED, [0, 1, 1, 1])


async def test_an_exception_crashes_and_goes_on(storage: StorageManager) -> None:
    async def record() -> None:
        async with storage.async_record(PATH, RECIPE) as run:
            await run.save(x=0)
            raise ValueError("the laser is out of lock")

    with pytest.raises(ValueError, match="out of lock"):
        await record()
    assert look(storage) == (State.CRASHED, [0])


async def test_a_task_that_is_cancelled_interrupts_its_run(storage: StorageManager) -> None:
    with anyio.CancelScope() as scope:
        async with storage.async_record(PATH, RECIPE) as run:
            await run.save(x=0)
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert look(storage) == (State.INTERRUPTED, [0])


async def test_arguments_are_checked_at_once(storage: StorageManager) -> None:
    with pytest.raises(ValueError, match="order"):
        storage.async_record(PATH, RECIPE, order="backwards")  # type: ignore[arg-type]
    run = storage.async_record(PATH, RECIPE)
    with pytest.raises(RuntimeError, match="async with"):
        await run.save(x=1)
