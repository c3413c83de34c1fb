"""A disk of which a part cannot be changed once a transaction is committed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shotstore.hdf5 import disk
from shotstore.hdf5.disk import Operation
from tests.crash.machine import CommitWatch


class FailingPlace:
    """A file or a directory that cannot be changed from the commit on, nor what is in it."""

    def __init__(self, place: Path, error: int) -> None:
        self._place = str(place)
        self._error = error
        self._watch = CommitWatch()

    def change(self, operation: Operation) -> None:
        """Fail if that is about to be changed."""
        for path in (operation.path, operation.destination):
            if self._watch.is_committed and f"{path}/".startswith(f"{self._place}/"):
                raise OSError(self._error, os.strerror(self._error), path)
        self._watch(operation)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let it fail."""
        disk.observe = self.change
        try:
            yield
        finally:
            disk.observe = None
