"""Shots files that stay open between the sessions of a process.

To open a file takes longer than to record a small shot, or to read one. A file that was left open
is used again only if it still lies at its path, and nobody has touched it.
"""

import os
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from shotstore.hdf5.dropped import call_when_dropped
from shotstore.hdf5.log.counter import Count
from shotstore.hdf5.open_shots import ShotsReader, ShotsWriter
from shotstore.hdf5.worker import is_exiting

_MOST = 4

# Windows moves no directory in which a file is open, and other processes may want to.
_CAN_KEEP = os.name != "nt"

_F = TypeVar("_F", bound=ShotsReader | ShotsWriter)


class KeptFiles(Generic[_F]):
    """Files that a store keeps open, each for the next session that needs it.

    Nothing but what a dict does in one step may be relied on: sessions of many threads end at once,
    and a lock that another thread holds at a fork is locked for ever.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _F] = {}
        self._watched_by: int | None = None
        self._commits: int | None = None

    def check(self, commits: int) -> None:
        """Close what is of no use any more if somebody else has committed, so that there are so
        many commits: a file that was moved to the trash would keep its space on the disk when that
        is emptied."""
        if commits == self._commits:
            return
        self._commits = commits
        for path in map(Path, list(self._kept)):
            file = self.take(path)
            if file is not None:
                self._put(path, file)

    def note(self, commits: int) -> None:
        """Take down how many commits there are with our own."""
        self._commits = commits

    def take(self, path: Path) -> _F | None:
        """The file at the path, if it is open and as it was left; it is kept no longer."""
        kept = self._pop(path)
        if kept is None:
            return None
        with suppress(OSError):  # whoever opens it anew is told
            if kept.resume(path):
                return kept
        kept.close(discard=False)
        return None

    def keep(self, path: Path, file: _F) -> None:
        """Leave a file open, of which everything is committed."""
        if not _CAN_KEEP or is_exiting():  # nobody would close it
            file.close(discard=False)
            return
        try:
            file.pause()
        except BaseException:
            file.close(discard=False)  # else nobody would, and it would keep its lock
            raise
        if self._watched_by != os.getpid():  # a forked child forgets what its parent has watched
            self._watched_by = os.getpid()
            call_when_dropped(self, _closing(self._kept))
        self._put(path, file)

    def _put(self, path: Path, file: _F) -> None:
        while (other := self._kept.setdefault(str(path), file)) is not file:
            if other.is_open:  # another thread has left it open, too
                file.close(discard=False)
                break
            self._pop(path)  # it was closed at a fork
        for surplus in list(self._kept)[:-_MOST]:
            self.close(Path(surplus))

    def close(self, path: Path) -> None:
        """Close the file at the path, if it is open."""
        kept = self._pop(path)
        if kept is not None:
            kept.close(discard=False)

    def close_all(self) -> None:
        """Close all files."""
        _closing(self._kept)()

    def _pop(self, path: Path) -> _F | None:
        kept = self._kept.pop(str(path), None)
        return kept if kept is not None and kept.is_open else None  # at a fork, they are closed


class KeptWriters(KeptFiles[ShotsWriter]):
    """Those that are recorded into. All of it happens with the write lock, but for the end."""

    def __init__(self) -> None:
        super().__init__()
        self._count = Count(0)
        """What the counter said when the files were left open."""

    def check_count(
        self, count: Count, changed_since: Callable[[Count], Collection[str] | None], root: Path
    ) -> None:
        """Close the files that somebody else has changed: what HDF5 remembers of them is not what
        is there. Whoever stores results beside a recorder leaves its file as it is.

        Args:
            count: What the counter says.
            changed_since: Tells which files were changed since it said something else, relative to
                the root of the store; None if that is not known.
            root: That of the store.
        """
        if self._kept and count != self._count:
            changed = changed_since(self._count)
            if changed is None:
                self.close_all()
            else:
                for path in changed:
                    self.close(root / path)
        self._count = count

    def note_count(self, count: Count) -> None:
        """Take down what the counter says after a commit of our own."""
        self._count = count


class _closing(Generic[_F]):  # noqa: N801 - used as a function, of which two are never equal
    def __init__(self, kept: dict[str, _F]) -> None:
        self._kept = kept

    def __call__(self) -> None:
        while self._kept:
            with suppress(Exception):
                _, file = self._kept.popitem()
                if file.is_open:
                    file.close(discard=False)
