"""The files of a store, as they are once every commit is carried out.

Records of the log that are not carried out, or that cannot be, are laid over the files in memory:
so a copy that was made in the middle of a run is read as it was committed, and so is a sequence
whose directory may not be written to. All paths are relative to the root of the store, with
slashes.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from pathlib import Path
from stat import S_IFDIR, S_IFREG, S_ISDIR, S_ISREG
from typing import Protocol

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import on_disk
from shotstore.hdf5.log.fitting import is_later, phase
from shotstore.hdf5.log.record import FilePatch, LogRecord, Rename


class HasFiles(Protocol):
    """Knows the files of a store, as they are at the moment."""

    files: "Files"


class Files:
    """What is at each path, and where it lies for the time being."""

    def __init__(self, root: Path) -> None:
        """Everything lies where it belongs."""
        self.root = root
        self._patches: dict[str, FilePatch] = {}
        self._renames: list[Rename] = []
        self._made: dict[str, bytes | None] = {}
        """What is not on the disk: documents by path, with their content, and directories."""
        self._arriving: dict[str, set[str]] = {}
        self._refused: dict[str, str] = {}

    @property
    def lie_in_place(self) -> bool:
        """Whether every file lies where it belongs, and every document is as it is on the disk."""
        return not (self._renames or self._made)

    def lay(self, record: LogRecord) -> None:
        """Lay what a record does over the files."""
        first = phase(self.root, record)
        if first == 0:
            self._patches |= {each.path: each for each in record.patches}
        phases = (record.replacements, record.departures, record.arrivals)
        for rename in chain.from_iterable(phases[first:]):
            is_left = False
            with suppress(OSError):  # in a directory that nobody may look into
                is_left = self.exists(rename.source) and not (
                    rename.is_new and self.exists(rename.destination)
                )
            if is_left:  # otherwise it is done
                self._renames.append(rename)
                self._arrives(rename.destination)
            elif rename.is_new and not self.exists(rename.destination):
                self._made[rename.destination] = None
                self._arrives(rename.destination)
        for document in record.documents:
            with suppress(OSError):
                if is_later(self.read(document.path), document):
                    continue
            self._made[document.path] = document.content
            self._arrives(document.path)

    @property
    def is_laid_over(self) -> bool:
        """Whether anything lies over what is on the disk."""
        return bool(self._patches) or not self.lie_in_place

    def _arrives(self, path: str) -> None:
        directory, _, name = path.rpartition("/")
        self._arriving.setdefault(directory, set()).add(name)

    def refuse(self, paths: Iterable[str], why: str) -> None:
        """Let nobody read these shots files, which lack what was committed; ``why`` is the message
        of the error."""
        self._refused |= dict.fromkeys(paths, why)

    def check(self, place: Path) -> None:
        """Check that a file may be read.

        Raises:
            DamagedStorageError: it lacks what was committed.
        """
        if self._refused:
            why = self._refused.get(place.relative_to(self.root).as_posix())
            if why is not None:
                raise DamagedStorageError(why)

    def document(self, path: str) -> bytes | None:
        """The content of a document that is not on the disk; None if that is the one that counts,
        or there is none."""
        return self._made.get(path) if self._made else None

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None if there is none."""
        content = self.document(path)
        if content is not None:
            return content
        place = self.locate(path)
        return None if place is None else on_disk.read_file(f"{self.root}/{place}")

    def exists(self, path: str) -> bool:
        """Whether anything is there."""
        place = self.locate(path)
        return path in self._made or (place is not None and on_disk.exists(f"{self.root}/{place}"))

    def mode(self, path: str) -> int:
        """The type of what is there, as `stat` tells it; 0 if there is nothing."""
        if path in self._made:
            return S_IFDIR if self._made[path] is None else S_IFREG
        place = self.locate(path) if self._renames else path
        try:
            return 0 if place is None else os.lstat(f"{self.root}/{place}").st_mode
        except OSError as error:
            if error.errno in on_disk.NOTHING_THERE:
                return 0
            raise

    def is_directory(self, path: str) -> bool:
        """Whether there is a directory."""
        return S_ISDIR(self.mode(path))

    def size_of_tree(self, path: str) -> int:
        """Bytes in all files below a directory."""
        if self.lie_in_place:
            return on_disk.size_of_tree(f"{self.root}/{path}")
        files = sum(self._size(join(path, name)) for name in self.list_files(path))
        return files + sum(
            self.size_of_tree(join(path, name)) for name in self.list_directories(path)
        )

    def _size(self, path: str) -> int:
        content, place = self.document(path), self.locate(path)
        if content is not None or place is None:
            return len(content or b"")
        return (self.root / place).stat().st_size

    def list_files(self, path: str) -> tuple[str, ...]:
        """Names of the files in a directory, sorted; none if it is missing."""
        place = self.locate(path)
        names = () if place is None else on_disk.list_files(f"{self.root}/{place}")
        if self.lie_in_place:
            return names
        return tuple(
            sorted(n for n in self._candidates(path, names) if S_ISREG(self.mode(join(path, n))))
        )

    def list_directories(self, path: str) -> list[str]:
        """Names of the directories in a directory.

        Raises:
            FileNotFoundError: it is missing.
        """
        place = self.locate(path)
        if place is None:
            raise FileNotFoundError(f"{self.root / path} is gone")
        names = [] if path in self._made else on_disk.list_directories(f"{self.root}/{place}")
        if self.lie_in_place:
            return names
        return [n for n in self._candidates(path, names) if self.is_directory(join(path, n))]

    def _candidates(self, path: str, names: Iterable[str]) -> set[str]:
        """What may be in a directory: what was, and what arrives there, or did before it moved."""
        arriving = self._arriving
        return {*names, *arriving.get(path, ()), *arriving.get(self.locate(path) or path, ())}

    def place(self, path: Path) -> Path | None:
        """Where what belongs at a path, which is not relative here, lies."""
        if not self._renames:
            return path
        place = self.locate(path.relative_to(self.root).as_posix())
        return None if place is None else self.root / place

    def patch(self, place: Path) -> FilePatch | None:
        """What is still to be written into the file that lies here."""
        return self._patches.get(place.relative_to(self.root).as_posix()) if self._patches else None

    def locate(self, path: str) -> str | None:
        """Where what is at a path lies; None if a commit has taken it away."""
        for rename in reversed(self._renames):
            if path == rename.destination or path.startswith(f"{rename.destination}/"):
                path = rename.source + path[len(rename.destination) :]
            elif path == rename.source or path.startswith(f"{rename.source}/"):
                return None
        return path


def join(directory: str, name: str) -> str:
    """The path of a name in a directory; the root is the empty text."""
    return f"{directory}/{name}" if directory else name
