"""Storages on SQL databases."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from shotstore.model import Serializer
from shotstore.records.arguments import as_flag, as_seconds, as_serializer, shown
from shotstore.session import ExperimentSession, Receive, StorageManager
from shotstore.sql import schema
from shotstore.sql.config import PostgreSQLConfig, SQLiteConfig
from shotstore.sql.database import Database
from shotstore.sql.engine import Engines
from shotstore.sql.postgresql import PostgreSQL
from shotstore.sql.records import RememberedRanges, SQLRecords
from shotstore.sql.sqlite import SQLite
from shotstore.sql.transaction import Transaction, waiting


class SQLStorageManager(StorageManager):
    """Experiments in a SQL database; see the classes for SQLite and PostgreSQL.

    It can be pickled, and used from many threads and processes at once; its sessions cannot. Its
    pickle holds the password. The file store's trash is missing here: what is deleted is gone.
    """

    def __init__(
        self,
        config: SQLiteConfig | PostgreSQLConfig,
        database: Database,
        serializer: Serializer | None,
        lock_timeout: float,
    ) -> None:
        self.config = config
        self._serializer = as_serializer(serializer)
        self._lock_timeout = as_seconds(lock_timeout, "lock_timeout")
        self._engines = Engines(database)
        self._remembered_ranges = RememberedRanges()

    @property
    def serializer(self) -> Serializer:
        return self._serializer

    def session(self, *, write: bool = False) -> ExperimentSession:
        return self._session(write=as_flag(write, "write"))

    def hold_recorder(self, mark: str) -> Callable[[], None]:
        with self._engines.understanding():
            return self._engines.database.hold_recorder(self._engines.connect, mark)

    def upgrade(self) -> None:
        """Create the tables of an empty database, in one transaction. Nothing happens where they
        are there.

        Raises:
            StorageError: the database cannot be reached or written to, or its tables were made by
                another version of shotstore, or by another program. Nothing in it has changed.
            StorageLockTimeoutError: somebody else keeps on upgrading or writing.
        """
        database = self._engines.database
        with self._engines.understanding():
            database.prepare(lambda connection: schema.has_tables(connection, database.name))
            with self._engines.connect_unchecked() as connection:
                wait = waiting(database, connection, self._lock_timeout)
                database.begin_upgrade(connection, wait)
                if not schema.has_tables(connection, database.name):
                    schema.create_tables(connection)
                    connection.commit()

    def has_schema(self) -> bool:
        """Return whether the database has tables of shotstore, of any version, and is not empty.

        Raises:
            StorageError: the database does not exist, cannot be reached, or belongs to another
                program.
        """
        with self._engines.understanding(), self._engines.connect_unchecked() as connection:
            return schema.get_version(connection, self.name) is not None

    def get_size(self) -> int:
        """Return how many bytes the database takes on its disk.

        Raises:
            StorageError: the database does not exist, or cannot be reached.
        """
        with self._engines.understanding(), self._engines.connect() as connection:
            return self._engines.database.size(connection)

    @property
    def name(self) -> str:
        """Where the database is: the path of a file, or a URL without a password."""
        return self._engines.database.name

    def _session(self, *, write: bool, beside_writers: bool = False) -> ExperimentSession:
        def begin() -> SQLRecords:
            engines = self._engines
            transaction = Transaction(engines, self._lock_timeout, beside_writers=beside_writers)
            return SQLRecords(transaction, engines.database, self._remembered_ranges)

        return ExperimentSession(self, self._serializer, begin, write=write)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def __reduce__(self) -> tuple[Callable[..., "SQLStorageManager"], tuple[Any, ...]]:
        cls: Any = type(self)  # of which each has a config and a database of its own
        options = {"serializer": self._serializer, "lock_timeout": self._lock_timeout}
        return partial(cls, **options), (self.config,)


class SQLiteStorageManager(SQLStorageManager):
    """Experiments in a SQLite database, one file on one machine.

    A writing session waits until the one before it has ended, and readers wait for nobody. Each
    commit is on the disk when it is acknowledged.
    """

    config: SQLiteConfig

    def __init__(
        self,
        config: SQLiteConfig,
        *,
        serializer: Serializer | None = None,
        lock_timeout: float = 30,
    ) -> None:
        """Nothing is read yet; see :meth:`upgrade` for a new database.

        Args:
            config: Where the database is.
            serializer: Turns recipes and device configurations into JSON and back; by default a
                `DefaultSerializer`, which knows the classes of `shotstore.model`.
            lock_timeout: Seconds to wait for other writing sessions before
                `StorageLockTimeoutError`.

        Raises:
            ValueError: the timeout is negative.
            TypeError: an argument is of another type.
        """
        _check_config(config, SQLiteConfig)
        database = SQLite(config, as_seconds(lock_timeout, "lock_timeout"))
        super().__init__(config, database, serializer, lock_timeout)


class PostgreSQLStorageManager(SQLStorageManager):
    """Experiments in a database on a PostgreSQL server, for many machines.

    Transactions are serializable, and one session writes at a time, so that one which writes
    before it reads is never in conflict. Readers wait for nobody.
    """

    config: PostgreSQLConfig

    def __init__(
        self,
        config: PostgreSQLConfig,
        *,
        serializer: Serializer | None = None,
        lock_timeout: float = 30,
    ) -> None:
        """Nothing is read yet; see :meth:`upgrade` for a new database.

        Args:
            config: Where the database is, and who asks.
            serializer: Turns recipes and device configurations into JSON and back; by default a
                `DefaultSerializer`, which knows the classes of `shotstore.model`.
            lock_timeout: Seconds to wait for other writing sessions before
                `StorageLockTimeoutError`.

        Raises:
            ValueError: the timeout is negative.
            TypeError: an argument is of another type.
        """
        _check_config(config, PostgreSQLConfig)
        super().__init__(config, PostgreSQL(config), serializer, lock_timeout)

    @contextmanager
    def receiving(self) -> Iterator[Receive]:
        # The server lets all write at once, and finds out who meets whom.
        yield lambda _: self._session(write=False, beside_writers=True)


def _check_config(config: object, cls: type) -> None:
    if not isinstance(config, cls):
        raise TypeError(f"config must be a {cls.__name__}, not {shown(config)}.")
