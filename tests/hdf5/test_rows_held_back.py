"""Rows of many shots go to HDF5 some at a time."""

import numpy as np
import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.shots.rows import Array, Rows
from shotstore.testing.experiments import PATH, launch, record


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each writing to HDF5 had."""
    counts: list[int] = []
    write = Rows._write

    def note(self: Rows, start: int, rows: Array) -> None:
        counts.append(len(rows))
        write(self, start, rows)

    monkeypatch.setattr(Rows, "_write", note)
    return counts


def fill(storage: HDF5StorageManager, count: int) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(count):
            record(
                session,
                index=index,
                parameters={f"p{number}": index / 7 for number in range(40)},
                data={"trace": np.arange(100) + index},
            )


def test_small_rows_are_written_some_at_a_time(
    storage: HDF5StorageManager, written: list[int]
) -> None:
    fill(storage, 500)
    assert sum(written) == 3 * 500 + 2  # of the shots, parameters and traces; a schema, twice
    assert len(written) <= 500 * (320 + 800 + 28) / 2**14 * 1.2 + 3 + 2


def test_large_rows_are_written_at_once(storage: HDF5StorageManager, written: list[int]) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        written.clear()
        for index in range(5):
            record(session, index=index, data={"picture": np.full((100, 100), index + 1, "u2")})
        assert written == [1] * 5


def test_rows_that_could_not_be_written_are_written_later(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    with storage.session() as session:
        launch(session, shots=None)
        for index in range(5):
            record(session, index=index, parameters={"p": index})
        with monkeypatch.context() as patch:
            patch.setattr(Rows, "_write", fail)
            with pytest.raises(MemoryError):
                session.sequences.get_columns(PATH, parameters=["p"])
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, parameters=["p"])
    assert found.parameters["p"].values.tolist() == [0, 1, 2, 3, 4]
