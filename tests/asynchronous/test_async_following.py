"""A run is followed beside other tasks, and a loop may be left anywhere."""

import gc
import warnings
import weakref

import anyio
import pytest

from shotstore import (
    AsyncSequence,
    ExperimentSessionNotActiveError,
    PathNotFoundError,
    RunDeletedError,
)
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.dropped import settle
from shotstore.testing.experiments import PATH, STOP, finish
from tests.asynchronous.conftest import count_shots, record
from tests.processes.children import PATIENCE

pytestmark = pytest.mark.anyio


async def recorded(storage: HDF5StorageManager, index: int) -> None:
    async with storage.async_session() as session:
        await record(session, index)


async def test_a_task_follows_what_another_one_records(storage: HDF5StorageManager) -> None:
    seen: list[int] = []
    was_seen = {index: anyio.Event() for index in range(10)}

    async def show() -> None:
        async for shot in storage.async_follow(PATH, poll=0):
            assert await shot.get_data() == {"counts": 10 * shot.index}
            seen.append(shot.index)
            was_seen[shot.index].set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(show)
        for index in was_seen:
            await recorded(storage, index)
            if index % 3:  # else there are several at once
                await was_seen[index].wait()
        async with storage.async_session() as session:
            await session.sequences.set_finished(PATH, STOP)
    assert seen == list(range(10))


async def test_a_sequence_object_follows_its_shots(storage: HDF5StorageManager) -> None:
    await recorded(storage, 0)
    async with storage.async_session() as session:
        assert session.storage is storage
        followed = AsyncSequence(PATH, session).follow(poll=0, skip=1)
    await recorded(storage, 1)
    with storage.session() as ending:
        finish(ending)
    assert [shot.index async for shot in followed] == [1]


async def test_no_session_is_open_while_it_waits(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    await recorded(storage, 0)
    followed = storage.async_follow(PATH)
    shot = await anext(followed)
    waited = anyio.Event()

    async def sleep(poll: float) -> None:
        assert poll == 0.2
        with pytest.raises(ExperimentSessionNotActiveError):
            await shot.get_data()
        with storage.session() as session:
            finish(session)
        waited.set()

    monkeypatch.setattr("shotstore.session.asynchronous.following.sleep", sleep)
    with pytest.raises(StopAsyncIteration):
        await anext(followed)
    assert waited.is_set()


@pytest.mark.parametrize("leave", ["aclose", "drop"])
async def test_the_session_ends_with_a_loop_that_is_left(
    storage: HDF5StorageManager, leave: str
) -> None:
    await recorded(storage, 0)
    followed = storage.async_follow(PATH)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async for shot in followed:
            assert await shot.get_data() == {"counts": 0}
            break
        if leave == "aclose":
            await followed.aclose()  # type: ignore[attr-defined]
        else:
            gone = weakref.ref(followed)
            del followed
            gc.collect()
            assert gone() is None
            settle(PATIENCE)
    with pytest.raises(ExperimentSessionNotActiveError):
        await shot.get_data()


async def test_a_task_that_waits_for_shots_can_be_cancelled(storage: HDF5StorageManager) -> None:
    await recorded(storage, 0)
    seen = []
    with anyio.CancelScope() as scope:
        async for shot in storage.async_follow(PATH, poll=1e9):
            seen.append(shot.index)
            # It is to be cancelled when it waits, or on the way there.
            scope.deadline = anyio.current_time()
    assert seen == [0]
    assert count_shots(storage) == 1


async def test_errors_are_those_of_the_sync_one(storage: HDF5StorageManager) -> None:
    with pytest.raises(PathNotFoundError):
        await anext(storage.async_follow(r"\2026\rab"))
    with pytest.raises(ValueError, match="negative"):
        storage.async_follow(PATH, poll=-1)
    followed = storage.async_follow(PATH, poll=0)
    await recorded(storage, 0)
    await anext(followed)
    with storage.session() as session:
        finish(session)
        session.sequences.reset_to_draft(PATH)
    with pytest.raises(RunDeletedError):
        await anext(followed)
