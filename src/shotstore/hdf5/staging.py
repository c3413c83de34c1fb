"""The directory where a transaction makes what its commit will put into place."""

import uuid
from collections.abc import Callable
from pathlib import Path

from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.journal import MARK
from shotstore.hdf5.locks import lock_alone
from shotstore.hdf5.store import CONTROL, INCOMING, STAGING_LOCK, TRANSACTIONS

_MOST_OPEN = 64


class Staging:
    """``.shotstore/tx/<id>``, made when the first name in it is asked for.

    A transaction that works without the write lock has it as ``.shotstore/incoming/<id>`` until it
    takes the lock: what is in ``tx`` then, belongs to nobody and is removed.
    """

    def __init__(self, root: Path) -> None:
        self.transaction = uuid.uuid4().hex
        self._root = root
        self._relative = f"{TRANSACTIONS}/{self.transaction}"
        self._is_made = False
        self._count = 0
        self._new_directories: list[str] = []
        self._unsynced: list[disk.File] = []
        """Files that are written, and open: to open one again could lose the error of a write.
        All are written before the first is synced, which lets the disk write many at once."""
        self._release: Callable[[], None] | None = None

    def open_aside(self) -> None:
        """Make it where it can stay while others write; only with the write lock, since one that
        is not locked yet would be removed."""
        incoming = self._root / INCOMING
        if not on_disk.is_directory(incoming):
            disk.make_directory(incoming)
            disk.sync_directory(self._root / CONTROL)
        self._relative = f"{INCOMING}/{self.transaction}"
        disk.make_directory(self._root / self._relative)
        self._is_made = True
        lock = self._root / self._relative / STAGING_LOCK
        disk.overwrite(lock, b"")
        self._release = lock_alone(lock)

    @property
    def is_aside(self) -> bool:
        """Whether it lies where it can stay while others write."""
        return self._is_made and self._relative.startswith(INCOMING)

    def bring_in(self) -> None:
        """Move it to the place of a transaction that has the write lock."""
        aside = self._root / self._relative
        self._relative = f"{TRANSACTIONS}/{self.transaction}"
        disk.rename(aside, self._root / self._relative)
        disk.sync_directory(self._root / TRANSACTIONS)
        disk.sync_directory(self._root / INCOMING)

    def slot(self) -> str:
        """A name that is free, relative to the root of the store."""
        if not self._is_made:
            disk.make_directory(self._root / self._relative)
            self._is_made = True
        self._count += 1
        return f"{self._relative}/{self._count}"

    def new_directory(self, path: str | None = None) -> str:
        """Create a directory: a slot, or at ``path`` inside one."""
        path = self.slot() if path is None else path
        disk.make_directory(self._root / path)
        self._new_directories.append(path)
        return path

    def new_file(self, content: bytes, path: str | None = None) -> str:
        """Create a file with this content, to be made durable by `sync`: in a slot, or at ``path``
        inside one."""
        path = self.slot() if path is None else path
        if len(self._unsynced) >= _MOST_OPEN:
            self._sync_files()
        file = disk.File(self._root / path, "x")
        self._unsynced.append(file)
        file.write(content, 0)
        file.begin_to_write(0, len(content))
        return path

    def new_mark(self) -> None:
        """Make the mark that the commit puts into place by a rename: once it has begun, nothing
        may need space."""
        disk.write_new_file(self._root / self._relative / MARK, b"")

    def relative(self, slot: Path) -> str:
        """A slot as the journal names it, wherever it was when it was asked for."""
        return f"{self._relative}/{slot.name}"

    def sync(self) -> None:
        """Make everything that was made durable."""
        self._sync_files()
        if self._is_made:
            for directory in (*self._new_directories, self._relative, TRANSACTIONS):
                disk.sync_directory(self._root / directory)

    def _sync_files(self) -> None:
        for file in self._unsynced:
            file.sync()
        self._close_files()

    def _close_files(self) -> None:
        while self._unsynced:
            self._unsynced.pop().close()

    def remove(self) -> None:
        """Remove what is left of it."""
        try:
            self._close_files()
            if self._is_made:
                disk.remove_tree(self._root / self._relative)
        finally:
            if self._release is not None:
                self._release()  # not before: another session would remove it too
                self._release = None
