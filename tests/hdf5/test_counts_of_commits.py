"""What a commit of one shot asks of the disk and of HDF5: the same on every machine."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

import h5py
import numpy as np
import pytest
from attrs import Factory, define

from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.overlay import PAGE
from shotstore.hdf5.shots.rows import Rows
from shotstore.model import Data, Parameter, quantity
from shotstore.testing.experiments import launch, record

Make = Callable[[int], dict[str, Data]]


@define
class Counts:
    """What was done, but for the file that names the writer, which is a courtesy."""

    changes: Counter[str] = Factory(Counter)
    journaled: int = 0
    data_files_opened: int = 0
    hdf5_files_opened: int = 0
    hdf5_writes: int = 0


@pytest.fixture
def count(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Make, int], Counts]:
    """Record a shot, and count what that takes."""
    counts = Counts()

    def observe(operation: disk.Operation) -> None:
        name = Path(operation.path).name
        counts.changes[operation.kind] += name != "writer.json"
        if operation.kind == "write" and name == "journal.new":
            counts.journaled += len(operation.data)

    open_file, open_hdf5, write = disk.File.__init__, h5py.File.__init__, Rows.write

    def opened(self: disk.File, path: Path, mode: str) -> None:
        counts.data_files_opened += path.name == "shots.h5"
        open_file(self, path, mode)

    def opened_by_hdf5(self: h5py.File, *arguments: Any, **options: Any) -> None:
        counts.hdf5_files_opened += 1
        open_hdf5(self, *arguments, **options)

    def written(self: Rows, *arguments: Any) -> None:
        counts.hdf5_writes += 1
        write(self, *arguments)

    monkeypatch.setattr(disk, "observe", observe)
    monkeypatch.setattr(disk.File, "__init__", opened)
    monkeypatch.setattr(h5py.File, "__init__", opened_by_hdf5)
    monkeypatch.setattr(Rows, "write", written)

    def count(make: Make, index: int) -> Counts:
        nonlocal counts
        counts = Counts()
        commit(storage, index, make)
        return counts

    return count


def parameters(index: int) -> dict[str, Parameter]:
    plain: dict[str, Parameter] = {f"p{number}": index + number / 7 for number in range(20)}
    return plain | {f"q{number}": quantity(index + number / 3, "MHz") for number in range(20)}


def trace(index: int) -> dict[str, Data]:
    return {"trace": np.arange(100) + index / 2}


def frames(index: int) -> dict[str, Data]:
    frame = np.full((512, 512), index, "u2")
    return {"atoms": frame, "background": frame, "fit": {"number": index, "width": index / 3}}


def time_tags(index: int) -> dict[str, Data]:
    return {"tags": np.arange(900 + index * 37 % 200, dtype="u8")}


def scalars(index: int) -> dict[str, Data]:
    return {f"counter {number}": float(index + number) for number in range(500)}


def commit(storage: HDF5StorageManager, index: int, make: Make) -> None:
    with storage.session() as session:
        record(session, index=index, parameters=parameters(index), data=make(index))


@pytest.mark.parametrize(
    ("make", "writes", "journaled"),
    # Pages are journaled whole: two or three more, if the objects of the file lie so.
    [(trace, 3, 40), (frames, 5, 68), (time_tags, 4, 60), (scalars, 7, 84)],
)
def test_a_commit_of_one_shot(
    storage: HDF5StorageManager,
    count: Callable[[Make, int], Counts],
    make: Make,
    writes: int,
    journaled: int,
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    for index in range(3):
        commit(storage, index, make)
    for found in [count(make, index) for index in range(3, 40)]:
        assert found.changes["sync"] <= 3
        assert found.changes["sync names"] == 1
        assert found.changes["create"] == found.changes["rename"] == found.changes["unlink"] == 1
        assert found.changes["mkdir"] == 0
        assert found.data_files_opened == 1  # to carry out the journal
        assert found.hdf5_files_opened == 0
        assert found.hdf5_writes == writes
        assert found.journaled <= journaled * 1024


@pytest.mark.parametrize("make", [trace, time_tags])
def test_a_late_shot_takes_what_an_early_one_takes(
    storage: HDF5StorageManager, count: Callable[[Make, int], Counts], make: Make
) -> None:
    with storage.session() as session:
        launch(session, shots=None)

    def counts(first: int) -> list[Counts]:
        return [count(make, index) for index in range(first, first + 30)]

    def journaled(found: list[Counts]) -> float:
        return median(each.journaled for each in found)

    def writes(found: list[Counts]) -> float:
        return mean(each.changes["write"] for each in found)

    commit(storage, 0, make)
    early = counts(1)
    with storage.session() as session:
        for index in range(31, 3000):
            record(session, index=index, data=make(index))
    commit(storage, 3000, make)
    late = counts(3001)
    # HDF5's index of chunks has got one or two more levels, of a page each.
    assert journaled(late) <= journaled(early) + 4 * PAGE
    assert writes(late) <= writes(early) + 4
    assert max(each.changes["sync"] for each in late) == 3


def test_many_shots_in_one_transaction_are_one_commit(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    commit(storage, 0, trace)
    operations: Counter[str] = Counter()
    monkeypatch.setattr(disk, "observe", lambda operation: operations.update([operation.kind]))
    with storage.session() as session:
        for index in range(1, 500):
            record(session, index=index, parameters=parameters(index), data=trace(index))
    assert operations["sync"] == 3
    assert operations["sync names"] == operations["rename"] == 1
