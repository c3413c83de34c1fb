"""Stores on a disk, since it is what the processes of one machine have in common."""

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They are all exhaustive: processes take a second to start, and are many."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.exhaustive)


@pytest.fixture
def tmp_path(disk_path: Path) -> Path:
    """An empty directory on a disk."""
    return disk_path
