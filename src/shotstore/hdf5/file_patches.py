"""What a commit has still to write into a file, in the place of what is there."""

from pathlib import Path

from attrs import frozen

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk, on_disk
from shotstore.hdf5.locks import try_lock_shared
from shotstore.hdf5.overlay import PAGE, tail_start


@frozen
class FilePatch:
    """Pages to write into a file, and the length it then has (bytes)."""

    path: str
    """Relative to the root of the store, with slashes."""
    committed: int
    length: int
    offsets: list[int]
    pages: list[bytes]

    def is_cut_off(self, length: int) -> bool:
        """Whether a file of this length lacks what was written past its end before the commit.

        After its writer was killed, another program has opened it for writing, and has cut off
        what lay past the committed end when it closed it, as HDF5 does.
        """
        return self.length > tail_start(self.committed) and length < self.length

    def is_begun(self, file: disk.File) -> bool:
        """Whether the first page, which is written before all others, is in place."""
        page = self.pages[0][:PAGE] if self.pages else b""
        found = bytearray(len(page))
        file.read_into(memoryview(found), self.offsets[0] if page else 0)
        return found == page


class PatchedFile:
    """A file that is open to be patched."""

    def __init__(self, path: Path, copy: Path, patch: FilePatch) -> None:
        """Where another program has the file at ``path`` open for writing, it is copied to
        ``copy``: that program will write what it remembers over what is in it when it closes it.
        """
        self.patch = patch
        self._path = path
        self._copy: Path | None = None
        self.file = disk.File(path, "r+")
        try:
            if not try_lock_shared(self.file):
                self._use_copy(copy)
        except BaseException:
            self.file.close()
            raise

    def _use_copy(self, copy: Path) -> None:
        if not on_disk.is_directory(copy.parent):
            disk.make_directory(copy.parent)
        disk.remove_file(copy)
        disk.copy_start(self.file, self.file.length(), copy)
        self.file.close()
        self.file = disk.File(copy, "r+")
        self._copy = copy

    def is_cut_off(self) -> bool:
        """Whether it lacks what was written past its end."""
        return self.patch.is_cut_off(self.file.length())

    def cut_off(self) -> DamagedStorageError:
        """The error for a file that is, in a transaction of which something was done."""
        return DamagedStorageError(
            f"{self._path} was opened and closed by another program before a transaction in it was "
            "finished, and has lost shots of that. Restore it from a backup."
        )

    def write(self) -> None:
        """Write the patch, durably."""
        for offset, page in zip(self.patch.offsets, self.patch.pages, strict=True):
            self.file.write(page, offset)
        if self.file.length() != self.patch.length:
            self.file.truncate(self.patch.length)
        self.file.sync()

    def put_into_place(self) -> None:
        """Bring the copy, if there is one, to the place of the file."""
        if self._copy is not None:
            disk.rename(self._copy, self._path)
            disk.sync_directory(self._path.parent)

    def close(self) -> None:
        """Close the file."""
        self.file.close()
