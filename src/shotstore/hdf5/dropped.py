"""What to do about sessions that are dropped inside their block, as one in a generator can be.

The garbage collector finds them anywhere: in a callback of HDF5, with h5py's lock held, while a
thread is being started, or just where a Ctrl-C comes. Nothing but a queue that is written in C may
be touched there, so a thread of ours does the work.
"""

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias

from shotstore.hdf5.worker import run, stop

_Action: TypeAlias = Callable[[], object]

_LONGEST_END = 5.0  # seconds

_watched: dict[_Action, "weakref.ref[Any]"] = {}
_due: "SimpleQueue[_Action]" = SimpleQueue()
_threads: dict[int, threading.Thread] = {}
"""The one that does the work, by process."""


def call_when_dropped(owner: object, action: _Action) -> None:
    """Call ``action``, which must not refer to ``owner``, once nobody refers to ``owner`` any more,
    or when Python exits."""
    if os.getpid() not in _threads:
        run(_start)  # where no Ctrl-C comes between
    # The queue takes the reference, which the callback is called with, for a flag that is true.
    _watched[action] = weakref.ref(owner, partial(_due.put, action))


def forget(action: _Action) -> None:
    """Call the action no more. What has failed may refer to its owner, by the traceback of its
    error, and would keep it for ever."""
    _watched.pop(action, None)


def settle(timeout: float) -> None:
    """Wait, but no longer than so many seconds, until what is due by now is done."""
    if os.getpid() not in _threads:  # nothing is watched, as in a child that was just forked
        return
    is_done = threading.Event()
    _due.put(is_done.set)
    is_done.wait(timeout)


def _start() -> None:
    thread = threading.Thread(target=_work, name="shotstore", daemon=True)
    if _threads.setdefault(os.getpid(), thread) is thread:  # or another thread was faster
        try:
            thread.start()
        except BaseException:
            _threads.pop(os.getpid(), None)
            raise


def _end() -> bool:
    """Let the thread do what is due and then nothing any more: where Python ends, a thread that is
    inside HDF5 ends there, with h5py's lock. Return whether it has come so far."""
    if os.getpid() not in _threads:
        return True
    has_ended = threading.Event()

    def wait_for_ever() -> None:
        has_ended.set()
        threading.Event().wait()

    _due.put(wait_for_ever)
    return has_ended.wait(_LONGEST_END)


def _work() -> None:
    while True:
        action = _due.get()
        _watched.pop(action, None)
        with suppress(Exception):  # nobody is there to be told, and others wait
            action()
        del action  # or its transaction would stay until the next one


@atexit.register
def _finish() -> None:
    """HDF5 closes what is open after Python has ended, and would call into it."""
    has_ended, has_stopped = _end(), stop()
    if has_ended and has_stopped:
        for action in list(_watched):
            with suppress(Exception):  # the others are to be done all the same
                action()


def _forget_all() -> None:
    """In a forked child, which has the sessions of its parent, but none of the threads."""
    global _due
    _watched.clear()
    _threads.clear()
    _due = SimpleQueue()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
