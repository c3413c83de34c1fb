"""The directory where a transaction makes what its commit will put into place."""

import uuid
from pathlib import Path

from shotstore.hdf5 import disk
from shotstore.hdf5.journal import MARK
from shotstore.hdf5.store import TRANSACTIONS

_MOST_OPEN = 64


class Staging:
    """``.shotstore/tx/<id>``, made when the first name in it is asked for."""

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
        """A slot as the journal names it."""
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
        self._close_files()
        if self._is_made:
            disk.remove_tree(self._root / self._relative)
