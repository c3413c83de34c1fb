"""Locks that the file system refuses."""

import errno
from pathlib import Path

import pytest

from shotstore import PureSequencePath, StorageError, StorageLockTimeoutError
from shotstore.hdf5 import HDF5StorageManager, lock_files

PATH = PureSequencePath(r"\a")


def refuse(*_: object, **__: object) -> bool:
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("name", ["write.lock", "gate.lock"])
def test_a_file_system_that_locks_nothing_is_named(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "write.lock":
        monkeypatch.setattr(lock_files, "lock_descriptor", refuse)
    else:
        monkeypatch.setattr(lock_files, "try_lock", refuse)
    with (
        pytest.raises(StorageError, match=rf"{name} cannot be locked .*No locks") as raised,
        storage.session(write=True) as session,
    ):
        session.paths.create_path(PATH)
    assert not isinstance(raised.value, StorageLockTimeoutError)
    monkeypatch.undo()
    with storage.session(write=True) as session:
        assert not session.paths.does_path_exists(PATH)


def test_a_lock_that_is_refused_to_be_released_is_released_by_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    monkeypatch.setattr(lock_files, "release_lock", refuse)
    monkeypatch.setattr(lock_files, "unlock_descriptor", refuse)
    with storage.session() as session:
        session.paths.create_path(PATH)
    impatient = HDF5StorageManager(tmp_path / "store", lock_timeout=0)
    with impatient.session(write=True) as session:
        assert session.paths.does_path_exists(PATH)
