"""Disks that fail: each operation of a transaction in turn ends in an error."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from weakref import ref

import h5py
import numpy as np
import pytest

from shotstore import CommitUncertainError, StorageError
from shotstore.hdf5 import HDF5StorageManager, disk, on_disk
from shotstore.hdf5.disk import Operation
from tests.checkpoints import close_dropped_storages
from tests.commit_moment import CommitMoment
from tests.crash.explore import work_on
from tests.crash.logical import contents
from tests.crash.scenarios import RUNNING, populate, shoot
from tests.crash.transactions import TRANSACTIONS

VARIED = [
    "later shot",
    "several sequences",
    "shoot, finish and reset",
    "swap",
    "restore from trash",
]


class FailingDisk:
    """Fails at one operation, or from it on, and counts them."""

    def __init__(self, fail_at: int | None, error: int, *, goes_on: bool = False) -> None:
        self.count = 0
        self._fail_at = fail_at
        self._error = error
        self._goes_on = goes_on

    def __call__(self, operation: Operation) -> None:
        number = self.count
        self.count += 1
        if self._fail_at is not None and (
            number == self._fail_at or (self._goes_on and number > self._fail_at)
        ):
            raise OSError(self._error, os.strerror(self._error), operation.path)


@contextmanager
def failing(
    failure: Callable[[Operation], object], opening: Callable[[str], None] | None = None
) -> Iterator[None]:
    disk.observe, on_disk.observe_opening = failure, opening
    try:
        yield
    finally:
        disk.observe = on_disk.observe_opening = None


def outcome_of(
    act: Callable[[HDF5StorageManager], object], storage: HDF5StorageManager, failure: FailingDisk
) -> Exception | None:
    """What a transaction on a failing disk raises, which must name the cause."""
    with failing(failure):
        try:
            act(storage)
        except (OSError, StorageError) as error:
            return error
    return None


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("populated") / "store"
    with closing(HDF5StorageManager(root)) as storage:
        populate(storage)
    return root


@pytest.fixture
def copies(populated: Path, tmp_path: Path) -> Callable[[], HDF5StorageManager]:
    """Makes stores that all hold the same."""

    last: list[ref[HDF5StorageManager]] = []

    def copy() -> HDF5StorageManager:
        if last and (before := last.pop()()) is not None:
            before.close()
        shutil.rmtree(tmp_path / "store", ignore_errors=True)
        shutil.copytree(populated, tmp_path / "store")
        storage = HDF5StorageManager(tmp_path / "store")
        last.append(ref(storage))
        return storage

    return copy


# Other errors take the same ways.
FAULTS = [
    *((name, errno.EIO, goes_on) for name in VARIED for goes_on in (False, True)),
    *((name, errno.ENOSPC, True) for name in ("later shot", "swap")),
    *((name, errno.EINTR, False) for name in ("later shot", "swap")),
]


@pytest.mark.parametrize(("name", "error", "goes_on"), FAULTS)
def test_a_failing_operation_changes_nothing_or_is_said_to_be_committed(
    name: str, error: int, goes_on: bool, copies: Callable[[], HDF5StorageManager]
) -> None:
    act = TRANSACTIONS[name]
    storage = copies()
    before = contents(storage)
    total = count_operations(name, storage)
    done = contents(storage)
    assert not same_but_times(before, done)
    # Long transactions go through the same steps again and again.
    for number in range(0, total, 1 if error == errno.EIO and total < 25 else 11):
        storage = copies()
        root = storage.root
        outcome = outcome_of(act, storage, FailingDisk(number, error, goes_on=goes_on))
        found = contents(storage)
        if outcome is None or isinstance(outcome, CommitUncertainError):
            assert same_but_times(found, done), f"operation {number} of {total}"
        else:
            assert same_but_times(found, before), f"operation {number} of {total}"
        assert outcome is None or os.strerror(error) in str(outcome)
        work_on(storage)
        del storage, outcome  # whose traceback refers to the storage
        close_dropped_storages()
        # A file that stays open crashes the interpreter when it exits.
        assert not {name for name in open_files() if name.is_relative_to(root)}


@pytest.mark.parametrize("name", VARIED)
def test_a_failure_in_recovery_leaves_it_to_the_next_opening(
    name: str, copies: Callable[[], HDF5StorageManager]
) -> None:
    storage = copies()
    count_operations(name, storage)
    done = contents(storage)
    storage = copies()
    leave_a_record(name, storage)
    recovery = FailingDisk(None, 0)
    assert outcome_of(contents, storage, recovery) is None
    for number in range(recovery.count):
        storage = copies()
        leave_a_record(name, storage)
        outcome_of(contents, storage, FailingDisk(number, errno.EIO, goes_on=True))
        assert same_but_times(contents(storage), done), f"operation {number} of the recovery"
        work_on(storage)


def test_a_shot_that_could_not_be_written_spoils_its_session_only(
    copies: Callable[[], HDF5StorageManager],
) -> None:
    storage = copies()
    before = contents(storage)

    def two_shots() -> None:
        with storage.session() as session:
            with (
                failing(FailingDisk(0, errno.ENOSPC, goes_on=True)),
                pytest.raises(OSError, match="No space"),
            ):
                shoot(RUNNING, 500, big=np.ones(3 * 10**7, np.uint8))(session)
            shoot(RUNNING, 501)(session)

    with pytest.raises(StorageError, match=r"can only be left.*No space"):
        two_shots()
    assert contents(storage) == before
    work_on(storage)


def test_a_session_that_ignores_a_failed_shot_does_not_commit(
    copies: Callable[[], HDF5StorageManager],
) -> None:
    storage = copies()
    before = contents(storage)

    def leave_normally() -> None:
        with storage.session() as session:
            shoot(RUNNING, 500)(session)
            with (
                failing(FailingDisk(0, errno.EIO, goes_on=True)),
                pytest.raises(OSError, match="output error"),
            ):
                shoot(RUNNING, 501, big=np.ones(3 * 10**7, np.uint8))(session)

    with pytest.raises(StorageError, match="can only be left"):
        leave_normally()
    assert contents(storage) == before


def count_operations(name: str, storage: HDF5StorageManager) -> int:
    """Do the transaction; return how many operations it takes."""
    counter = FailingDisk(None, 0)
    with failing(counter):
        TRANSACTIONS[name](storage)
    return counter.count


def leave_a_record(name: str, storage: HDF5StorageManager) -> None:
    """Stop the transaction right after its commit, as a kill would."""
    commit = CommitMoment()

    def stop(operation: Operation) -> None:
        if commit.note(operation):
            raise OSError(errno.EIO, "stopped", operation.path)

    with failing(stop), pytest.raises(CommitUncertainError):
        TRANSACTIONS[name](storage)


def same_but_times(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the contents are the same but for when paths were created and deleted."""

    def strip(content: dict[str, Any]) -> dict[str, Any]:
        paths = {path: sequence for path, (_, sequence) in content["paths"].items()}
        trash = sorted((path, reason) for path, reason, _ in content["trash"])
        return {**content, "paths": paths, "trash": trash}

    return strip(one) == strip(other)


def open_files() -> set[Path]:
    """The files that HDF5 has open, of this test and of those before it."""
    ids = h5py.h5f.get_obj_ids(h5py.h5f.OBJ_ALL, h5py.h5f.OBJ_FILE)
    return {Path(h5py.h5f.get_name(found).decode()) for found in ids}
