"""What of a machine a test decides: whether it was started anew, who is beside, and how large a
log is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from shotstore.hdf5 import rounds
from shotstore.hdf5.disk import Operation
from shotstore.hdf5.locks import Locks
from shotstore.hdf5.log import counter, log_file
from shotstore.hdf5.log.log_file import START

BLOCK = 4096


@contextmanager
def started(number: int) -> Iterator[None]:
    """The machine was started for the so-manieth time; 0 if it does not tell."""
    with patch.object(counter, "boot_id", lambda: bytes([number]) * 16):
        yield


@contextmanager
def small_log(blocks: int, most: int) -> Iterator[None]:
    """A log has room for so many blocks at first, and for ``most`` once it has grown."""
    smallest, largest = START + blocks * BLOCK, START + most * BLOCK
    with ExitStack() as stack:
        for module in (rounds, log_file):
            stack.enter_context(patch.object(module, "SMALLEST", smallest))
            stack.enter_context(patch.object(module, "LARGEST", largest))
        yield


@contextmanager
def somebody_beside(root: Path) -> Iterator[None]:
    """Another process uses the store too."""
    leave = Locks(root / ".shotstore", 1).join(lambda: None)
    try:
        yield
    finally:
        leave()


def both(*observers: Callable[[Operation], object] | None) -> Callable[[Operation], None]:
    """Let several observers see each operation."""

    def observe(operation: Operation) -> None:
        for each in observers:
            if each is not None:
                each(operation)

    return observe
