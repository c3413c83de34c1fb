"""Threads that do the backend's work, where no signal handler can interrupt it.

A Ctrl-C raises `KeyboardInterrupt` between any two instructions of the main thread. Inside a
callback of HDF5, or between taking a lock and noting that it is taken, that leaves unusable files
and locks nobody releases. Python runs signal handlers in the main thread only, so each operation
of a session runs whole on a thread of ours, and the caller waits until it is done before it lets
the interrupt through.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any, Generic, TypeVar

import h5py
from attrs import define, field

from shotstore.records.owner import Cancelled, is_cancelled

_T = TypeVar("_T")

_LONGEST_WAIT = 0.1  # seconds
_LONGEST_STOP = 5.0  # seconds
_PROCESSORS = min(4, os.cpu_count() or 1)
"""More of them read no faster: the memory is the limit."""

_idle: "list[_Worker]" = []
"""Workers without a job; `list.append` and `list.pop` are atomic."""


_exiting_thread: int | None = None
"""The one that ends Python, once it does."""

_is_inside_h5py: Callable[[], bool] = h5py._objects.phil._is_owned
"""Whether the caller is in a callback of h5py, such as that of ``visititems``: it holds h5py's
lock, for which a worker would wait while the caller waits for the worker."""


def run(function: Callable[[], _T]) -> _T:
    """Call ``function`` on a worker thread and return what it returns, or raise what it raises.

    An exception that a signal handler raises meanwhile in the calling thread is raised once the
    function has ended. Where the task for which the calling thread works is cancelled, the
    function stops waiting for locks.

    Raises:
        Cancelled: the task was cancelled before the function got its lock.
    """
    if (
        isinstance(threading.current_thread(), _Worker)
        or _is_inside_h5py()
        or _exiting_thread == threading.get_ident()
    ):
        return function()
    job = _Job(function)
    worker = _idle_worker()
    interrupt: BaseException | None = None
    try:
        worker.jobs.put(job)
    except BaseException as raised:
        # Most likely it is in the queue, but whether it is cannot be known: a job runs only once.
        worker.jobs.put(job)
        interrupt = raised
        job.is_cancelled = True
    try:
        while not job.is_done:
            try:
                # A signal just before it waits is not noticed until it looks again.
                job.done.get(timeout=_LONGEST_WAIT)
            except Empty:
                job.is_cancelled = job.is_cancelled or is_cancelled()
            except BaseException as raised:
                interrupt = raised
                job.is_cancelled = True
    finally:
        job.is_cancelled = True  # even where a second Ctrl-C has come meanwhile
    if _exiting_thread is not None:
        wait_if_exiting()
    try:
        if interrupt is not None:
            raise interrupt from (job.error if isinstance(job.error, Exception) else None)
        return job.result()
    finally:
        # The traceback of an error refers to this frame: without this line, a reference cycle.
        del job, interrupt


def run_together(functions: Sequence[Callable[[], _T]]) -> list[_T]:
    """Call functions at the same time, as far as there are processors for it; return what they
    return. Each lets go of Python for most of its time, and does not touch HDF5.

    Raises:
        Exception: what one of them raised, once all have ended.
    """
    if len(functions) == 1:
        return [functions[0]()]
    jobs = [_Job(function) for function in functions]
    waiting, ended = deque(jobs), SimpleQueue[_Job[_T]]()

    def work() -> None:
        while waiting:
            try:
                job = waiting.popleft()
            except IndexError:  # another thread took it
                return
            job.run()
            ended.put(job)

    with suppress(RuntimeError):  # the system gives no more threads
        for _ in range(min(len(functions), _PROCESSORS) - 1):
            _idle_worker().jobs.put(_Job(work))
    work()  # all of it, where the others have no time
    for _ in jobs:
        ended.get()
    try:
        return [job.result() for job in jobs]
    finally:
        for job in jobs:
            job.error = None  # or its traceback would be a reference cycle


def check_cancelled() -> None:
    """Raise `Cancelled` if the caller of the running job was interrupted, or if Python exits."""
    current = threading.current_thread()
    if isinstance(current, _Worker) and current.job is not None and current.job.is_cancelled:
        raise Cancelled


def stop() -> bool:
    """Let every other thread wait for the end where it next comes by, since Python exits; return
    whether no job is running any more.

    A daemon thread ends wherever it happens to be. Inside HDF5 it would keep h5py's lock, and
    Python, which frees the objects of h5py, would wait for that for ever.
    """
    global _exiting_thread
    _exiting_thread = threading.get_ident()
    deadline = monotonic() + _LONGEST_STOP
    for worker in threading.enumerate():
        while isinstance(worker, _Worker) and (job := worker.job) is not None:
            job.is_cancelled = True
            if monotonic() > deadline:
                return False
            sleep(0.001)
    return True


def is_exiting() -> bool:
    """Whether Python exits, so that what is opened may not be closed any more."""
    return _exiting_thread is not None


def wait_if_exiting() -> None:
    """Wait for ever if Python exits in another thread: nobody is to know what becomes of this."""
    if _exiting_thread not in (None, threading.get_ident()):
        threading.Event().wait()


@define(eq=False)
class _Job(Generic[_T]):
    _function: Callable[[], _T]
    _value: list[_T] = field(factory=list, init=False)
    error: BaseException | None = field(default=None, init=False)
    is_done: bool = field(default=False, init=False)
    # Not an Event: a Ctrl-C in the midst of its Python code leaves its lock locked for ever.
    done: "SimpleQueue[None]" = field(factory=SimpleQueue, init=False)
    """Something is in it once it is done."""
    is_cancelled: bool = field(default=False, init=False)

    def run(self) -> None:
        try:
            self._value.append(self._function())
        except BaseException as raised:
            self.error = raised

    def result(self) -> _T:
        if self.error is not None:
            try:
                raise self.error
            finally:
                self.error = None
        return self._value.pop()


class _Worker(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="shotstore", daemon=True)
        self.jobs: SimpleQueue[_Job[Any]] = SimpleQueue()
        self.job: _Job[Any] | None = None
        self.start()

    def run(self) -> None:
        while True:
            job = self.job = self.jobs.get()
            if _exiting_thread is not None:
                self.job = None
                wait_if_exiting()
            if not job.is_done:
                job.run()
                _idle.append(self)
                job.is_done = True
                job.done.put(None)
            self.job = None
            del job  # or the thread would keep the job's function alive until its next one


def _idle_worker() -> _Worker:
    try:
        return _idle.pop()
    except IndexError:
        return _Worker()


if hasattr(os, "register_at_fork"):
    # A forked child has the list but none of the threads.
    os.register_at_fork(after_in_child=_idle.clear)
