"""Connections to a database: one pool a process, and only to tables of the library's version."""

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from shotstore.sql import schema
from shotstore.sql.database import Database


class Engines:
    """The engine of a storage, which a forked child must not share with its parent."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._engine: Engine | None = None
        self._process = os.getpid()
        self._is_checked = False
        self._mutex = threading.Lock()

    def connect(self) -> Connection:
        """Return a connection on which no transaction has begun.

        Raises:
            StorageError: the tables are missing, or of another version.
        """
        engine = self._get()
        if not self._is_checked:
            with engine.connect() as connection:
                self.database.begin(connection)
                schema.check_version(schema.get_version(connection), self.database.name)
            self._is_checked = True
        return engine.connect()

    def connect_unchecked(self) -> Connection:
        """Return a connection, whatever the database holds."""
        return self._get().connect()

    @contextmanager
    def understanding(self) -> Iterator[None]:
        """Raise a `StorageError` in the place of an error of the database that has one."""
        try:
            yield
        except DBAPIError as error:
            understood = self.database.understand(error)
            if understood is None:
                raise
            raise understood from error

    def _get(self) -> Engine:
        with self._mutex:
            if self._process != os.getpid():
                if self._engine is not None:
                    self._engine.dispose(close=False)  # the connections are the parent's
                self._engine, self._process, self._is_checked = None, os.getpid(), False
            if self._engine is None:
                self._engine = self.database.create_engine()
                weakref.finalize(self, self._engine.dispose)
            return self._engine
