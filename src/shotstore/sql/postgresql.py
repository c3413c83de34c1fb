"""What PostgreSQL does in its own way: a server, and serializable transactions side by side."""

import os
import platform
from collections.abc import Callable

from sqlalchemy import (
    JSON,
    BindParameter,
    Connection,
    Engine,
    FromClause,
    Text,
    cast,
    column,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from shotstore.errors import StorageError, StorageLockTimeoutError, TransactionConflictError
from shotstore.installing import needed
from shotstore.records.recorders import Recorder
from shotstore.sql.config import PostgreSQLConfig
from shotstore.sql.sqlite import dump_json

_SLICE = 200  # milliseconds that a lock is waited for at a time

_SERIALIZATION_FAILURE = "40001"
_DEADLOCK_DETECTED = "40P01"
_LOCK_NOT_AVAILABLE = "55P03"
_UNIQUE_VIOLATION = "23505"
_INSUFFICIENT_PRIVILEGE = "42501"

# None of these takes the transaction's snapshot: what it reads is read after the lock is taken.
_LOCK = f"""
SAVEPOINT writing;
SET LOCAL lock_timeout = {_SLICE};
LOCK TABLE writer IN EXCLUSIVE MODE;
RELEASE SAVEPOINT writing;
SET LOCAL lock_timeout TO DEFAULT;
"""

_UPGRADE = int.from_bytes(b"shotstor")
"""The number of the lock of those that create or change the tables."""

_HOLDER = text("""
SELECT application_name, client_addr
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE relation = 'writer'::regclass AND mode = 'ExclusiveLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""")

_RECORDER = text("""
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND objsubid = 1 AND granted
        AND classid = CAST(:high AS bigint)::oid AND objid = CAST(:low AS bigint)::oid
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
""")


class PostgreSQL:
    is_bound_to_process = False
    aborts_on_errors = True

    def __init__(self, config: PostgreSQLConfig) -> None:
        self._config = config

    @property
    def name(self) -> str:
        config = self._config
        return f"postgresql://{config.username}@{config.host}:{config.port}/{config.database}"

    @property
    def identity(self) -> str:
        config = self._config
        return f"postgresql://{config.host}:{config.port}/{config.database}"

    def create_engine(self) -> Engine:
        with needed("A PostgreSQL database", "postgresql"):
            import psycopg  # noqa: F401 - what SQLAlchemy connects with
        return create_engine(
            self._config.url,
            isolation_level="SERIALIZABLE",
            max_overflow=-1,
            pool_pre_ping=True,  # a server that was restarted is met with a new connection
            json_serializer=dump_json,
            connect_args={
                # Times of all years fit, and a commit is on the disk, whatever the server's default
                "options": "-c timezone=UTC -c synchronous_commit=on -c lock_timeout=30s",
                "client_encoding": "utf8",
                "application_name": f"shotstore, process {os.getpid()} on {platform.node()}",
            },
        )

    def prepare(self, check: Callable[[Connection], object]) -> None:
        engine = self.create_engine()
        try:
            with engine.connect() as connection:
                check(connection)
                encoding = connection.scalar(text("SHOW server_encoding"))
        finally:
            engine.dispose()
        if encoding != "UTF8":
            raise StorageError(
                f"{self.name} has the encoding {encoding}, which cannot hold all texts: create a "
                f"database with ENCODING 'UTF8'."
            )

    def begin(self, connection: Connection) -> None:
        """It begins by itself with the first statement."""

    def begin_writing(
        self, connection: Connection, *, has_begun: bool, wait: Callable[[], None]
    ) -> None:
        del has_begun  # conflicts are found by the server, at the latest on commit
        while True:
            try:
                connection.exec_driver_sql(_LOCK)
                return
            except DBAPIError as error:
                if _state(error) != _LOCK_NOT_AVAILABLE:
                    raise
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT writing")
            wait()

    def begin_upgrade(self, connection: Connection, wait: Callable[[], None]) -> None:
        del wait  # the server gives up by itself
        # What is read after the lock is to be what the one before has committed.
        connection.execution_options(isolation_level="READ COMMITTED")
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE)))

    def holder(self, connection: Connection) -> str | None:
        found = connection.execute(_HOLDER).first()
        if found is None:
            return None
        return f"{found[0]} ({found[1]})" if found[1] else str(found[0])

    def hold_recorder(self, connect: Callable[[], Connection], mark: str) -> Callable[[], None]:
        connection = connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # so that it is closed, and not given to somebody else
        connection.execute(select(func.pg_advisory_lock(_number_of(mark))))
        return connection.close

    def look_at_recorder(self, connection: Connection, mark: str) -> Recorder | None:
        number = _number_of(mark) % 2**64
        halves = {"high": number >> 32, "low": number % 2**32}
        return "alive" if connection.execute(_RECORDER, halves).scalar_one() else "gone"

    def size(self, connection: Connection) -> int:
        size = func.pg_database_size(func.current_database())
        return int(connection.execute(select(size)).scalar_one())

    def parts(self, parts: BindParameter[str]) -> FromClause:
        items = (
            func.json_array_elements_text(cast(parts, JSON))
            .table_valued(column("name", Text), with_ordinality="depth")
            .render_derived()
        )
        return select(items.c.depth, items.c.name).subquery()

    def understand(self, error: DBAPIError) -> StorageError | None:
        state = _state(error)
        # All is checked before it is written, so it is another session that was first.
        if state in (_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED, _UNIQUE_VIOLATION):
            return TransactionConflictError(
                "Another session has changed what this one has read: run the block again, or open "
                "it with storage.session(write=True)."
            )
        if state == _LOCK_NOT_AVAILABLE:
            return StorageLockTimeoutError(
                "Another session keeps a lock on what this one was to change: try again."
            )
        message = str(error.orig).strip().partition("\n")[0]
        if state == _INSUFFICIENT_PRIVILEGE:
            return StorageError(
                f"{self.name} does not let {self._config.username} do this ({message}): ask the "
                f"owner of the database to grant it."
            )
        if state or isinstance(error, InterfaceError | OperationalError):
            return StorageError(f"{self.name}: {message}")
        return None


def _number_of(mark: str) -> int:
    """The number of an advisory lock."""
    return int.from_bytes(bytes.fromhex(mark)[:8], signed=True)


def _state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
