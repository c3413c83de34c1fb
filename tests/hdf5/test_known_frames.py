"""Frames that are read past HDF5, without a lock: what is read is what the session has seen, and
what is not as it should be is told as in any other reading."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from shotstore import (
    DamagedStorageError,
    DataId,
    ExperimentSession,
    ExperimentSessionNotActiveError,
    PathNotFoundError,
    PureSequencePath,
    ShotId,
    ShotNotFoundError,
)
from shotstore.hdf5 import HDF5StorageManager, on_disk
from shotstore.hdf5.transaction import Transaction
from shotstore.testing.experiments import PATH, finish, launch, path, record, relaunch

FRAME = np.arange(1, 128 * 128 + 1, dtype="<u2").reshape(128, 128)
SHOTS = 4


@pytest.fixture
def running(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a running sequence of four shots with a frame."""
    with storage.session() as session:
        launch(session)
        for index in range(SHOTS):
            record(session, index=index, data={"frame": FRAME + index})
    return storage


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each reading without a lock has found what it was asked for."""
    found: list[bool] = []
    read_here = Transaction.read_here

    def reading(transaction: Transaction, job: Callable[[], object]) -> object:
        value = read_here(transaction, job)
        found.append(value is not None)
        return value

    monkeypatch.setattr(Transaction, "read_here", reading)
    return found


def frame(session: ExperimentSession, index: int, at: PureSequencePath = PATH) -> np.ndarray:
    found = session.sequences.get_shot_data_by_label(DataId(ShotId(at, index), "frame"))
    assert isinstance(found, np.ndarray)
    return found


def offset_of(file: Path, index: int) -> int:
    with h5py.File(file) as opened:
        found: int = opened["data/frame"].id.get_chunk_info_by_coord((index, 0, 0)).byte_offset
        return found


def overwrite(file: Path, offset: int, content: bytes) -> None:
    with file.open("r+b") as opened:
        opened.seek(offset)
        opened.write(content)


@contextmanager
def failing(file: Path) -> Iterator[None]:
    """Reading this file ends in EIO."""

    def fail(path: str) -> None:
        if path == str(file):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    on_disk.observe_reading = fail
    try:
        yield
    finally:
        on_disk.observe_reading = None


def test_frames_are_read_while_a_commit_keeps_readers_out(
    running: HDF5StorageManager, reads: list[bool]
) -> None:
    with running.session() as session:
        assert np.array_equal(frame(session, 0), FRAME)
        with running._store.locks.exclusive():
            for index in range(SHOTS):
                assert np.array_equal(frame(session, index), FRAME + index)
    assert reads == [False] + SHOTS * [True]


def test_shots_that_came_later_are_not_among_those_of_the_session(
    running: HDF5StorageManager, reads: list[bool]
) -> None:
    with running.session() as session:
        frame(session, 0)
        record(running, index=SHOTS, data={"frame": FRAME})
        assert np.array_equal(frame(session, 1), FRAME + 1)
        assert reads == [False, True]
        with pytest.raises(ShotNotFoundError):
            frame(session, SHOTS)


def test_a_session_keeps_to_the_frames_of_a_run_that_was_taken_again(
    running: HDF5StorageManager,
) -> None:
    finish(running)
    with running.session() as session:
        assert np.array_equal(frame(session, 0), FRAME)
        with running.session() as other:
            other.sequences.reset_to_draft(PATH)
            relaunch(other)
            for index in range(SHOTS):
                record(other, index=index, data={"frame": FRAME + 100})
        for index in range(SHOTS):
            assert np.array_equal(frame(session, index), FRAME + index)
    with running.session() as session:
        assert np.array_equal(frame(session, 1), FRAME + 100)


def test_frames_of_a_path_are_those_of_the_sequence_that_the_session_has_moved_there(
    running: HDF5StorageManager,
) -> None:
    other = path(r"\2026\other")
    finish(running)
    with running.session() as session:
        launch(session, other)
        record(session, other, data={"frame": FRAME + 100})
        finish(session, other)
    with running.session() as session:
        assert np.array_equal(frame(session, 0), FRAME)
        assert np.array_equal(frame(session, 0, other), FRAME + 100)
        session.paths.move(PATH, path(r"\2026\moved"))
        with pytest.raises(PathNotFoundError):
            frame(session, 0)
        session.paths.move(other, PATH)
        assert np.array_equal(frame(session, 0), FRAME + 100)


def test_a_session_that_has_ended_reads_no_frames(running: HDF5StorageManager) -> None:
    with running.session() as session:
        sequences = session.sequences
        frame(session, 0)
    with pytest.raises(ExperimentSessionNotActiveError):
        sequences.get_shot_data_by_label(DataId(ShotId(PATH, 0), "frame"))


@pytest.mark.parametrize("place", [0, 5000, FRAME.nbytes - 1, FRAME.nbytes])
def test_a_changed_byte_in_a_known_frame_is_noticed(
    running: HDF5StorageManager, place: int
) -> None:
    file = running.get_directory(PATH) / "shots.h5"
    with running.session() as session:
        frame(session, 0)
        assert np.array_equal(frame(session, 1), FRAME + 1)
        offset = offset_of(file, 1) + place
        byte = file.read_bytes()[offset]
        overwrite(file, offset, bytes([byte ^ 4]))
        with pytest.raises(DamagedStorageError, match=r"shots\.h5 is damaged"):
            frame(session, 1)
        assert np.array_equal(frame(session, 2), FRAME + 2)
        overwrite(file, offset, bytes([byte]))
        assert np.array_equal(frame(session, 1), FRAME + 1)


def test_zeros_that_a_disk_has_left_in_the_place_of_a_known_frame_are_noticed(
    running: HDF5StorageManager,
) -> None:
    file = running.get_directory(PATH) / "shots.h5"
    with running.session() as session:
        frame(session, 0)
        overwrite(file, offset_of(file, 1), bytes(FRAME.nbytes + 4))
        with pytest.raises(DamagedStorageError, match="nothing but zeros: its content is lost"):
            frame(session, 1)


def test_a_disk_that_fails_to_read_a_known_frame_is_named(running: HDF5StorageManager) -> None:
    file = running.get_directory(PATH) / "shots.h5"
    with running.session() as session:
        frame(session, 0)
        with failing(file), pytest.raises(DamagedStorageError, match="Input/output error"):
            frame(session, 1)
    with running.session() as session:
        assert np.array_equal(frame(session, 1), FRAME + 1)


def test_known_frames_are_the_callers_own(running: HDF5StorageManager) -> None:
    with running.session() as session:
        frame(session, 0)
        first = frame(session, 1)
        first[:] = 0
        assert np.array_equal(frame(session, 1), FRAME + 1)


@pytest.mark.parametrize("dtype", ["V20000", [("x", "f8", 3000)]])
def test_a_large_single_value_is_of_one_type_however_often_it_is_read(
    storage: HDF5StorageManager, dtype: Any
) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(SHOTS):
            record(session, index=index, data={"frame": np.ones((), np.dtype(dtype))})
    with storage.session() as session:
        for index in (0, 0, 1, 1):
            found = frame(session, index)
            assert (found.shape, found.dtype) == ((), np.dtype(dtype))
            assert found.tobytes() == np.ones((), np.dtype(dtype)).tobytes()
