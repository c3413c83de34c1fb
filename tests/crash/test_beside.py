"""Another process opens the store at every point of a transaction that is at work."""

from contextlib import closing
from pathlib import Path
from typing import Any

import h5py
import pytest

from shotstore import StorageLockTimeoutError
from shotstore.hdf5 import HDF5StorageManager, disk
from shotstore.hdf5.disk import Operation
from tests.commit_moment import CommitMoment
from tests.crash.logical import contents
from tests.crash.scenarios import populate
from tests.crash.transactions import RUNS, TRANSACTIONS, Act, prepare

ACTS: dict[str, Act] = {
    name: TRANSACTIONS[name]
    for name in ("later shot", "annotate", "create", "swap", "several sequences", "finish", "reset")
}


class Neighbour:
    """Opens the store before every operation, and notes what it finds."""

    def __init__(self, root: Path, *, read_only: bool) -> None:
        self._root = root
        self._read_only = read_only
        self._commit = CommitMoment()
        self.found: list[tuple[bool, dict[str, Any]]] = []
        """Whether the record was in the log by then, and the contents."""
        self.was_kept_out = 0

    def __call__(self, operation: Operation) -> None:
        is_committed = self._commit.note(operation)
        if h5py._objects.phil._is_owned():
            return  # HDF5 is at work, and would be called again
        observe, disk.observe = disk.observe, None
        try:
            with closing(
                HDF5StorageManager(self._root, read_only=self._read_only, lock_timeout=0.05)
            ) as storage:
                self.found.append((is_committed, contents(storage)))
        except StorageLockTimeoutError:
            self.was_kept_out += 1
        finally:
            disk.observe = observe


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("name", ACTS)
def test_who_opens_a_store_beside_sees_a_transaction_whole_or_not_at_all(
    name: str, read_only: bool, tmp_path: Path
) -> None:
    act = ACTS[name]
    with closing(HDF5StorageManager(tmp_path / "store")) as storage:
        populate(storage)
        prepare(act, storage)
        before = contents(storage)
        disk.observe = neighbour = Neighbour(storage.root, read_only=read_only)
        try:
            act(storage)
        finally:
            disk.observe = None
        after = contents(storage)
    assert neighbour.was_kept_out
    # Of a later shot, all is done by HDF5 or while others are kept out.
    assert neighbour.found or name == "later shot"
    for is_committed, content in neighbour.found:
        if is_committed:
            assert content == after
        else:
            assert content in (before, after)


def test_who_opens_a_store_beside_sees_what_was_acknowledged(tmp_path: Path) -> None:
    run = RUNS["the life of a sequence in a row"]
    with closing(HDF5StorageManager(tmp_path / "store")) as storage:
        populate(storage)
        before = contents(storage)
        for act in run.acts:
            disk.observe = neighbour = Neighbour(storage.root, read_only=True)
            try:
                act(storage)
            finally:
                disk.observe = None
            after = contents(storage)
            assert all(content in (before, after) for _, content in neighbour.found)
            with closing(HDF5StorageManager(storage.root)) as other:
                assert contents(other) == after
            before = after
