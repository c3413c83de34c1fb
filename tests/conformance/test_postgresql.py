"""A database on a server does what every storage must do."""

from collections.abc import Iterator

import pytest

from shotstore import StorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite
from tests.postgresql import Server

TEMPLATE = "shotstore_template"


@pytest.fixture(scope="module")
def upgraded(postgresql_server: Server) -> Server:
    """The server with an empty storage, of which each test gets a copy."""
    postgresql_server.create_database(TEMPLATE)
    open_storage(postgresql_server, TEMPLATE).upgrade()
    return postgresql_server


@pytest.fixture
def storage(upgraded: Server) -> Iterator[StorageManager]:
    upgraded.create_database("test", template=TEMPLATE)
    yield open_storage(upgraded, "test")
    upgraded.drop_database("test")


def open_storage(server: Server, database: str):
    from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager

    config = PostgreSQLConfig(server.username, server.password, server.host, server.port, database)
    return PostgreSQLStorageManager(config, serializer=serializer())
