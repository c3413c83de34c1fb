import doctest
import importlib
import pkgutil

import pytest

from shotstore import model

MODULES = [module.name for module in pkgutil.iter_modules(model.__path__, "shotstore.model.")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_right(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
