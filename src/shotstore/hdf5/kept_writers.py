"""Shots files that stay open between the sessions of a process that records.

To open a file takes longer than to record a small shot. A file that was left open is used again
only if nobody else has committed since, which the store's counter shows, and nobody has touched it.
"""

import os
from contextlib import suppress
from pathlib import Path

from shotstore.hdf5.dropped import call_when_dropped
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.hdf5.worker import is_exiting

_MOST = 4

# Windows moves no directory in which a file is open, and other processes may want to.
_CAN_KEEP = os.name != "nt"


class KeptWriters:
    """The files that a store keeps open.

    All of it happens with the write lock, but for the end. Nothing but what a dict does in one step
    may be relied on then: a lock that another thread holds at a fork is locked for ever.
    """

    def __init__(self) -> None:
        self._kept: dict[str, ShotsWriter] = {}
        self._commits: int | None = None
        self._watched_by: int | None = None

    def check(self, commits: int) -> None:
        """Close all files if somebody else has committed, so that there are so many commits."""
        if commits != self._commits:
            self.close_all()

    def note(self, commits: int) -> None:
        """Take down how many commits there are with our own."""
        self._commits = commits

    def take(self, path: Path) -> ShotsWriter | None:
        """The file at the path, if it is open and as it was left; it is kept no longer."""
        kept = self._pop(path)
        if kept is None or kept.resume(path):
            return kept
        kept.close(discard=False)
        return None

    def keep(self, path: Path, writer: ShotsWriter) -> None:
        """Leave a file open whose changes are committed."""
        if not _CAN_KEEP or is_exiting():  # nobody would close it
            writer.close(discard=False)
            return
        try:
            writer.pause()
        except BaseException:
            writer.close(discard=False)  # else nobody would, and it would keep its lock
            raise
        if self._watched_by != os.getpid():  # a forked child forgets what its parent has watched
            self._watched_by = os.getpid()
            call_when_dropped(self, _closing(self._kept))
        self._kept[str(path)] = writer
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

    def _pop(self, path: Path) -> ShotsWriter | None:
        kept = self._kept.pop(str(path), None)
        return kept if kept is not None and kept.is_open else None  # at a fork, they are closed


class _closing:  # noqa: N801 - used as a function, of which two are never equal
    def __init__(self, kept: dict[str, ShotsWriter]) -> None:
        self._kept = kept

    def __call__(self) -> None:
        while self._kept:
            with suppress(Exception):
                _, writer = self._kept.popitem()
                if writer.is_open:
                    writer.close(discard=False)
