"""For whom a call works: who owns the write lock that it takes, and whether it need go on waiting.
Who waits for a lock that it keeps from being released itself is told so at once.

An async session makes its calls in changing threads, for a task that can be cancelled meanwhile.
It says so here; a backend that waits asks.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import attrs

from shotstore.errors import StorageLockTimeoutError


class Cancelled(BaseException):
    """Whoever made the call does not want its result any more: it need not wait for a lock."""


@attrs.frozen
class Owner:
    """Whose a session is: that of a thread, and of a task where an event loop runs in it."""

    thread: int
    task: int | None
    """Unique among the tasks that have not ended."""
    is_async: bool
    """Whether the event loop goes on while the session waits."""

    def would_wait_for_itself(self, holder: "Owner") -> bool:
        """Whether the holder of a lock cannot end its session while this owner waits for it."""
        if self.thread != holder.thread:
            return False
        return not self.is_async or holder.task in (None, self.task)


def current_owner() -> Owner:
    """Return for whom the calling thread works: the task of an async session, or else itself."""
    task = _task.get()
    if task is not None:
        return task.owner
    return Owner(threading.get_ident(), _running_task(), is_async=False)


class Holders:
    """Which session of this process has the write lock of each storage."""

    def __init__(self) -> None:
        self._held: dict[object, tuple[str, Owner]] = {}

    def check(self, storage: str, owner: Owner) -> None:
        """Check that a session would not wait for itself, or for one that waits for it; to be
        called now and then while it waits, since its holder may come after it.

        Args:
            storage: What tells it from others, for the message too.
            owner: Whose session is to get the lock.

        Raises:
            StorageLockTimeoutError: it would.
        """
        for held, holder in list(self._held.values()):
            if held == storage and owner.would_wait_for_itself(holder):
                raise _waits_for_itself(storage, owner, holder)

    def add(self, storage: str, owner: Owner) -> Callable[[], None]:
        """The owner has got the lock; return what is to be called when it lets go of it."""
        key = object()
        self._held[key] = storage, owner

        def remove() -> None:
            self._held.pop(key, None)

        return remove

    def clear(self) -> None:
        """In a forked child, which holds no lock."""
        self._held.clear()


holders = Holders()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=holders.clear)


def is_cancelled() -> bool:
    """Return whether the task for which the calling thread works was cancelled."""
    task = _task.get()
    return task is not None and task.is_cancelled()


def check_cancelled() -> None:
    """Raise `Cancelled` if the task for which the calling thread works was cancelled.

    To be called now and then while waiting for a lock, where nothing has changed yet.
    """
    if is_cancelled():
        raise Cancelled


@contextmanager
def working_for(owner: Owner, is_cancelled: Callable[[], bool]) -> Iterator[None]:
    """Let the block work for a task.

    Args:
        owner: The task.
        is_cancelled: Whether the task was cancelled; asked often, in the thread of the block.
    """
    token = _task.set(_Task(owner, is_cancelled))
    try:
        yield
    finally:
        _task.reset(token)


@attrs.frozen
class _Task:
    owner: Owner
    is_cancelled: Callable[[], bool]


_task: ContextVar[_Task | None] = ContextVar("shotstore_task", default=None)


def _running_task() -> int | None:
    """The task of the event loop that runs in the calling thread, if one does."""
    for library in ("asyncio", "trio.lowlevel"):
        module = sys.modules.get(library)  # who runs a loop has imported it
        if module is not None:
            try:
                task = module.current_task()
            except RuntimeError:
                continue  # no loop of this library
            if task is not None:
                return id(task)
    return None


def _waits_for_itself(storage: str, owner: Owner, holder: Owner) -> StorageLockTimeoutError:
    where = "task" if owner.is_async and owner.task == holder.task else "thread"
    remedy = "Leave the first `with` block before the second."
    if holder.is_async and not owner.is_async:
        remedy += (
            " Where another task of the event loop has it, open this one with "
            "`async with storage.async_session()`, or in a thread, so that the loop goes on."
        )
    return StorageLockTimeoutError(
        f"A writing session on {storage} is open in this {where} already, and could not end while "
        f"this one waits for it. {remedy}"
    )
