"""Tests that need a system which refuses something: root may read and write everything."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_NOBODY = 65534


@contextmanager
def ordinary_user(directory: Path) -> Iterator[None]:
    """Work as a user who is not root, and to whom the directory with all in it belongs. Skips the
    test where permissions are not those of POSIX."""
    if os.name != "posix":
        pytest.skip("needs the permissions of POSIX")
    if os.geteuid() != 0:
        yield
        return
    for found in (directory, *directory.rglob("*")):
        os.chown(found, _NOBODY, _NOBODY, follow_symlinks=False)
    for above in directory.parents:
        if not above.stat().st_mode & 0o001:
            above.chmod(above.stat().st_mode | 0o011)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    """Give a file or directory these permissions for a while."""
    before = path.stat().st_mode
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)
