"""A transaction: a copy of the content, which becomes that of the storage when it is committed."""

from collections.abc import Callable
from typing import TypeVar

from shotstore.errors import TransactionConflictError
from shotstore.memory.content import Content
from shotstore.memory.memory import Memory
from shotstore.model.unit_definitions import UnitDefinition, add_definitions
from shotstore.records.content import Setting
from shotstore.records.stored_transaction import StoredTransaction

_T = TypeVar("_T")


class InMemoryTransaction(StoredTransaction):
    """See `StoredTransaction`."""

    def __init__(self, memory: Memory, lock_timeout: float) -> None:
        self.memory = memory
        self._lock_timeout = lock_timeout
        self._is_writing = False
        self.is_open = True
        self._base: Content | None = None
        """What was committed when the session first looked."""
        self.content = Content()
        """What has become of it since; inside of a job."""

    def read(self, job: Callable[[], _T]) -> _T:
        self._look()
        return job()

    def write(self, job: Callable[[], _T]) -> _T:
        self.begin_writing()
        self._look()
        return job()

    def begin_writing(self) -> None:
        self.check_open()
        if self._is_writing:
            return
        self.memory.acquire(self._lock_timeout)
        if self._base is not None and self._base is not self.memory.content:
            self.memory.release()
            raise TransactionConflictError(
                "Another session has committed since this one began to read: run the block again, "
                "or open the session with write=True."
            )
        self._is_writing = True

    def commit(self) -> None:
        if self._is_writing and self._base is not None:
            self.memory.content = self.content
        self.rollback()

    def rollback(self) -> None:
        self.is_open = False
        if self._is_writing:
            self._is_writing = False
            self.memory.release()

    def _look(self) -> None:
        self.check_open()
        if self._base is None:
            content = self.memory.content
            units = content.settings.get(Setting("units"), {}).get("definitions", [])
            add_definitions(map(UnitDefinition.parse, units), self.memory.name)
            self._base = content
            self.content = content.copy()
