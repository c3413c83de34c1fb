"""A copy that was made while shots were recorded, without a pause: what was committed before it
began is there, or it says that it cannot be used."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from shotstore import DamagedStorageError, StorageError
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PATH, create, launch, path, record
from shotstore.testing.lab import serializer

OTHER = path(r"\other")
SHOTS = "sequences/2026/rabi/shots.h5"


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    with storage.session() as session:
        for sequence in (PATH, OTHER):
            launch(session, sequence, shots=None)
    return storage


def shoot(storage: HDF5StorageManager, index: int, side: int = 4) -> None:
    with storage.session() as session:
        record(session, PATH, index, data={"frame": np.full((side, side), index, "u2")})
        record(session, OTHER, index, data={"x": index / 2})


def recorded(storage: HDF5StorageManager) -> int:
    """How many shots there are in both sequences, each of which is whole."""
    with storage.session() as session:
        counts = set()
        for sequence in (PATH, OTHER):
            found = [shot.index for shot in session.sequences.get_shots(sequence)]
            assert found == list(range(len(found)))
            counts.add(len(found))
            for index in found:
                data = session.sequences.get_all_shot_data(sequence, index)
                if sequence == PATH:
                    assert np.all(np.asarray(data["frame"]) == index)
                else:
                    assert data == {"x": index / 2}
        return min(counts)


def opened(root: Path, *, read_only: bool) -> HDF5StorageManager:
    return HDF5StorageManager(root, serializer=serializer(), read_only=read_only)


@contextmanager
def committing(storage: HDF5StorageManager, first: int, side: int) -> Iterator[list[int]]:
    """Commit without a pause in the block; the numbers of shots so far."""
    counts = [first]
    is_over = threading.Event()

    def commit() -> None:
        while not is_over.is_set():
            shoot(storage, counts[-1], side)
            counts.append(counts[-1] + 1)

    thread = threading.Thread(target=commit)
    thread.start()
    try:
        yield counts
    finally:
        is_over.set()
        thread.join()


@pytest.mark.parametrize("side", [4, 256])
def test_a_copy_that_is_made_while_commits_go_on_has_what_was_committed_before(
    storage: HDF5StorageManager, tmp_path: Path, side: int
) -> None:
    counts, outcomes = [0], []
    for number in range(6):
        copy = tmp_path / f"copy {number}"
        with committing(storage, counts[-1], side) as counts:
            before = counts[-1]
            shutil.copytree(storage.root, copy)
        for read_only in (True, False):
            again = opened(copy, read_only=read_only)
            try:
                found = recorded(again)
            except DamagedStorageError as error:
                outcomes.append(str(error))
            else:
                assert before <= found <= counts[-1]
            again.close()
    # It may have to be copied again, and says so.
    assert all("opy" in why and "again" in why for why in outcomes), outcomes


@pytest.mark.parametrize("read_only", [True, False])
def test_a_copy_of_a_log_that_was_never_made_durable_in_the_files_is_read(
    storage: HDF5StorageManager, tmp_path: Path, read_only: bool
) -> None:
    storage.close()
    for index in range(3):
        shoot(storage, index)
    with storage.session() as session:
        create(session, path(r"\2026\draft"))
    shutil.copytree(storage.root, tmp_path / "copy")
    again = opened(tmp_path / "copy", read_only=read_only)
    assert recorded(again) == 3
    with again.session() as session:
        assert session.sequences.is_sequence(path(r"\2026\draft"))
    assert [each for each in again.verify().findings if each.severity == "damage"] == []


def copied_in_parts(storage: HDF5StorageManager, copy: Path, *, earlier: str) -> None:
    """Copy a part of the store first, the rest after a checkpoint and some more commits."""
    for index in range(2):
        shoot(storage, index)
    storage.close()
    (copy / earlier).parent.mkdir(parents=True)
    part = storage.root / earlier
    (shutil.copytree if part.is_dir() else shutil.copy)(part, copy / earlier)
    for index in range(2, 4):
        shoot(storage, index)
    storage.close()
    for index in range(4, 6):
        shoot(storage, index)
    earlier_parts = [copy / earlier]
    kept = {each: each.read_bytes() for each in files_in(earlier_parts)}
    shutil.copytree(storage.root, copy, dirs_exist_ok=True)
    for each, content in kept.items():
        each.write_bytes(content)


def files_in(places: list[Path]) -> list[Path]:
    found = [[*place.rglob("*")] if place.is_dir() else [place] for place in places]
    return [each for some in found for each in some if each.is_file()]


def test_a_copy_with_a_file_that_is_older_than_the_log_says_so(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    copied_in_parts(storage, tmp_path / "copy", earlier=SHOTS)
    older = (tmp_path / "copy" / SHOTS).read_bytes()
    reader = opened(tmp_path / "copy", read_only=True)
    with (
        pytest.raises(DamagedStorageError, match=r"older than the log.*again") as told,
        reader.session() as session,
    ):
        session.sequences.get_shots(PATH)
    assert str(tmp_path / "copy" / SHOTS) in str(told.value)
    with reader.session() as session:
        assert len(session.sequences.get_shots(OTHER)) == 6
    writer = opened(tmp_path / "copy", read_only=False)
    with pytest.raises(StorageError, match="older than the log"), writer.session() as session:
        record(session, PATH, 6, data={"frame": np.zeros((4, 4), "u2")})
    with writer.session() as session:
        record(session, OTHER, 6, data={"x": 3.0})
        assert len(session.sequences.get_shots(OTHER)) == 7
    (finding,) = [each for each in writer.verify().findings if each.severity == "damage"]
    assert "older than the log" in finding.problem
    assert (tmp_path / "copy" / SHOTS).read_bytes() == older


def test_a_commit_that_is_for_a_later_file_is_kept_back_whole(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    copied_in_parts(storage, tmp_path / "copy", earlier=SHOTS)
    with storage.session() as session:
        session.sequences.set_tags(PATH, ["good"])
    shutil.copy(storage.root / ".shotstore/log", tmp_path / "copy/.shotstore/log")
    copy = opened(tmp_path / "copy", read_only=False)
    with copy.session() as session:
        assert session.sequences.get_tags(PATH) == set()
        assert len(session.sequences.get_shots(OTHER)) == 6


@pytest.mark.parametrize("read_only", [True, False])
def test_files_that_are_later_than_the_log_are_left_alone(
    storage: HDF5StorageManager, tmp_path: Path, read_only: bool
) -> None:
    storage.close()
    for index in range(3):
        shoot(storage, index)
    copy = tmp_path / "copy"
    shutil.copytree(storage.root / ".shotstore", copy / ".shotstore")
    for index in range(3, 5):
        shoot(storage, index)
    storage.close()
    shoot(storage, 5)
    ignored = shutil.ignore_patterns(".shotstore")
    shutil.copytree(storage.root, copy, ignore=ignored, dirs_exist_ok=True)
    later = (copy / SHOTS).read_bytes()
    again = opened(copy, read_only=read_only)
    assert recorded(again) == 6
    assert (copy / SHOTS).read_bytes() == later
    if not read_only:
        shoot(again, 6)
        assert recorded(again) == 7
        assert again.verify().findings == []
