"""The tests of the suite, all of them, to be imported with ``*``; see `shotstore.testing`.

Each module is one kind of behaviour, and can be imported alone.
"""

# ruff: noqa: F403 - a test that is added to a module is part of the suite
from shotstore.testing.behaviours.annotations import *
from shotstore.testing.behaviours.arrays import *
from shotstore.testing.behaviours.changed_classes import *
from shotstore.testing.behaviours.changes_of_paths import *
from shotstore.testing.behaviours.columns import *
from shotstore.testing.behaviours.combinations import *
from shotstore.testing.behaviours.configurations import *
from shotstore.testing.behaviours.failures import *
from shotstore.testing.behaviours.following import *
from shotstore.testing.behaviours.moves import *
from shotstore.testing.behaviours.names_alike import *
from shotstore.testing.behaviours.random_operations import *
from shotstore.testing.behaviours.recipes import *
from shotstore.testing.behaviours.recording import *
from shotstore.testing.behaviours.recording_again import *
from shotstore.testing.behaviours.refused_arguments import *
from shotstore.testing.behaviours.refused_shots import *
from shotstore.testing.behaviours.refused_values import *
from shotstore.testing.behaviours.repeated_reads import *
from shotstore.testing.behaviours.resets import *
from shotstore.testing.behaviours.results import *
from shotstore.testing.behaviours.results_in_sequences import *
from shotstore.testing.behaviours.resuming import *
from shotstore.testing.behaviours.retakes import *
from shotstore.testing.behaviours.sessions import *
from shotstore.testing.behaviours.several_runs import *
from shotstore.testing.behaviours.shots import *
from shotstore.testing.behaviours.states import *
from shotstore.testing.behaviours.summaries import *
from shotstore.testing.behaviours.texts_as_parameters import *
from shotstore.testing.behaviours.tree import *
from shotstore.testing.behaviours.units import *
from shotstore.testing.behaviours.units_of_data import *
from shotstore.testing.behaviours.values import *
from shotstore.testing.behaviours.writers import *

__all__ = [name for name in dir() if name.startswith("test_")]
