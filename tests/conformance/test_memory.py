"""The storage in memory, which others are compared with, does what every storage must do."""

import pytest

from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite
from shotstore.testing.memory import InMemoryStorageManager


@pytest.fixture
def storage() -> InMemoryStorageManager:
    return InMemoryStorageManager(serializer=serializer())
