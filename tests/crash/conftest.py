"""A disk of its own for a test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoints import close_storages


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MB, where the machine lets us mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "shotstore-test", str(place)]
    try:
        may_mount = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        may_mount = False
    if not may_mount:
        pytest.skip("this user may not mount a file system")
    yield place
    close_storages()
    subprocess.run(["umount", str(place)], check=True)
