"""A task that is cancelled leaves nothing half-done, and no lock, wherever it is."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
import pytest

from shotstore import AsyncExperimentSession, CommitUncertainError, ExperimentSession
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.commits import Commits
from shotstore.hdf5.transaction import Transaction
from shotstore.session.asynchronous.calls import Calls, _Call
from shotstore.testing.experiments import PATH
from tests.asynchronous.conftest import Gate, count_shots, in_thread, record, writing

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio scope", "asyncio task", "trio scope"])
def way(request: pytest.FixtureRequest) -> str:
    """How a task is cancelled, and on what."""
    return str(request.param)


@pytest.fixture
def anyio_backend(way: str) -> str:
    return way.split()[0]


@asynccontextmanager
async def started(
    way: str, function: Callable[[], Awaitable[object]]
) -> AsyncIterator[Callable[[], object]]:
    """Run a function in a task of its own, until its end; gives what cancels it."""
    if way == "asyncio task":

        async def run() -> None:
            await function()

        task = asyncio.create_task(run())
        yield task.cancel
        with suppress(asyncio.CancelledError):
            await task
        return
    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def run() -> None:
            with scope:
                await function()

        tasks.start_soon(run)
        yield scope.cancel


async def test_while_it_waits_for_the_write_lock_at_its_start(
    storage: HDF5StorageManager, waiting: threading.Event, way: str
) -> None:
    async def write() -> None:
        async with storage.async_session(write=True):
            pytest.fail("somebody else was writing")

    with writing(storage):
        async with started(way, write) as cancel:
            await in_thread(waiting.wait)
            cancel()
    assert count_shots(storage) == 0


async def test_while_it_waits_for_the_write_lock_in_a_call(
    storage: HDF5StorageManager, waiting: threading.Event, way: str
) -> None:
    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            pytest.fail("somebody else was writing")

    with writing(storage):
        async with started(way, write) as cancel:
            await in_thread(waiting.wait)
            cancel()
    assert count_shots(storage) == 0


async def test_a_session_goes_on_after_a_call_that_was_cancelled_while_it_waited(
    storage: HDF5StorageManager, waiting: threading.Event, way: str
) -> None:
    async with storage.async_session() as session:
        with writing(storage):
            async with started(way, lambda: record(session, 0)) as cancel:
                await in_thread(waiting.wait)
                cancel()
        assert await session.sequences.get_shots(PATH) == []
        await record(session, 1)
    assert count_shots(storage) == 1


async def test_between_two_calls(storage: HDF5StorageManager, way: str) -> None:
    written = anyio.Event()

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            written.set()
            await anyio.sleep_forever()

    async with started(way, write) as cancel:
        await written.wait()
        cancel()
    assert count_shots(storage) == 0


async def test_before_its_first_call(storage: HDF5StorageManager, way: str) -> None:
    entered = anyio.Event()

    async def write() -> None:
        async with storage.async_session(write=True):
            entered.set()
            await anyio.sleep_forever()

    async with started(way, write) as cancel:
        await entered.wait()
        cancel()
    assert count_shots(storage) == 0


async def test_once_it_has_the_write_lock_but_has_not_entered_its_block(
    storage: HDF5StorageManager, gate: Gate, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_writing = Transaction.begin_writing

    def begin(transaction: Transaction) -> None:
        begin_writing(transaction)
        gate.stop()

    monkeypatch.setattr(Transaction, "begin_writing", begin)

    async def write() -> None:
        async with storage.async_session(write=True) as session:
            await session.paths.get_all_paths()
            pytest.fail("it was cancelled")

    async with started(way, write) as cancel:
        await gate.wait()
        cancel()
        gate.opened.set()
    monkeypatch.undo()
    assert count_shots(storage) == 0


async def test_a_call_that_has_begun_ends_before_the_rollback(
    storage: HDF5StorageManager, gate: Gate, way: str
) -> None:
    seen = []

    def read(session: ExperimentSession) -> None:
        gate.stop()
        seen.append(session.sequences.get_stats(PATH).number_completed_shots)

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            await session.run_sync(read)
            await session.paths.get_all_paths()
            pytest.fail("it was cancelled")

    async with started(way, write) as cancel:
        await gate.wait()
        cancel()
        await anyio.lowlevel.checkpoint()
        cancel()
        await anyio.lowlevel.checkpoint()
        gate.opened.set()
    assert seen == [1]
    assert count_shots(storage) == 0


async def test_in_the_commit_which_is_done_and_then_it_is_cancelled(
    storage: HDF5StorageManager, gate: Gate, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Commits, "commit", gate.before(Commits.commit))

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
        await anyio.lowlevel.checkpoint()
        pytest.fail("it was cancelled")

    async with started(way, write) as cancel:
        await gate.wait()
        cancel()
        await anyio.lowlevel.checkpoint()
        cancel()
        gate.opened.set()
    assert count_shots(storage) == 1


async def test_before_the_commit_has_begun(
    storage: HDF5StorageManager, gate: Gate, way: str
) -> None:
    """Another task's call is still at work, so the commit waits."""
    session_of_both: list[AsyncExperimentSession] = []
    at_end, other_may_end = anyio.Event(), anyio.Event()

    async def write() -> None:
        async with storage.async_session() as session:
            await record(session, 0)
            session_of_both.append(session)
            await other_may_end.wait()
            at_end.set()
        await anyio.lowlevel.checkpoint()
        pytest.fail("it was cancelled")

    async with anyio.create_task_group() as tasks, started(way, write) as cancel:
        while not session_of_both:
            await anyio.lowlevel.checkpoint()
        tasks.start_soon(session_of_both[0].run_sync, lambda _: gate.stop())
        await gate.wait()
        other_may_end.set()
        await at_end.wait()
        cancel()
        await anyio.lowlevel.checkpoint()
        gate.opened.set()
    assert count_shots(storage) == 1


async def test_in_the_rollback_which_is_done(
    storage: HDF5StorageManager, gate: Gate, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Transaction, "rollback", gate.before(Transaction.rollback))

    async def write() -> None:
        with suppress(LookupError):
            async with storage.async_session() as session:
                await record(session, 0)
                raise LookupError
        await anyio.lowlevel.checkpoint()
        pytest.fail("it was cancelled")

    async with started(way, write) as cancel:
        await gate.wait()
        cancel()
        await anyio.lowlevel.checkpoint()
        gate.opened.set()
    monkeypatch.undo()
    assert count_shots(storage) == 0


async def test_a_task_that_waits_for_its_turn_stops_waiting(
    storage: HDF5StorageManager, gate: Gate, way: str
) -> None:
    async with storage.async_session() as session:
        called: list[object] = []

        async def wait() -> None:
            await session.run_sync(called.append)
            pytest.fail("it was cancelled")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(session.run_sync, lambda _: gate.stop())
            await gate.wait()
            async with started(way, wait) as cancel:
                await anyio.lowlevel.checkpoint()
                cancel()
            gate.opened.set()
        await session.paths.get_all_paths()
        assert called == []


class ContendedLock:
    """A lock that says when somebody wants it whom another one keeps out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_wanted = threading.Event()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.is_wanted.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


class TestByAsyncioItself:
    @pytest.fixture
    def way(self) -> str:
        return "asyncio task"

    async def test_a_timeout_comes_out_as_one(
        self, storage: HDF5StorageManager, waiting: threading.Event
    ) -> None:
        async def expire(timeout: asyncio.Timeout) -> None:
            await in_thread(waiting.wait)
            timeout.reschedule(0)

        async def write() -> None:
            async with asyncio.timeout(None) as timeout:
                expiring = asyncio.create_task(expire(timeout))
                async with storage.async_session(write=True):
                    pytest.fail("somebody else was writing")
            await expiring

        with writing(storage), pytest.raises(TimeoutError):
            await write()
        assert count_shots(storage) == 0

    async def test_a_commit_that_failed_is_the_cause_of_the_cancellation(
        self, storage: HDF5StorageManager, gate: Gate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            gate.stop()
            raise CommitUncertainError("the disk was unplugged")

        monkeypatch.setattr(Commits, "commit", fail)

        async def write() -> None:
            async with storage.async_session() as session:
                await record(session, 0)

        task = asyncio.create_task(write())
        await gate.wait()
        task.cancel()
        await asyncio.sleep(0)
        gate.opened.set()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert isinstance(caught.value.__cause__, CommitUncertainError)

    async def test_a_call_that_was_not_begun_never_is(self, storage: HDF5StorageManager) -> None:
        called: list[object] = []
        async with storage.async_session() as session:
            task = asyncio.create_task(session.run_sync(called.append))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await session.paths.get_all_paths()
        assert called == []

    async def test_a_call_that_goes_on_keeps_others_out(
        self, storage: HDF5StorageManager, gate: Gate
    ) -> None:
        steps = []

        def stay(_: object) -> None:
            gate.stop()
            steps.append("first")

        async with storage.async_session() as session:
            assert session._calls is not None
            session._calls._mutex = mutex = ContendedLock()
            first = asyncio.create_task(session.run_sync(stay))
            await gate.wait()
            second = asyncio.create_task(session.run_sync(lambda _: steps.append("second")))
            while not session._calls._limiter.statistics().tasks_waiting:
                await asyncio.sleep(0)
            first.cancel()
            await in_thread(mutex.is_wanted.wait)
            gate.opened.set()
            await second
            with pytest.raises(asyncio.CancelledError):
                await first
        assert steps == ["first", "second"]

    async def test_a_thread_that_was_started_for_a_call_ends_without_it(
        self, storage: HDF5StorageManager, gate: Gate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ended = threading.Event()
        called: list[object] = []
        work = Calls._work

        def late(calls: Calls, call: "_Call[None]") -> None:
            gate.stop()
            work(calls, call)
            ended.set()

        async with storage.async_session() as session:
            monkeypatch.setattr(Calls, "_work", late)
            task = asyncio.create_task(session.run_sync(called.append))
            await gate.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            gate.opened.set()
            await in_thread(ended.wait)
        assert called == []
