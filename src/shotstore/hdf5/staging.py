"""The directory where a transaction makes what its commit will put into place."""

import uuid
from pathlib import Path

from shotstore.hdf5 import disk
from shotstore.hdf5.store import TRANSACTIONS


class Staging:
    """``.shotstore/tx/<id>``, made when the first name in it is asked for."""

    def __init__(self, root: Path) -> None:
        self.transaction = uuid.uuid4().hex
        self._relative = f"{TRANSACTIONS}/{self.transaction}"
        self._root = root
        self._count = 0
        self._new_directories: list[Path] = []

    @property
    def is_used(self) -> bool:
        """Whether the directory exists."""
        return self._count > 0

    def slot(self) -> str:
        """A name that is free, relative to the root of the store."""
        if not self._count:
            disk.make_directory(self._root / self._relative)
        self._count += 1
        return f"{self._relative}/{self._count}"

    def new_directory(self, path: str | None = None) -> str:
        """Create a directory: a slot, or at ``path`` inside one."""
        path = self.slot() if path is None else path
        disk.make_directory(self._root / path)
        self._new_directories.append(self._root / path)
        return path

    def new_file(self, content: bytes, path: str | None = None) -> str:
        """Create a file with this content, durably: in a slot, or at ``path`` inside one."""
        path = self.slot() if path is None else path
        disk.write_new_file(self._root / path, content)
        return path

    def relative(self, path: Path) -> str:
        """A path of the store as the journal names it."""
        return path.relative_to(self._root).as_posix()

    def sync(self) -> None:
        """Make every name that was made durable."""
        if self._count:
            for directory in (*self._new_directories, self._root / self._relative):
                disk.sync_directory(directory)
            disk.sync_directory(self._root / TRANSACTIONS)

    def remove(self) -> None:
        """Remove what is left of it."""
        if self._count:
            disk.remove_tree(self._root / self._relative)
