"""The storage in memory."""

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

from shotstore.memory.memory import Memory
from shotstore.memory.records import InMemoryRecords
from shotstore.memory.transaction import InMemoryTransaction
from shotstore.model import Serializer
from shotstore.records.arguments import as_flag, as_seconds, as_serializer
from shotstore.session import ExperimentSession, StorageManager


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

    def session(self, *, write: bool = False) -> ExperimentSession:
        return ExperimentSession(
            self, self._arguments["serializer"], self._begin, write=as_flag(write, "write")
        )

    def hold_recorder(self, mark: str) -> Callable[[], None]:
        self._memory.recorders.add(mark)
        return partial(self._memory.recorders.discard, mark)

    def _begin(self) -> InMemoryRecords:
        return InMemoryRecords(InMemoryTransaction(self._memory, self._arguments["lock_timeout"]))

    def __reduce__(self) -> tuple[Callable[[], "InMemoryStorageManager"], tuple[()]]:
        return partial(type(self), **self._arguments), ()


_MEMORIES: WeakValueDictionary[str, Memory] = WeakValueDictionary()
