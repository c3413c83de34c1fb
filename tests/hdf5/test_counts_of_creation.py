"""What is asked of the disk to create many sequences at once, and what is synced of it."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shotstore import PureSequencePath
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.testing.experiments import TIME_LANES, recipe
from tests.checkpoints import close_dropped_storages
from tests.commit_moment import CommitMoment

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


def test_a_created_sequence_is_one_directory_one_file_and_their_renames(
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
    assert many - one == {"mkdir": COUNT, "create": COUNT, "write": COUNT, "rename": 2 * COUNT}
    assert sum(one.values()) <= 20


def test_a_created_sequence_is_looked_at_no_more_than_it_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    create(storage, "first", 1)
    looks: Counter[str] = Counter()

    def counting(name: str, look: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            looks[name] += 1
            return look(*given, **named)

        return counted

    counts = []
    with monkeypatch.context() as patch:
        for name in ("lstat", "stat", "access"):
            patch.setattr(os, name, counting(name, getattr(os, name)))
        for folder, count in (("one", 1), ("many", 1 + COUNT)):
            looks.clear()
            create(storage, folder, count)
            counts.append(looks.copy())
    one, many = counts
    # Whether its document, its directory or anything else is in the place, and again with the
    # commit, with whether the system allows both names.
    assert (many - one).total() <= 7 * COUNT


def test_many_sequences_take_one_sync(tmp_path: Path, operations: list[disk.Operation]) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    create(storage, "first", 1)
    storage.close()
    operations.clear()
    create(storage, "many", 100)
    syncs = [each.path for each in operations if each.kind in ("sync", "sync names")]
    assert syncs == [str(storage.root / ".shotstore" / "log")]


def test_everything_is_written_before_it_is_committed_and_then_renamed(
    tmp_path: Path, operations: list[disk.Operation]
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    operations.clear()
    create(storage, "many", COUNT)
    moment = CommitMoment()
    after = [each for each in operations if moment.note(each)]
    assert {each.kind for each in after} == {"rename", "write"}
    assert [each.path for each in after if each.kind == "write"] == [
        str(storage.root / ".shotstore" / "commits")
    ]
    documents = [each for each in after if each.destination.endswith("sequence.json")]
    assert len(documents) == COUNT
    staged = {each.path for each in operations if each.kind in ("create", "mkdir")}
    assert {each.path for each in after if each.kind == "rename"} <= staged


def test_no_file_stays_open_until_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    create(storage, "first", 1)
    is_open: list[int] = []
    close_dropped_storages()

    def count(operation: disk.Operation) -> None:
        if operation.kind == "sync":
            is_open.append(len([*Path("/dev/fd").iterdir()]))

    monkeypatch.setattr(disk, "observe", count)
    create(storage, "one", 1)
    create(storage, "many", COUNT)
    assert is_open[0] == is_open[1]


def test_a_document_that_cannot_be_written_leaves_nothing_of_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = HDF5StorageManager(tmp_path / "store")
    written = 0

    def fail(operation: disk.Operation) -> None:
        nonlocal written
        is_staged = operation.kind == "write" and "/tx/" in operation.path
        written += is_staged
        if is_staged and written == COUNT:
            raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(disk, "observe", fail)
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
