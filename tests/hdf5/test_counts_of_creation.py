"""What is asked of the disk to create many sequences at once, and how it is synced."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shotstore import PureSequencePath
from shotstore.hdf5 import HDF5StorageManager, disk, staging
from shotstore.testing.experiments import TIME_LANES, recipe

COUNT = 20


@pytest.fixture
def operations(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[disk.Operation]]:
    """Every change of the disk, in order."""
    found: list[disk.Operation] = []
    with monkeypatch.context() as patch:
        patch.setattr(disk, "observe", found.append)
        yield found


def create(storage: HDF5StorageManager, folder: str, count: int) -> None:
    with storage.session() as session:
        for number in range(count):
            path = PureSequencePath(rf"\{folder}\s{number}")
            session.sequences.create(path, recipe(3), TIME_LANES)


def test_a_created_sequence_is_one_directory_one_file_and_one_rename(
    tmp_path: Path, operations: list[disk.Operation]
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    create(storage, "first", 1)
    counts = []
    for folder, count in (("one", 1), ("many", 1 + COUNT)):
        operations.clear()
        create(storage, folder, count)
        counts.append(Counter(operation.kind for operation in operations))
    one, many = counts
    assert many - one == {
        "mkdir": COUNT,
        "create": COUNT,
        "write": COUNT,
        "sync": COUNT,
        "sync names": COUNT,
        "rename": COUNT,
    }
    assert sum(one.values()) <= 45


def test_everything_is_written_before_it_is_synced_and_synced_before_it_is_committed(
    tmp_path: Path, operations: list[disk.Operation]
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    operations.clear()
    create(storage, "many", COUNT)
    documents = [each for each in operations if each.path.endswith("sequence.json")]
    kinds = [each.kind for each in documents]
    assert kinds == ["create", "write"] * COUNT + ["sync"] * COUNT
    committed = next(i for i, each in enumerate(operations) if each.destination.endswith("journal"))
    assert operations.index(documents[-1]) < committed
    made = [each.path for each in operations[:committed] if each.kind == "mkdir"]
    synced = {each.path for each in operations[:committed] if each.kind == "sync names"}
    assert set(made) <= synced


def test_few_files_are_open_at_a_time(
    tmp_path: Path, operations: list[disk.Operation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "_MOST_OPEN", 8)
    storage = HDF5StorageManager(tmp_path / "store")
    create(storage, "many", COUNT)
    unsynced: set[str] = set()
    most = 0
    for each in operations:
        if each.path.endswith("sequence.json"):
            (unsynced.discard if each.kind == "sync" else unsynced.add)(each.path)
            most = max(most, len(unsynced))
    assert most == 8
    assert unsynced == set()


def test_a_sync_that_fails_leaves_nothing_of_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    sync = disk.File.sync

    def fail(file: disk.File) -> None:
        if file.path.name == "sequence.json":
            raise OSError("the disk is gone")
        sync(file)

    with monkeypatch.context() as patch:
        patch.setattr(disk.File, "sync", fail)
        with pytest.raises(OSError, match="the disk is gone"):
            create(storage, "many", COUNT)
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()
    assert list((storage.root / ".shotstore" / "tx").iterdir()) == []
    create(storage, "many", COUNT)


def test_every_file_and_directory_of_a_store_is_made_where_a_test_can_see_it(
    tmp_path: Path, operations: list[disk.Operation]
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    create(storage, "first", 1)
    made = {each.path for each in operations if each.kind in ("create", "mkdir")}
    moved = {each.destination for each in operations if each.kind == "rename"}
    found = {str(each) for each in storage.root.rglob("*")}
    below = {each for each in found for above in moved if each.startswith(f"{above}/")}
    assert found <= made | moved | below
