"""The storage, and how its writing sessions keep each other waiting."""

import threading
import uuid
from collections.abc import Callable
from typing import Any
from weakref import WeakValueDictionary

from shotstore.errors import StorageLockTimeoutError
from shotstore.memory.content import Content
from shotstore.memory.session import InMemoryExperimentSession
from shotstore.model import Serializer
from shotstore.records.arguments import as_flag, as_seconds, as_serializer
from shotstore.records.owner import current_owner, holders
from shotstore.session import StorageManager


class InMemoryStorageManager(StorageManager):
    """Experiments in the memory of this process.

    A pickle of it opens the same storage, in the same process.
    """

    def __init__(
        self, *, serializer: Serializer | None = None, lock_timeout: float = 30, name: str = ""
    ) -> None:
        """Create an empty storage.

        Args:
            serializer: Turns recipes and device configurations into JSON and back; by default a
                `DefaultSerializer`, which knows the classes of `shotstore.model`.
            lock_timeout: Seconds to wait for other writing sessions before
                `StorageLockTimeoutError`.
            name: That of a storage in this process, to be opened once more.
        """
        self._name = name or uuid.uuid4().hex
        self._memory = _MEMORIES.setdefault(self._name, Memory(self._name))
        self._arguments: dict[str, Any] = {
            "serializer": as_serializer(serializer),
            "lock_timeout": as_seconds(lock_timeout, "lock_timeout"),
            "name": self._name,
        }

    @property
    def serializer(self) -> Serializer:
        serializer: Serializer = self._arguments["serializer"]
        return serializer

    def session(self, *, write: bool = False) -> InMemoryExperimentSession:
        return InMemoryExperimentSession(
            self,
            self._memory,
            self._arguments["serializer"],
            self._arguments["lock_timeout"],
            write=as_flag(write, "write"),
        )

    def __reduce__(self) -> tuple[Callable[..., "InMemoryStorageManager"], tuple[dict[str, Any]]]:
        return _open, (self._arguments,)


class Memory:
    """What was committed, and which session is to write next."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.content = Content()
        """Replaced by each commit, never changed."""
        self._is_written = False
        self._is_free = threading.Condition()

    def acquire(self, timeout: float) -> None:
        """Become the one who writes.

        Raises:
            StorageLockTimeoutError: the caller does it already, or another one for too long.
        """
        owner = current_owner()

        def is_free() -> bool:
            holders.check(self._name, owner)
            return not self._is_written

        with self._is_free:
            if not self._is_free.wait_for(is_free, timeout):
                raise StorageLockTimeoutError(
                    f"Another writing session has kept this one waiting for {timeout} s: try again."
                )
            self._is_written = True
            self._forget_holder = holders.add(self._name, owner)

    def release(self) -> None:
        """Let the next one write."""
        with self._is_free:
            self._is_written = False
            self._forget_holder()
            self._is_free.notify_all()


_MEMORIES: WeakValueDictionary[str, Memory] = WeakValueDictionary()


def _open(arguments: dict[str, Any]) -> InMemoryStorageManager:
    return InMemoryStorageManager(**arguments)
