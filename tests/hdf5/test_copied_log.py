"""A copy that was made while shots were recorded, of which each file is from another moment."""

import shutil
from pathlib import Path

import pytest

from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PATH, launch, record
from shotstore.testing.lab import serializer

FILES = ["log", "commits"]


def _record(storage: HDF5StorageManager, index: int) -> None:
    with storage.session() as session:
        record(session, index=index)


def _recorded(root: Path) -> list[int]:
    storage = HDF5StorageManager(root, serializer=serializer())
    with storage.session() as session:
        found = sorted(shot.index for shot in session.sequences.get_shots(PATH))
    storage.close()
    return found


@pytest.mark.parametrize("is_at_rest", [True, False])
@pytest.mark.parametrize("earlier", FILES)
def test_a_copy_whose_log_and_counter_are_of_two_moments_goes_on(
    storage: HDF5StorageManager, tmp_path: Path, earlier: str, is_at_rest: bool
) -> None:
    with storage.session() as session:
        launch(session)
    _record(storage, 0)
    if is_at_rest:
        storage.close()
    control, copy = storage.root / ".shotstore", tmp_path / "copy"
    kept = (control / earlier).read_bytes()
    _record(storage, 1)
    shutil.copytree(storage.root, copy)
    (copy / ".shotstore" / earlier).write_bytes(kept)
    assert _recorded(copy) == [0, 1]
    for index in (2, 3):
        copied = HDF5StorageManager(copy, serializer=serializer())
        _record(copied, index)
        copied.close()
        assert _recorded(copy) == list(range(index + 1))
