"""What was committed, and how those who write keep each other waiting."""

import threading

from shotstore.errors import StorageLockTimeoutError
from shotstore.memory.content import Content
from shotstore.records.owner import current_owner, holders


class Memory:
    """What was committed, and which session is to write next."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.content = Content()
        """Replaced by each commit, never changed."""
        self.recorders: set[str] = set()
        """The marks of those who record at the moment."""
        self._is_written = False
        self._is_free = threading.Condition()

    def acquire(self, timeout: float) -> None:
        """Become the one who writes.

        Raises:
            StorageLockTimeoutError: the caller does it already, or another one for too long.
        """
        owner = current_owner()

        def is_free() -> bool:
            holders.check(self.name, owner)
            return not self._is_written

        with self._is_free:
            if not self._is_free.wait_for(is_free, timeout):
                raise StorageLockTimeoutError(
                    f"Another writing session has kept this one waiting for {timeout} s: try again."
                )
            self._is_written = True
            self._forget_holder = holders.add(self.name, owner)

    def release(self) -> None:
        """Let the next one write."""
        with self._is_free:
            self._is_written = False
            self._forget_holder()
            self._is_free.notify_all()
