"""How often the disk is read, and what is opened and locked, for frames."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shotstore import DataId, ExperimentSession, ShotId
from shotstore.hdf5 import HDF5StorageManager, lock_files, open_shots, worker
from shotstore.hdf5.shots import chunks
from shotstore.model import Data
from shotstore.testing.experiments import PATH, finish, launch, record

SHOTS = 40
FRAME = np.arange(2**16, dtype="<u2").reshape(256, 256)  # 128 KiB

pytestmark = pytest.mark.skipif(not hasattr(os, "preadv"), reason="reads are counted by preadv")


class Calls:
    """What was asked of the system."""

    def __init__(self) -> None:
        self.reads: list[int] = []
        """How many bytes each read of many bytes was given."""
        self.opened: Counter[str] = Counter()
        self.locks = 0
        self.jobs = 0
        """How many functions ran on threads of ours, for a caller that waits."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Calls]:
    """What is asked of the system while the test runs."""
    calls = Calls()
    preadv, opening, lock, run = os.preadv, os.open, lock_files.try_lock, worker._Job.run

    def reading(descriptor: int, buffers: Sequence[memoryview], offset: int) -> int:
        count = preadv(descriptor, buffers, offset)
        if count >= FRAME.nbytes // 4:
            calls.reads.append(count)
        return count

    def opened(path: Any, *given: Any, **named: Any) -> int:
        calls.opened[Path(path).name] += 1
        return opening(path, *given, **named)

    def locking(*given: Any) -> bool:
        calls.locks += 1
        return lock(*given)

    def working(job: "worker._Job[Any]") -> None:
        calls.jobs += 1
        run(job)

    with monkeypatch.context() as patch:
        patch.setattr(os, "preadv", reading)
        patch.setattr(os, "open", opened)
        patch.setattr(lock_files, "try_lock", locking)
        patch.setattr(worker._Job, "run", working)
        # However coarse the times of the file system are.
        patch.setattr(open_shots, "TICK", -(10**18))
        yield calls


@pytest.fixture
def fill(storage: HDF5StorageManager) -> Callable[[Callable[[int], dict[str, Data]]], None]:
    def fill(make: Callable[[int], dict[str, Data]]) -> None:
        with storage.session() as session:
            launch(session, shots=None)
            for index in range(SHOTS):
                record(session, index=index, data=make(index))
        with storage.session() as session:
            finish(session)

    return fill


def two_labels(index: int) -> dict[str, Data]:
    return {"atoms": FRAME + index, "dark": FRAME - index}


def small(index: int) -> dict[str, Data]:
    return {"atoms": FRAME[:64] + index}  # 32 KiB


def read_one(session: ExperimentSession, index: int) -> None:
    found = session.sequences.get_shot_data_by_label(DataId(ShotId(PATH, index), "atoms"))
    assert isinstance(found, np.ndarray)
    assert np.array_equal(found, FRAME + index)


def test_a_label_of_many_shots_takes_a_read_for_each_frame(
    storage: HDF5StorageManager,
    fill: Callable[[Callable[[int], dict[str, Data]]], None],
    calls: Calls,
) -> None:
    fill(two_labels)
    calls.reads.clear()
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, labels=["atoms"]).data["atoms"].values
    assert all(np.array_equal(found[index], FRAME + index) for index in range(SHOTS))
    assert len(calls.reads) == SHOTS
    assert sum(calls.reads) == SHOTS * (FRAME.nbytes + 4)  # each with its checksum


def test_frames_that_follow_each_other_in_the_file_are_read_together(
    storage: HDF5StorageManager,
    fill: Callable[[Callable[[int], dict[str, Data]]], None],
    calls: Calls,
) -> None:
    fill(small)
    calls.reads.clear()
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, labels=["atoms"]).data["atoms"].values
    assert all(np.array_equal(found[index], FRAME[:64] + index) for index in range(SHOTS))
    assert len(calls.reads) <= SHOTS // 4


def test_threads_are_given_two_megabytes_of_frames_at_a_time(
    storage: HDF5StorageManager,
    fill: Callable[[Callable[[int], dict[str, Data]]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares: list[int] = []

    def sharing(functions: Sequence[Callable[[], bool]]) -> list[bool]:
        shares.append(len(functions))
        return worker.run_together(functions)

    fill(two_labels)
    monkeypatch.setattr(chunks, "run_together", sharing)
    with storage.session() as session:
        session.sequences.get_columns(PATH, labels=["atoms"])
    assert shares[-1] == -(-SHOTS * FRAME.nbytes // 2**21)


def test_a_frame_takes_a_read_and_no_lock_once_it_is_known_where_frames_lie(
    storage: HDF5StorageManager,
    fill: Callable[[Callable[[int], dict[str, Data]]], None],
    calls: Calls,
) -> None:
    fill(two_labels)
    with storage.session() as session:
        read_one(session, 0)
        calls.__init__()  # type: ignore[misc]
        for index in range(1, SHOTS):
            read_one(session, index)
        assert calls.reads == (SHOTS - 1) * [FRAME.nbytes + 4]
        assert (calls.opened, calls.locks, calls.jobs) == (Counter(), 0, 0)


def test_a_frame_in_a_session_of_its_own_opens_no_file_of_shots(
    storage: HDF5StorageManager,
    fill: Callable[[Callable[[int], dict[str, Data]]], None],
    calls: Calls,
) -> None:
    fill(two_labels)
    for index in range(3):
        calls.__init__()  # type: ignore[misc]
        with storage.session() as session:
            read_one(session, index)
    assert calls.reads == [FRAME.nbytes + 4]
    assert calls.opened["shots.h5"] == 0
    assert calls.opened["gate.lock"] == calls.opened["apply.lock"] == 0  # they stay open
