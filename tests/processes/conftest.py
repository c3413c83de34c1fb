"""Stores on a disk, since it is what the processes of one machine have in common, with all that
they do there."""

from pathlib import Path

import pytest


@pytest.fixture
def has_pauses() -> bool:
    """Checkpoints are made in pauses."""
    return True


@pytest.fixture
def tmp_path(disk_path: Path) -> Path:
    """An empty directory on a disk."""
    return disk_path
