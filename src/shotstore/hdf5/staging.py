"""What a transaction makes before its commit, which brings it to its place."""

import uuid
from pathlib import Path

from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.log.record import TRANSACTIONS


class Staging:
    """Names in ``.shotstore/tx`` that begin with the id of the transaction."""

    def __init__(self, root: Path) -> None:
        self.transaction = uuid.uuid4().hex
        self._root = root
        self._slots: list[str] = []

    def slot(self) -> str:
        """A name that is free, relative to the root of the store."""
        self._slots.append(f"{TRANSACTIONS}/{self.transaction}-{len(self._slots) + 1}")
        return self._slots[-1]

    def new_directory(self) -> str:
        """Create a directory in a slot."""
        slot = self.slot()
        disk.make_directory(f"{self._root}/{slot}")
        return slot

    def new_file(self, content: bytes) -> str:
        """Create a file with this content in a slot. It is not synced: the log has the content
        too."""
        slot = self.slot()
        file = disk.File(Path(f"{self._root}/{slot}"), "x")
        try:
            file.write(content, 0)
        finally:
            file.close()
        return slot

    def new_mark(self, name: str) -> None:
        """Make the mark that the commit puts into place by a rename: once it has begun, nothing
        may need space."""
        self._slots.append(name)
        disk.write_new_file(self._root / name, b"")

    def relative(self, slot: Path) -> str:
        """A slot as the log names it."""
        return f"{TRANSACTIONS}/{slot.name}"

    def sync(self) -> None:
        """Make the names of what was made durable."""
        disk.sync_directory(self._root / TRANSACTIONS)

    def remove(self) -> None:
        """Remove what is left of it."""
        if self._slots:
            directory = self._root / TRANSACTIONS
            for name in on_disk.list_names(str(directory)):
                if name.startswith(f"{self.transaction}-"):
                    remove(directory / name)


def remove(place: Path) -> None:
    """Remove a file or a directory that was staged, if it is there."""
    if on_disk.is_directory(place):
        disk.remove_tree(place)
    else:
        disk.remove_file(place)
