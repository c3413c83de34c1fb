"""One transaction on a database, from the first statement of a session to its end."""

import os
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from shotstore.errors import (
    CommitUncertainError,
    DataNotFoundError,
    PathError,
    SequenceStateError,
    ShotExistsError,
    ShotNotFoundError,
    StorageError,
    StorageLockTimeoutError,
    TransactionConflictError,
)
from shotstore.model.unit_definitions import UnitDefinition, add_definitions
from shotstore.records.owner import check_cancelled, current_owner, holders
from shotstore.records.stored_transaction import StoredTransaction
from shotstore.sql.database import Database
from shotstore.sql.engine import Engines
from shotstore.sql.settings import read_units

_T = TypeVar("_T")

_REFUSALS = (
    PathError,
    SequenceStateError,
    ShotExistsError,
    ShotNotFoundError,
    DataNotFoundError,
    StorageError,
    TypeError,
    ValueError,
)
"""What an operation raises before it changes anything."""


class Transaction(StoredTransaction):
    """What a session does to a database."""

    def __init__(
        self, engines: Engines, lock_timeout: float, *, beside_writers: bool = False
    ) -> None:
        """With ``beside_writers``, it writes without keeping others from writing."""
        self._engines = engines
        self._lock_timeout = lock_timeout
        self._connection: Connection | None = None
        self._beside_writers = beside_writers
        self._knows_units = False
        self._writes = False
        self._has_changes = False
        self._forget_holder: Callable[[], None] | None = None
        self._failure: BaseException | None = None
        self._process = os.getpid()
        self.is_open = True

    @property
    def connection(self) -> Connection:
        """That of the transaction; inside of a job."""
        assert self._connection is not None
        return self._connection

    def read(self, job: Callable[[], _T]) -> _T:
        """Call a function that reads.

        Raises:
            TransactionConflictError: it met what another session did, in a way that has no order.
            StorageError: the database cannot be reached, or is not as it should be.
        """

        def work() -> _T:
            self._begin()
            return job()

        return self._call(work)

    def write(self, job: Callable[[], _T]) -> _T:
        """Call a function that changes something, once this is the session that writes.

        It must check everything before it changes anything.

        Raises:
            StorageLockTimeoutError: another session keeps on writing.
            TransactionConflictError: another session has changed what this one has read.
            StorageError: the database cannot be reached, or is not as it should be.
        """
        self.begin_writing()

        def work() -> _T:
            self._begin()
            try:
                result = job()
            except _REFUSALS:
                raise  # it has checked, and not begun
            except BaseException as error:
                # Half of it may have been done, as where a Ctrl-C came: it can only be discarded.
                self._failure = error
                raise
            self._has_changes = True
            return result

        return self._call(work)

    def begin_writing(self) -> None:
        """Become the session that writes; see `write`."""
        if not (self._writes and self.is_open):
            self._call(self._begin_writing)

    def commit(self) -> None:
        """Make everything durable, at once, and end.

        Raises:
            CommitUncertainError: the connection was lost meanwhile.
            TransactionConflictError: what was read, or is to be written, fits no order of sessions.
            Exception: nothing has changed.
        """
        try:
            # PostgreSQL vouches for what was read only if that is committed too.
            has_read = self._connection is not None and self._failure is None
            if self._has_changes or has_read:
                self._call(self._commit)
        finally:
            self.rollback()

    def rollback(self) -> None:
        """Discard what was not committed, and end."""
        self.is_open = False
        connection, self._connection = self._connection, None
        forget_holder, self._forget_holder = self._forget_holder, None
        if forget_holder is not None:
            forget_holder()
        if connection is not None and os.getpid() == self._process:
            connection.close()

    # Helpers

    def _begin(self) -> None:
        if self._connection is None:
            connection = self._engines.connect()
            self._engines.database.begin(connection)
            self._connection = connection
        if not self._knows_units:
            definitions = map(UnitDefinition.parse, read_units(self._connection))
            add_definitions(definitions, self._engines.database.name)
            self._knows_units = True

    def _begin_writing(self) -> None:
        if self._beside_writers:
            self._writes = True
            return
        database = self._engines.database
        owner = current_owner()
        holders.check(database.identity, owner)
        has_begun = self._connection is not None
        connection = self._engines.connect() if self._connection is None else self._connection
        give_up = waiting(database, connection, self._lock_timeout)

        def wait() -> None:
            holders.check(database.identity, owner)
            give_up()

        try:
            database.begin_writing(connection, has_begun=has_begun, wait=wait)
            self._connection, self._writes = connection, True
            self._forget_holder = holders.add(database.identity, owner)
        finally:
            if not self._writes and not has_begun:
                connection.close()

    def _commit(self) -> None:
        assert self._connection is not None
        try:
            self._connection.commit()
        except DBAPIError as error:
            if error.connection_invalidated and self._has_changes:
                raise CommitUncertainError(
                    f"The connection to {self._engines.database.name} was lost during the commit: "
                    f"look whether it was done before you do it again."
                ) from error
            raise

    def _call(self, function: Callable[[], _T]) -> _T:
        self.check_open()
        if os.getpid() != self._process:
            raise StorageError(
                "This session belongs to the process that this one was forked from: open a new one."
            )
        if isinstance(self._failure, TransactionConflictError):
            raise TransactionConflictError(*self._failure.args) from self._failure
        if self._failure is not None:
            why = str(self._failure) or type(self._failure).__name__
            raise StorageError(
                "This session failed while it was writing, or was interrupted, so it can only be "
                f"left, which discards everything it did: {why}"
            ) from self._failure
        database = self._engines.database
        with self._engines.understanding():
            try:
                return function()
            except DBAPIError as error:
                if database.aborts_on_errors or self._is_cut_off():
                    self._failure = database.understand(error) or error
                raise
            except BaseException as error:
                if self._failure is None and self._is_cut_off():
                    self._failure = error
                raise

    def _is_cut_off(self) -> bool:
        """Whether the connection was given up, and with it the transaction, as where a Ctrl-C came
        while the database was at work."""
        return self._connection is not None and self._connection.invalidated


def waiting(database: Database, connection: Connection, timeout: float) -> Callable[[], None]:
    """Return what is to be called between two attempts to become the one that writes: it raises
    `StorageLockTimeoutError` once so many seconds have passed."""
    deadline = monotonic() + timeout

    def wait() -> None:
        check_cancelled()
        if monotonic() >= deadline:
            holder = database.holder(connection) or "another session"
            raise StorageLockTimeoutError(
                f"{holder} has kept on writing to {database.name} for {timeout:g} s: wait until it "
                f"is done, or end it."
            )

    return wait
