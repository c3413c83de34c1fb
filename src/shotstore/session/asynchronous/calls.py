"""The calls that an async session makes, in threads, one at a time.

Whoever cancels a call need not wait for a lock with it, but always for its thread: whatever the
task does next, such as discarding the transaction, must not meet a call that is still at work.
A cancelled scope waits for its threads. `asyncio.Task.cancel`, which `asyncio.timeout` and Ctrl-C
end in, does not, so the waiting is begun again here.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Generic, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread

from shotstore.records.owner import Cancelled, Owner, working_for
from shotstore.session.experiment_session import ExperimentSession

_T = TypeVar("_T")


class Calls:
    """The calls that are made for the current task."""

    def __init__(self) -> None:
        self.session: ExperimentSession | None = None
        """The session that they are made on, while its block is running."""
        task = anyio.get_current_task().id
        self._owner = Owner(threading.get_ident(), task, is_async=True)
        # Of its own: sessions that wait for a lock would use up the threads that all others, the
        # holder of the lock included, are waiting for.
        self._limiter = anyio.CapacityLimiter(1)
        self._mutex: AbstractContextManager[object] = threading.Lock()

    async def run(self, function: Callable[[], _T], *, shield: bool = False) -> _T:
        """Call a function in a thread, after all that was to be called before.

        If the task is cancelled meanwhile, the function stops waiting for locks. If it has done
        its work nevertheless, it counts as done, and the cancellation comes with the next call;
        but Ctrl-C and asyncio itself say it only once, so that is raised here, from the function's
        error.

        Args:
            function: What to call.
            shield: Whether to call it, and to its end, even if the task is cancelled.
        """
        cancelled = anyio.get_cancelled_exc_class()
        call = _Call(function, cancelled, may_stop=not shield)
        interrupt: BaseException | None = None
        while not call.is_done:
            try:
                with anyio.CancelScope(shield=shield or interrupt is not None):
                    await anyio.to_thread.run_sync(self._work, call, limiter=self._limiter)
            except (cancelled, KeyboardInterrupt) as raised:
                if not shield and call.withdraw():
                    raise
                interrupt = raised
                call.is_cancelled = True
        error, call.error = call.error, None
        if isinstance(error, Cancelled) or isinstance(call.noticed, KeyboardInterrupt):
            interrupt = interrupt or call.noticed
        call.noticed = None
        try:
            if interrupt is not None:
                raise interrupt from (error if isinstance(error, Exception) else None)
            if error is not None:
                raise error
            return call.results.pop()
        finally:
            # The traceback of an error refers to this frame: without this line, a reference cycle.
            del error, interrupt

    def can_run(self) -> bool:
        """Whether this is called in an event loop."""
        try:
            anyio.get_cancelled_exc_class()
        except RuntimeError:
            return False
        return True

    def _work(self, call: "_Call[_T]") -> None:
        if call.begin():
            with self._mutex, working_for(self._owner, call.is_to_stop):
                call.work()
        call.wait()


class _Call(Generic[_T]):
    def __init__(
        self, function: Callable[[], _T], cancelled: type[BaseException], *, may_stop: bool
    ) -> None:
        self._function = function
        self._cancelled = cancelled
        self._may_stop = may_stop
        self._begun = threading.Lock()
        self._done = threading.Event()
        self.is_cancelled = False
        self.results: list[_T] = []
        self.error: BaseException | None = None
        self.noticed: BaseException | None = None
        """What says that the task was cancelled, as it was noticed in the thread."""

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    def begin(self) -> bool:
        """Whether nobody else has begun it, or withdrawn it."""
        return self._begun.acquire(blocking=False)

    def withdraw(self) -> bool:
        """Whether it had not begun, and never will."""
        if not self._begun.acquire(blocking=False):
            return False
        self._done.set()  # or a thread that was started for it would wait for ever
        return True

    def work(self) -> None:
        try:
            self.results.append(self._function())
        except BaseException as raised:
            self.error = raised
        finally:
            self._done.set()

    def wait(self) -> None:
        self._done.wait()

    def is_to_stop(self) -> bool:
        if not self._may_stop:
            return False
        try:
            anyio.from_thread.check_cancelled()
        except (self._cancelled, KeyboardInterrupt) as raised:
            self.noticed = raised
            return True
        return self.is_cancelled
