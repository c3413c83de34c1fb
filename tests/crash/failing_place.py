"""A disk of which a part cannot be changed once a transaction is committed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shotstore.hdf5 import disk
from shotstore.hdf5.disk import Operation
from tests.commit_moment import CommitMoment


class FailingPlace:
    """A file or a directory that cannot be changed from the commit on, nor what is in it."""

    def __init__(self, place: Path, error: int) -> None:
        self._place = str(place)
        self._error = error
        self._commit = CommitMoment()

    def change(self, operation: Operation) -> None:
        """Fail if that is about to be changed."""
        is_committed = self._commit.note(operation)
        for path in (operation.path, operation.destination):
            if is_committed and f"{path}/".startswith(f"{self._place}/"):
                raise OSError(self._error, os.strerror(self._error), path)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Let it fail."""
        disk.observe = self.change
        try:
            yield
        finally:
            disk.observe = None
