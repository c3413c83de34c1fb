"""Time for Hypothesis to make a failure small: it takes up to five minutes."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.name == "test_random_operations_do_what_they_do_in_memory":
            item.add_marker(pytest.mark.timeout(900))
