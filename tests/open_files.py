"""Which files this process has open."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

needs_descriptors = pytest.mark.skipif(
    not Path("/dev/fd").is_dir(), reason="this system does not list descriptors"
)
_HDF5 = b"\x89HDF"


def descriptors() -> set[int]:
    """All descriptors, with those that libraries keep."""
    return {*_descriptors()}


def count_data_files() -> int:
    """How many descriptors of HDF5 files there are, whatever became of the names of the files."""
    return sum(_begins_as_hdf5(descriptor) for descriptor in _descriptors())


def _descriptors() -> Iterator[int]:
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - its own is among them
        with suppress(OSError):
            os.fstat(int(name))
            yield int(name)


def _begins_as_hdf5(descriptor: int) -> bool:
    with suppress(OSError):  # a pipe, or one that is only written
        return os.pread(descriptor, len(_HDF5), 0) == _HDF5
    return False
