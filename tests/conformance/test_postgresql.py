"""A database on a server does what every storage must do.

What its types, its order of texts and its transactions have a part in, and random operations of all
kinds. Its tables and queries are those of SQLite, on which all of the suite is run.
"""

# ruff: noqa: F403 - tests, each module a kind
import pytest

from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager
from shotstore.testing import serializer
from shotstore.testing.behaviours.arrays import *
from shotstore.testing.behaviours.columns import *
from shotstore.testing.behaviours.failures import *
from shotstore.testing.behaviours.names_alike import *
from shotstore.testing.behaviours.random_operations import *
from shotstore.testing.behaviours.recording import *
from shotstore.testing.behaviours.recording_again import *
from shotstore.testing.behaviours.repeated_reads import *
from shotstore.testing.behaviours.sessions import *
from shotstore.testing.behaviours.several_runs import *
from shotstore.testing.behaviours.shots import *
from shotstore.testing.behaviours.tree import *
from shotstore.testing.behaviours.units import *
from shotstore.testing.behaviours.values import *
from shotstore.testing.behaviours.writers import *

pytestmark = pytest.mark.exhaustive


@pytest.fixture
def storage(postgresql_config: PostgreSQLConfig) -> PostgreSQLStorageManager:
    return PostgreSQLStorageManager(postgresql_config, serializer=serializer())
