"""The end of a program by ``kill``, as by the system when it shuts down."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def taking_termination_for_ctrl_c() -> Iterator[None]:
    """Let the block be left by a ``kill`` as it is by Ctrl-C, where the program does not say
    otherwise: Python alone would be gone at once. Only in the main thread, which takes signals."""
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # An event loop has a handler of its own for Ctrl-C, which ends its tasks.
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler):  # ignored, as in a program that a shell has put into the background
        raise KeyboardInterrupt
    handler(number, frame)
