"""The files of a store as they are once every commit is carried out.

Of a commit that is not, or that cannot be, the journal is laid over the files in memory: so a copy
that was made in the middle of one is read as it is, and so is a sequence whose directory may not
be written to. All paths are relative to the root of the store, with slashes.
"""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Protocol

from shotstore.hdf5 import on_disk
from shotstore.hdf5.file_patches import FilePatch
from shotstore.hdf5.journal import Journal, Rename, digest, phase
from shotstore.hdf5.journal_check import why_no_fit


class HasFiles(Protocol):
    """Knows the files of a store, as they are at the moment."""

    files: "Files"


class Files:
    """What is at each path, and where it lies for the time being."""

    def __init__(self, root: Path, journals: Sequence[Journal] = ()) -> None:
        """Without ``journals``, everything lies where it belongs."""
        self.root = root
        self._patches: dict[str, FilePatch] = {}
        self._renames: list[Rename] = []
        self._arriving: dict[str, set[str]] = {}
        for journal in journals:
            if why_no_fit(root, journal) is None and not is_given_up(root, journal):
                self._lay(journal)

    @property
    def lie_in_place(self) -> bool:
        """Whether everything lies where it belongs."""
        return not self._renames

    def _lay(self, journal: Journal) -> None:
        first = phase(self.root, journal)
        if first == 0:
            self._patches |= {each.path: each for each in journal.patches}
        phases = (journal.replacements, journal.departures, journal.arrivals)
        for rename in chain.from_iterable(phases[first:]):
            is_left = False
            with suppress(OSError):  # in a directory that nobody may look into
                is_left = self.exists(rename.source)
            if is_left and not is_later(self.root, rename):  # otherwise it is done
                self._renames.append(rename)
                directory, _, name = rename.destination.rpartition("/")
                self._arriving.setdefault(directory, set()).add(name)

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None if there is none."""
        place = self.locate(path)
        return None if place is None else on_disk.read_file(f"{self.root}/{place}")

    def exists(self, path: str) -> bool:
        """Whether anything is there."""
        place = self.locate(path)
        return place is not None and on_disk.exists(f"{self.root}/{place}")

    def mode(self, path: str) -> int:
        """The type of what is there, as `stat` tells it; 0 if there is nothing."""
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
        if not self._renames:
            return on_disk.size_of_tree(f"{self.root}/{path}")
        files = (self.locate(join(path, name)) for name in self.list_files(path))
        return sum(
            (self.root / place).stat().st_size for place in files if place is not None
        ) + sum(self.size_of_tree(join(path, name)) for name in self.list_directories(path))

    def list_files(self, path: str) -> tuple[str, ...]:
        """Names of the files in a directory, sorted; none if it is missing."""
        place = self.locate(path)
        names = () if place is None else on_disk.list_files(f"{self.root}/{place}")
        if not self._renames:
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
        names = on_disk.list_directories(f"{self.root}/{place}")
        if not self._renames:
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


def is_later(root: Path, replacement: Rename) -> bool:
    """Whether there is a document that came after the one that is to replace it, as in a copy that
    was made while somebody wrote: it is neither that nor the one before."""
    if replacement.replaces is None:
        return False
    with suppress(OSError):
        found = on_disk.read_file(f"{root}/{replacement.destination}")
        staged = on_disk.read_file(f"{root}/{replacement.source}")
        if found is None or staged is None:
            return False  # where it has been put into place, that may still have to be made durable
        return digest(found) not in (replacement.replaces, digest(staged))
    return False


def is_given_up(root: Path, journal: Journal) -> bool:
    """Whether what was written past the end of a file is gone, so that nothing of it can be done;
    or, in a copy, was not copied."""
    if phase(root, journal) > 0:
        return False
    for patch in journal.patches:
        try:
            if patch.is_cut_off((root / patch.path).stat().st_size):
                return True
        except OSError:
            continue  # it is missing, or out of reach, which is said where it is asked for
    return False
