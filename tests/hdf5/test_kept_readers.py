"""The files that were read stay open for the next session: what it reads is what is there."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import h5py
import pytest

from shotstore import DamagedStorageError, DataId, PathNotFoundError, ShotId
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import PATH, launch, path, record
from tests.checkpoints import close_dropped_storages
from tests.open_files import count_data_files, descriptors

SECOND = 10**9  # ns


@pytest.fixture
def store(tmp_path: Path) -> HDF5StorageManager:
    """A store with a finished run of three shots, of which the files are not new."""
    storage = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    finish(storage)
    return storage


def finish(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(3):
            record(session, index=index, data={"number": 10 * index})
        session.sequences.set_finished(PATH, "now")
    wait_for_the_clock()


def wait_for_the_clock() -> None:
    """A file that was changed a moment ago is not relied on."""
    time.sleep(0.03)


def number(storage: HDF5StorageManager, index: int = 2) -> object:
    with storage.session() as session:
        return session.sequences.get_shot_data_by_label(DataId(ShotId(PATH, index), "number"))


def shots_file(storage: HDF5StorageManager) -> Path:
    return storage.get_directory(PATH) / "shots.h5"


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often HDF5 has opened a file."""
    count = 0
    open_file = h5py.File.__init__

    def opened(self: h5py.File, *arguments: object, **options: object) -> None:
        nonlocal count
        count += 1
        open_file(self, *arguments, **options)

    monkeypatch.setattr(h5py.File, "__init__", opened)
    return lambda: count


def test_the_next_session_opens_no_file(
    store: HDF5StorageManager, openings: Callable[[], int]
) -> None:
    assert [number(store, index) for index in (0, 1, 2)] == [0, 10, 20]
    assert openings() == 1


def test_what_another_process_commits_is_read(store: HDF5StorageManager) -> None:
    assert number(store) == 20
    other = HDF5StorageManager(store.root, serializer=serializer())
    with other.session() as session:
        session.sequences.reset_to_draft(PATH)
        session.paths.delete_path(PATH, delete_sequences=True)
        launch(session)
        record(session, index=2, data={"number": 21})
    assert number(store) == 21
    with other.session() as session:
        session.sequences.set_interrupted(PATH, "now")
        session.paths.move(PATH, path(r"\elsewhere"))
    with pytest.raises(PathNotFoundError):
        number(store)


def open_but_deleted(store: HDF5StorageManager) -> list[Path]:
    """The shots files of the store that this process has open though they were deleted."""
    descriptors = Path("/proc/self/fd")
    if not descriptors.exists():
        pytest.skip("this system does not tell which files are open")
    found = []
    for descriptor in descriptors.iterdir():
        with suppress(FileNotFoundError):  # that of the listing
            found.append(descriptor.readlink())
    return [
        file
        for file in found
        if file.name == "shots.h5 (deleted)" and file.is_relative_to(store.root)
    ]


@pytest.mark.parametrize("when", ["between sessions", "in a session"])
def test_the_space_of_what_another_process_deletes_is_given_back(
    store: HDF5StorageManager, when: str
) -> None:
    other = HDF5StorageManager(store.root, serializer=serializer())

    def delete() -> None:
        with other.session() as session:
            session.paths.delete_path(PATH, delete_sequences=True)
        assert other.trash.empty()

    with store.session() as session:
        assert len(session.sequences.get_all_shot_data(PATH, 0)) == 1
        if when == "in a session":
            delete()
            assert len(session.sequences.get_all_shot_data(PATH, 1)) == 1
    if when == "between sessions":
        delete()
        with store.session() as session:
            assert not session.paths.does_path_exists(PATH)
    assert not open_but_deleted(store)


@pytest.mark.parametrize("how", ["cut off", "changed", "replaced", "removed"])
def test_a_file_that_something_else_has_touched_is_opened_again(
    store: HDF5StorageManager, how: str
) -> None:
    assert number(store) == number(store) == 20
    file = shots_file(store)
    content = file.read_bytes()
    match how:
        case "cut off":
            os.truncate(file, len(content) // 2)
        case "changed":
            with file.open("r+b") as changed:
                changed.write(bytes(64))
        case "replaced":
            file.rename(file.with_name("old"))
            file.write_bytes(bytes(64) + content[64:])
        case "removed":
            file.unlink()
    with pytest.raises(DamagedStorageError, match=r"shots\.h5"):
        number(store)
    file.write_bytes(content)
    assert number(store) == 20


def test_times_that_were_set_back_hide_no_change(store: HDF5StorageManager) -> None:
    assert number(store) == number(store) == 20
    file = shots_file(store)
    status = file.stat()
    with file.open("r+b") as changed:
        changed.write(bytes(64))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(DamagedStorageError):
        number(store)


def test_a_file_that_was_just_changed_is_not_relied_on(
    store: HDF5StorageManager, openings: Callable[[], int]
) -> None:
    later = time.time_ns() + 3600 * SECOND
    os.utime(shots_file(store), ns=(later, later))
    assert [number(store), number(store)] == [20, 20]
    assert openings() == 2


def test_few_files_stay_open_and_none_of_a_storage_that_is_closed(
    store: HDF5StorageManager,
) -> None:
    with store.session() as session:
        for copy in range(10):
            launch(session, at := path(rf"\many\{copy}"))
            record(session, at, index=0)
    wait_for_the_clock()
    close_dropped_storages()
    store.close()
    before, data_files = descriptors(), count_data_files()
    for copy in range(10):
        with store.session() as session:
            session.sequences.get_shot_parameters(path(rf"\many\{copy}"), 0)
    assert 0 < count_data_files() - data_files <= 4
    store.close()
    assert descriptors() == before


def test_an_archive_without_a_store_keeps_none(tmp_path: Path, store: HDF5StorageManager) -> None:
    shutil.copytree(store.root / "sequences", tmp_path / "copy")
    archive = HDF5StorageManager(tmp_path / "copy", read_only=True)
    close_dropped_storages()
    before = descriptors()
    assert number(archive) == 20
    assert descriptors() == before
