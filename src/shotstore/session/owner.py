"""For whom a call works: who owns the write lock that it takes, and whether it need go on waiting.

An async session makes its calls in changing threads, for a task that can be cancelled meanwhile.
It says so here; a backend that waits asks.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

import attrs


class Cancelled(BaseException):
    """Whoever made the call does not want its result any more: it need not wait for a lock."""


@attrs.frozen
class Owner:
    """Who would wait for itself with a second writing session inside of the first.

    Its text is "this thread" or "this task".
    """

    kind: Literal["thread", "task"]
    id: int
    """Unique among the threads, or tasks, that have not ended."""

    def __str__(self) -> str:
        return f"this {self.kind}"


def current_owner() -> Owner:
    """Return for whom the calling thread works: the task of an async session, or else itself."""
    task = _task.get()
    return Owner("thread", threading.get_ident()) if task is None else task.owner


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
