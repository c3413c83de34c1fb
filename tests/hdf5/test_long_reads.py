"""Reading many shots at once keeps no commit waiting: the lock is held for some MB at a time."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.disk import File
from shotstore.hdf5.locks import Locks
from shotstore.model import Data
from shotstore.testing.experiments import PATH, launch, record

MOST = 20 * 2**20  # bytes
SHOTS = 80


@pytest.fixture
def read_under_lock(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """How many bytes were read by each read, for each time that the lock was held."""
    found: list[list[int]] = []
    shared, read_pieces = Locks.shared, File.read_pieces

    @contextmanager
    def counting(self: Locks, **how: bool) -> Iterator[None]:
        found.append([])
        with shared(self, **how):
            yield

    def counted(self: File, views: Sequence[memoryview], offset: int) -> int:
        count = read_pieces(self, views, offset)
        if found:
            found[-1].append(count)
        return count

    monkeypatch.setattr(Locks, "shared", counting)
    monkeypatch.setattr(File, "read_pieces", counted)
    return found


def frames_of_two_shapes(index: int) -> Data:
    return np.ones((500, 500) if index == 0 else (512, 512), "u2")


def long_texts(index: int) -> Data:
    return "x" * (500_000 + index)


def tags_of_any_length(index: int) -> Data:
    return np.arange(60_000 + index, dtype="u8")


@pytest.mark.parametrize("make", [frames_of_two_shapes, long_texts, tags_of_any_length])
def test_the_lock_is_held_for_some_of_the_shots_at_a_time(
    storage: HDF5StorageManager, read_under_lock: list[list[int]], make: Callable[[int], Data]
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(SHOTS):
            record(session, index=index, data={"x": make(index)})
    read_under_lock.clear()
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, labels=["x"]).data["x"].values
    assert len(found) == SHOTS
    assert sum(map(sum, read_under_lock)) > 35 * 2**20
    assert max(map(sum, read_under_lock)) < MOST
