"""The storage in memory, which others are compared with, does what every storage must do."""

import pytest

from shotstore.memory import InMemoryStorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours import *  # noqa: F403 - the suite


@pytest.fixture
def storage() -> InMemoryStorageManager:
    return InMemoryStorageManager(serializer=serializer())
