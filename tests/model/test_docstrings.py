"""The examples in docstrings are run: what they say is what happens."""

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

from shotstore import model

MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules(model.__path__, f"{model.__name__}.")
]
WITH_EXAMPLES = [
    module
    for module in MODULES
    if any(test.examples for test in doctest.DocTestFinder().find(module))
]


@pytest.mark.parametrize("module", WITH_EXAMPLES, ids=lambda module: module.__name__)
def test_the_examples_in_docstrings_are_right(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def test_there_are_examples() -> None:
    assert WITH_EXAMPLES
