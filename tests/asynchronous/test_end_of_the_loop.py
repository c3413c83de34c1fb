"""Whatever ends the event loop leaves nothing half-done, and no lock."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable

import anyio
import anyio.lowlevel
import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.transaction import Transaction
from shotstore.records.owner import is_cancelled
from tests.asynchronous.conftest import P, T, count_shots, record, writing

on_each = pytest.mark.parametrize("backend", ["asyncio", "trio"])
needs_signals = pytest.mark.skipif(os.name == "nt", reason="needs signals to oneself")


def interrupt() -> None:
    """As Ctrl-C does it, wherever this is called."""
    os.kill(os.getpid(), signal.SIGINT)


def interrupting(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with a Ctrl-C that comes in its first call."""
    interrupts = [interrupt]

    def interrupted(*args: P.args, **kwargs: P.kwargs) -> T:
        if interrupts:
            interrupts.pop()()
        return function(*args, **kwargs)

    return interrupted


async def stay_awake() -> None:
    """Keep the loop from sleeping: asyncio may fall asleep just when a signal comes, and then
    notices it when something else wakes it. It ends with the loop."""
    while True:
        await anyio.lowlevel.checkpoint()


@on_each
def test_sessions_follow_one_another_on_several_loops(
    storage: HDF5StorageManager, backend: str
) -> None:
    async def write(index: int) -> None:
        async with storage.async_session(write=True) as session:
            await record(session, index)

    for index in range(3):
        anyio.run(write, index, backend=backend)
    assert count_shots(storage) == 3


def test_a_loop_that_is_closed_over_a_session_releases_it(storage: HDF5StorageManager) -> None:
    loop = asyncio.new_event_loop()
    entered = asyncio.Event()

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            entered.set()
            await anyio.sleep_forever()

    task = loop.create_task(write())
    loop.run_until_complete(entered.wait())
    loop.set_exception_handler(lambda *_: None)  # it tells of the pending task
    loop.close()
    del task
    gc.collect()
    with storage.session(write=True):
        pass
    assert count_shots(storage) == 0


@on_each
def test_a_generator_that_is_closed_inside_the_block_discards_everything(
    storage: HDF5StorageManager, backend: str
) -> None:
    async def main() -> None:
        async def generate() -> AsyncGenerator[None, None]:
            async with storage.async_session() as session:
                await record(session, 0)
                yield

        generator = generate()
        await anext(generator)
        await generator.aclose()

    anyio.run(main, backend=backend)
    assert count_shots(storage) == 0


@needs_signals
@on_each
def test_ctrl_c_between_two_calls(storage: HDF5StorageManager, backend: str) -> None:
    async def main() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            interrupt()
            await anyio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
    assert count_shots(storage) == 0


@needs_signals
@on_each
def test_ctrl_c_while_waiting_for_the_write_lock(
    storage: HDF5StorageManager, waiting: threading.Event, backend: str
) -> None:
    async def main() -> None:
        awake = asyncio.create_task(stay_awake()) if backend == "asyncio" else None
        async with storage.async_session(write=True):
            pytest.fail(f"somebody else was writing: {awake}")

    def interrupt_the_waiting() -> None:
        waiting.wait()
        interrupt()

    thread = threading.Thread(target=interrupt_the_waiting)
    with writing(storage):
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            anyio.run(main, backend=backend)
    thread.join()
    assert count_shots(storage) == 0


@needs_signals
@on_each
def test_ctrl_c_in_the_commit_lets_it_be_done(
    storage: HDF5StorageManager, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Commits, "commit", interrupting(Commits.commit))

    async def main() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
        await anyio.sleep_forever()

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
    assert count_shots(storage) == 1


@needs_signals
@on_each
def test_ctrl_c_just_before_the_commit(storage: HDF5StorageManager, backend: str) -> None:
    """It comes in the block, is noticed in the next awaiting, and that is the commit."""

    async def main() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            interrupt()

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
    # trio raises it where it came, in the block.
    assert count_shots(storage) == {"asyncio": 1, "trio": 0}[backend]


@needs_signals
@on_each
def test_ctrl_c_in_the_rollback_lets_it_be_done(
    storage: HDF5StorageManager, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transaction, "rollback", interrupting(Transaction.rollback))

    async def main() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            raise LookupError

    with pytest.raises((KeyboardInterrupt, LookupError)):
        anyio.run(main, backend=backend)
    monkeypatch.undo()
    assert count_shots(storage) == 0


@needs_signals
@on_each
def test_ctrl_c_in_a_call_that_ends_all_the_same(storage: HDF5StorageManager, backend: str) -> None:
    def notice(_: object) -> None:
        interrupt()
        while not is_cancelled():
            pass

    async def main() -> None:
        awake = asyncio.create_task(stay_awake()) if backend == "asyncio" else None
        async with storage.async_session() as session:
            await record(session, 0)
            await session.run_sync(notice)
            pytest.fail(f"it was interrupted: {awake}")

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
    assert count_shots(storage) == 0


@needs_signals
@on_each
def test_ctrl_c_in_the_last_call_of_a_block(storage: HDF5StorageManager, backend: str) -> None:
    """trio raises it when the block has ended, and asyncio from the call."""

    async def main() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            await session.run_sync(lambda _: interrupt())

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
    assert count_shots(storage) == {"asyncio": 0, "trio": 1}[backend]
