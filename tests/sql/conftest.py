"""Databases of the tests of this package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shotstore import testing
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
    SQLStorageManager,
)
from tests.postgresql import Server


@pytest.fixture
def sqlite(tmp_path: Path) -> SQLiteStorageManager:
    """An empty storage in a file."""
    storage = SQLiteStorageManager(
        SQLiteConfig(tmp_path / "store.db"), serializer=testing.serializer()
    )
    storage.upgrade()
    return storage


@pytest.fixture
def bare_database(postgresql_server: Server) -> Iterator[PostgreSQLConfig]:
    """A database on a server, without any tables."""
    server = postgresql_server
    server.create_database("bare")
    yield PostgreSQLConfig(server.username, server.password, server.host, server.port, "bare")
    drop_database(server, "bare")


@pytest.fixture
def postgresql(bare_database: PostgreSQLConfig) -> PostgreSQLStorageManager:
    """An empty storage on a server."""
    storage = PostgreSQLStorageManager(bare_database, serializer=testing.serializer())
    storage.upgrade()
    return storage


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest) -> SQLStorageManager:
    """An empty storage on each kind of database."""
    found: SQLStorageManager = request.getfixturevalue(request.param)
    return found


def drop_database(server: Server, name: str) -> None:
    """End all connections to a database, and delete it."""
    with server.connection() as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
