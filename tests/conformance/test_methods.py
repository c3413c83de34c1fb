"""The methods that the suite calls in one way, to see what becomes of a wrong argument."""

import inspect

import pytest

from shotstore import Sequence, SequenceCollection
from shotstore.testing.methods import FURTHER, METHODS


@pytest.mark.parametrize("owner", [SequenceCollection, Sequence])
def test_every_method_is_called_also_those_that_a_class_has_from_others(owner: type) -> None:
    functions = {name for name, _ in inspect.getmembers(owner, inspect.isfunction)}
    public = {name for name in functions if not name.startswith("_")}
    called = {name.partition(".")[2] for name in METHODS if name.startswith(f"{owner.__name__}.")}
    assert public - called <= FURTHER


def test_methods_of_shots_are_among_them() -> None:
    assert {"SequenceCollection.create_shot", "Sequence.to_arrays"} <= set(METHODS)
