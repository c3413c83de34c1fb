"""Connections to a database: one pool a process, and only to tables of the library's version."""

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from shotstore.errors import StorageError
from shotstore.sql import schema
from shotstore.sql.database import Database


class Engines:
    """The engine of a storage, which a forked child must not share with its parent."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._engine: Engine | None = None
        self._entries: weakref.WeakSet[Any] = weakref.WeakSet()
        self._is_checked = False
        self._mutex = threading.Lock()
        _all_engines.add(self)

    def connect(self) -> Connection:
        """Return a connection on which no transaction has begun.

        Raises:
            StorageError: the tables are missing, or of another version.
        """
        engine = self._get()
        if not self._is_checked:
            with engine.connect() as connection:
                self.database.begin(connection)
                schema.check_tables(connection, self.database.name)
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
        if _closed_to_us and self.database.identity in _closed_to_us:
            raise StorageError(
                f"{self.database.name} cannot be used in this process, which was forked while a "
                "session on it was open: SQLite would take the locks of that one for its own. Fork "
                "outside of sessions, or start processes anew, as with "
                'multiprocessing.get_context("spawn").'
            )
        with self._mutex:
            if self._engine is None:
                self._engine = self.database.create_engine()
                event.listen(self._engine, "connect", _adding_to(self._entries))
                weakref.finalize(self, self._engine.dispose)
            return self._engine

    def _close_idle(self) -> None:
        if self._engine is not None and self.database.is_bound_to_process:
            self._engine.dispose()

    def _abandon_inherited(self) -> None:
        """Never touch a connection of the parent. The rollback of one that is dropped would end the
        transaction of the parent, whose socket it shares; and SQLite, where it closes a file,
        clears away what the parent has not committed."""
        for entry in list(self._entries):
            if entry.dbapi_connection is not None:
                ctypes.pythonapi.Py_IncRef(ctypes.py_object(entry.dbapi_connection))  # for ever
                entry.dbapi_connection = None
                if self.database.is_bound_to_process:
                    _closed_to_us.add(self.database.identity)
        self._engine, self._is_checked = None, False
        self._entries.clear()
        self._mutex = threading.Lock()


def _adding_to(entries: "weakref.WeakSet[Any]") -> Callable[[object, object], None]:
    """What SQLAlchemy calls with each connection and its place in the pool."""
    return lambda _, entry: entries.add(entry)


_all_engines: "weakref.WeakSet[Engines]" = weakref.WeakSet()

_closed_to_us: set[str] = set()
"""The databases that this process cannot use since it was forked."""


def _before_fork() -> None:
    for engines in list(_all_engines):
        engines._close_idle()


def _in_forked_child() -> None:
    for engines in list(_all_engines):
        engines._abandon_inherited()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_in_forked_child)
