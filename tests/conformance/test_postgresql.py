"""A database on a server does what every storage must do."""

import pytest

from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite


@pytest.fixture
def storage(postgresql_config: PostgreSQLConfig) -> PostgreSQLStorageManager:
    return PostgreSQLStorageManager(postgresql_config, serializer=serializer())
