"""Sequences that come from elsewhere: made in a store aside, then brought in as a whole.

To make one may take hours. So it is made in ``.shotstore/incoming/<id>``, which is a store of its
own, while others write to this one; and moved to its place by a transaction that takes no longer
than any other. A lock tells whether somebody is at work there: what a killed process has left, the
next session that writes removes.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.lock_files import lock_alone
from shotstore.hdf5.records import HDF5Records
from shotstore.hdf5.store import INCOMING, INCOMING_LOCK, Store
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.worker import run
from shotstore.paths import PureSequencePath
from shotstore.records.owner import current_owner


@contextmanager
def store_aside(store: Store) -> Iterator[Store]:
    """Give an empty store of its own, for as long as the block lasts.

    Raises:
        StorageLockTimeoutError: another session keeps on writing.
        StorageError: the store was opened for reading.
    """
    place = _Place(store)
    try:
        run(place.make)
        aside = run(lambda: Store(place.path, lock_timeout=store.lock_timeout, read_only=False))
        try:
            yield aside
        finally:
            run(aside.close)
    finally:
        run(place.remove)


def check_place(path: PureSequencePath, transaction: Transaction) -> None:
    """Check that what is not there yet can be created, before it is made.

    Args:
        path: Where it is to be.
        transaction: One that changes nothing; it is not committed.

    Raises:
        PathError: it cannot, as `StoredTree.make_room` says it.
    """

    def check() -> None:
        if transaction.tree.find(path) is None:
            transaction.tree.make_room(path)

    transaction.read(check)


def bring_in(path: PureSequencePath, aside: Transaction, destination: Transaction) -> None:
    """Move a sequence to its place, with the dates and notes of the folders that are created.

    Args:
        path: Where it is in the store aside, and where it is to be.
        aside: It has changed nothing.
        destination: A transaction on the store.

    Raises:
        PathError: it cannot be created, as `StoredRecords.create_sequence` says it.
    """
    found = aside.read(lambda: aside.tree.get_sequence(path))
    document = aside.read(lambda: aside.tree.document(found))
    directory = aside.store.root / (found.directory or "")

    def move() -> None:
        tree = destination.tree
        for folder in tree.create_folders(path.get_ancestors()[-1]):
            there = aside.tree.get(folder.path)
            folder.created, folder.note = aside.tree.creation_date(there), there.note
        HDF5Records(destination).create_sequence(path, document)
        node = tree.get(path)
        for files in (destination.shots.files, destination.results.files):
            if on_disk.exists(directory / files.name):
                slot = destination.new_slot()
                disk.rename(directory / files.name, slot)
                disk.sync_directory(directory)  # or it may be found there alone
                files.adopt(node, slot)
        destination.change_document(node, document)

    destination.write(move)


class _Place:
    """A directory in ``.shotstore/incoming``, and the lock in it."""

    def __init__(self, store: Store) -> None:
        self.path: Path = store.root / INCOMING / uuid.uuid4().hex[:8]
        self._store = store
        self._release: Callable[[], None] | None = None

    def make(self) -> None:
        """Make it, with the write lock: one that is not locked yet would be removed."""
        release = self._store.acquire_write(current_owner())
        try:
            if not on_disk.is_directory(self.path.parent):
                disk.make_directory(self.path.parent)
                disk.sync_directory(self.path.parent.parent)
            lock = self.path / INCOMING_LOCK
            disk.make_directory(self.path)
            disk.make_directory(lock.parent)
            disk.overwrite(lock, b"")
            self._release = lock_alone(lock)
        finally:
            release()

    def remove(self) -> None:
        """Remove it; what cannot be removed, the next session that writes tries again."""
        with suppress(OSError):
            disk.remove_tree(self.path)
        if self._release is not None:
            self._release()  # not before: another session would remove it too
        with suppress(OSError):
            disk.remove_tree(self.path)  # Windows removes no file that is open, as the lock was
