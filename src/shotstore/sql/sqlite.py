"""What SQLite does in its own way: one writer at a time, and a file."""

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import (
    BindParameter,
    Connection,
    Engine,
    FromClause,
    QueuePool,
    column,
    create_engine,
    func,
    select,
)
from sqlalchemy.exc import DBAPIError

from shotstore.errors import (
    DamagedStorageError,
    StorageError,
    StorageLockTimeoutError,
    TransactionConflictError,
)
from shotstore.records.recorders import Recorder, RecorderLocks
from shotstore.sql.config import SQLiteConfig

_SLICE = 0.05  # seconds that a lock is waited for at a time, deaf to a Ctrl-C


class SQLite:
    is_bound_to_process = True
    aborts_on_errors = False

    def __init__(self, config: SQLiteConfig, lock_timeout: float) -> None:
        self._path = config.path
        self._lock_timeout = lock_timeout
        self._recorders = RecorderLocks(self._path.with_name(f"{self._path.name}-recorders"))

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def identity(self) -> str:
        return os.path.realpath(self._path)

    def create_engine(self) -> Engine:
        return self._create_engine("rw")

    def prepare(self, check: Callable[[Connection], object]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        engine = self._create_engine("rwc")
        try:
            with engine.connect() as connection:
                check(connection)
                connection.rollback()
                # Kept in the file. Readers and the writer do not wait for each other then.
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        finally:
            engine.dispose()

    def begin(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    def begin_writing(
        self, connection: Connection, *, has_begun: bool, wait: Callable[[], None]
    ) -> None:
        # The second, which changes nothing, makes a writing transaction of one that has read.
        statement = "DELETE FROM writer WHERE 0" if has_begun else "BEGIN IMMEDIATE"
        _set_timeout(connection, _SLICE)
        try:
            while True:
                try:
                    connection.exec_driver_sql(statement)
                    return
                except DBAPIError as error:
                    if _code(error) != sqlite3.SQLITE_BUSY:
                        raise
                wait()
        finally:
            if not connection.invalidated:  # as by a Ctrl-C, which is to be raised as it is
                _set_timeout(connection, self._lock_timeout)

    def begin_upgrade(self, connection: Connection, wait: Callable[[], None]) -> None:
        self.begin_writing(connection, has_begun=False, wait=wait)

    def holder(self, connection: Connection) -> str | None:
        del connection
        return None  # SQLite does not know

    def hold_recorder(self, connect: Callable[[], Connection], mark: str) -> Callable[[], None]:
        connect().close()  # raises where there is no database
        return self._recorders.hold(mark)

    def look_at_recorder(self, connection: Connection, mark: str) -> Recorder | None:
        del connection
        return self._recorders.look(mark)

    def size(self, connection: Connection) -> int:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return int(pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one())

    def parts(self, parts: BindParameter[str]) -> FromClause:
        items = func.json_each(parts).table_valued(column("key"), column("value"))
        return select((items.c.key + 1).label("depth"), items.c.value.label("name")).subquery()

    def understand(self, error: DBAPIError) -> StorageError | None:
        match _code(error):
            case sqlite3.SQLITE_BUSY_SNAPSHOT:
                return TransactionConflictError(
                    "Another session has written since this one began to read: run the block "
                    "again, or open it with storage.session(write=True)."
                )
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED | sqlite3.SQLITE_BUSY_RECOVERY:
                return StorageLockTimeoutError(
                    f"{self._path} is locked by another program: close it there, or try again."
                )
            case sqlite3.SQLITE_CANTOPEN:
                return StorageError(
                    f"{self._path} cannot be opened: it does not exist or is not accessible. To "
                    f"create it, run `shotstore upgrade URL`, or storage.upgrade() in Python."
                )
            case sqlite3.SQLITE_FULL:
                return StorageError(f"The disk is full: {self._path} could not grow.")
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT:
                return DamagedStorageError(
                    f"{self._path} is not an SQLite database, or is damaged ({error.orig}): "
                    "restore it from a backup."
                )
            case int():
                return StorageError(f"{self._path}: {error.orig}.")
        return None

    def _create_engine(self, mode: str) -> Engine:
        return create_engine(
            "sqlite://",
            creator=lambda: _connect(self._path, mode, self._lock_timeout),
            poolclass=QueuePool,
            max_overflow=-1,
            json_serializer=dump_json,
        )


def dump_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _connect(path: Path, mode: str, lock_timeout: float) -> sqlite3.Connection:
    """Open the file, which is created only in the mode "rwc"."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        timeout=lock_timeout,  # also where another process recovers the file, or is the last to go
        isolation_level=None,  # or it would begin transactions of its own
        check_same_thread=False,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _set_timeout(connection: Connection, seconds: float) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def _code(error: DBAPIError) -> int | None:
    """The code of SQLite, which has more than one only for what is told apart here."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code in (sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY) or code is None:
        return code
    return int(code) & 0xFF
