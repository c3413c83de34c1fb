"""What a commit of one shot asks of the disk and of HDF5: the same on every machine."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean, median
from typing import Any

import h5py
import numpy as np
import pytest
from attrs import Factory, define

from shotstore import State
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.log.log_file import START
from shotstore.hdf5.overlay import PAGE
from shotstore.hdf5.shots.rows import Rows
from shotstore.model import Data, Parameter, quantity
from shotstore.testing.experiments import (
    DEVICES,
    PARAMETERS,
    PATH,
    bring_to,
    create,
    launch,
    path,
    record,
)
from shotstore.testing.experiments import START as START_TIME
from shotstore.testing.lab import serializer

Make = Callable[[int], dict[str, Data]]

CALLS = ["open", "close", "lstat", "stat", "fstat", "preadv", "pread", "scandir", "listdir"]
"""Of the system, beside those that change files."""


@define
class Counts:
    """What was done, but for the file that names the writer, which is a courtesy."""

    changes: Counter[str] = Factory(Counter)
    calls: Counter[str] = Factory(Counter)
    logged: int = 0
    """Bytes that were written to the log."""
    is_checkpoint: bool = False
    """Whether the log has come to be full, and was begun anew."""
    data_files_opened: int = 0
    hdf5_files_opened: int = 0
    hdf5_writes: int = 0


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    return HDF5StorageManager(tmp_path / "store", serializer=serializer())


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], Counts]:
    """Count what something takes."""
    counts = Counts()

    def observe(operation: disk.Operation) -> None:
        name = Path(operation.path).name
        counts.changes[operation.kind] += name != "writer.json"
        if operation.kind == "write" and name == "log":
            counts.logged += len(operation.data) * (operation.offset >= START)
            counts.is_checkpoint |= operation.offset < START

    def counting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            counts.calls[name] += 1
            return function(*arguments, **options)

        return counted

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

    monkeypatch.setattr(disk.File, "__init__", opened)
    monkeypatch.setattr(h5py.File, "__init__", opened_by_hdf5)
    monkeypatch.setattr(Rows, "write", written)

    def count(act: Callable[[], object]) -> Counts:
        nonlocal counts
        counts = Counts()
        with monkeypatch.context() as patch:
            patch.setattr(disk, "observe", observe)
            for name in CALLS:
                if hasattr(os, name):
                    patch.setattr(os, name, counting(name, getattr(os, name)))
            act()
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


Count = Callable[[Callable[[], object]], Counts]


@pytest.mark.parametrize(
    ("make", "writes", "logged", "syncs"),
    # Pages are logged whole: two or three more, if the objects of the file lie so. Frames are
    # synced in their file, which the log is to say.
    [(trace, 3, 44, 1), (frames, 5, 72, 2), (time_tags, 4, 128, 1), (scalars, 7, 128, 1)],
)
def test_a_commit_of_one_shot(
    storage: HDF5StorageManager,
    count: Count,
    make: Make,
    writes: int,
    logged: int,
    syncs: int,
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    for index in range(3):
        commit(storage, index, make)
    plain = 0
    for index in range(3, 40):
        found = count(lambda index=index: commit(storage, index, make))  # type: ignore[misc]
        assert found.hdf5_files_opened == 0
        assert found.hdf5_writes == writes
        made = {kind for kind, number in found.changes.items() if number}
        assert made <= {"write", "truncate", "sync"}
        if found.is_checkpoint:
            # Of the file, of the header, and of what the log grows by.
            assert found.changes["sync"] <= syncs + 3
        else:
            assert found.changes["sync"] == syncs
            assert found.data_files_opened == 0
            assert found.logged <= logged * 1024
            plain += 1
    assert plain > 20


@pytest.mark.parametrize("make", [trace, frames, time_tags])
def test_a_late_shot_takes_what_an_early_one_takes(
    storage: HDF5StorageManager, count: Count, make: Make
) -> None:
    with storage.session() as session:
        launch(session, shots=None)

    def counts(first: int) -> list[Counts]:
        found = [
            count(lambda index=index: commit(storage, index, make))  # type: ignore[misc]
            for index in range(first, first + 30)
        ]
        return [each for each in found if not each.is_checkpoint]

    def logged(found: list[Counts]) -> float:
        return median(each.logged for each in found)

    def writes(found: list[Counts]) -> float:
        return mean(each.changes["write"] for each in found)

    def calls(found: list[Counts]) -> float:
        return median(each.calls.total() for each in found)

    commit(storage, 0, make)
    early = counts(1)
    many = 300 if make is frames else 3000
    with storage.session() as session:
        for index in range(31, many):
            record(session, index=index, data=make(index))
    commit(storage, many, make)
    late = counts(many + 1)
    # HDF5's index of chunks has got one or two more levels, of a page each.
    assert logged(late) <= logged(early) + 4 * PAGE
    assert writes(late) <= writes(early) + 4
    assert {each.changes["sync"] for each in late} == {2 if make is frames else 1}
    assert calls(late) <= calls(early) <= 36


def test_many_shots_in_one_transaction_are_one_commit(
    storage: HDF5StorageManager, count: Count
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    commit(storage, 0, trace)
    storage.close()

    def record_all() -> None:
        with storage.session() as session:
            for index in range(1, 500):
                record(session, index=index, parameters=parameters(index), data=trace(index))

    found = count(record_all)
    # The log may have to grow for it.
    assert found.changes["sync"] - 4 * found.is_checkpoint <= 2
    assert found.changes["sync names"] == found.changes["rename"] == 0


@pytest.mark.parametrize("state", [State.DRAFT, State.RUNNING, State.FINISHED])
def test_a_document_takes_one_sync(storage: HDF5StorageManager, count: Count, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
    storage.close()
    changes: dict[str, Callable[[Any], object]] = {
        "note": lambda session: session.sequences.set_note(PATH, "seen"),
        "tags": lambda session: session.sequences.set_tags(PATH, ["good"]),
        "parameters": lambda session: session.set_global_parameters(PARAMETERS),
        "devices": lambda session: session.default_device_configurations.update(DEVICES),
        "folder": lambda session: session.paths.create_path(path(r"\folder")),
    }
    for change in changes.values():

        def act(change: Callable[[Any], object] = change) -> None:
            with storage.session() as session:
                change(session)

        found = count(act)
        assert not found.is_checkpoint
        assert found.changes["sync"] == 1
        assert found.changes["sync names"] == 0


def test_a_launch_and_an_end_sync_what_they_have_to(
    storage: HDF5StorageManager, count: Count
) -> None:
    with storage.session() as session:
        create(session)
    storage.close()

    def act(change: Callable[[Any], object]) -> Callable[[], None]:
        def in_session() -> None:
            with storage.session() as session:
                change(session)

        return in_session

    def start(session: Any) -> None:
        session.sequences.set_preparing(PATH, DEVICES, PARAMETERS)
        session.sequences.set_running(PATH, START_TIME)

    started = count(act(start))
    # The file that is brought to its place, and that it is there: it stands alone in the log.
    assert started.changes["sync"] <= 6
    assert started.changes["sync names"] <= 4
    commit(storage, 0, trace)
    ended = count(act(lambda session: session.sequences.set_finished(PATH, START_TIME)))
    # After it, the files need no log.
    assert ended.is_checkpoint
    assert ended.changes["sync"] <= 5
    assert ended.changes["sync names"] <= 3


def test_a_checkpoint_syncs_each_file_once(storage: HDF5StorageManager, count: Count) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    storage.close()
    for index in range(4):
        commit(storage, index, trace)
    with storage.session() as session:
        session.sequences.set_note(PATH, "seen")
    found = count(storage.close)
    assert found.is_checkpoint
    assert found.changes["sync"] == 3  # the shots, the document and the header of the log
    assert found.changes["sync names"] == 2  # of the document, and where it was staged
    assert count(storage.close).changes.total() == 0


def test_who_only_reads_syncs_nothing(storage: HDF5StorageManager, count: Count) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    storage.close()

    def read() -> None:
        again = HDF5StorageManager(storage.root, serializer=serializer())
        with again.session() as session:
            session.sequences.get_shots(PATH)
        again.close()

    found = count(read)
    assert found.changes["sync"] == found.changes["sync names"] == 0
