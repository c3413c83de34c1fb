"""What the records of a round have changed with plain writes, for a checkpoint to sync."""

import errno
from collections.abc import Callable
from pathlib import Path

from shotstore.hdf5 import disk
from shotstore.hdf5.log.record import TRANSACTIONS, LogRecord


class Unsynced:
    """Files and directories of a store that are to be synced; paths relative to its root."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, None] = {}
        self._directories: dict[str, None] = {}

    def note(self, record: LogRecord) -> None:
        """Remember to sync what a record changes."""
        renames = (*record.replacements, *record.departures, *record.arrivals)
        if not record.departures:  # before anything departs, patches are synced
            self._files |= dict.fromkeys(patch.path for patch in record.patches)
        self._files |= dict.fromkeys(document.path for document in record.documents)
        changed = [rename.destination for rename in renames]
        changed += [document.path for document in record.documents]
        self._directories |= dict.fromkeys(path.rpartition("/")[0] for path in changed)
        self._directories |= dict.fromkeys(r.destination for r in record.arrivals if r.is_new)
        if changed:
            self._directories[TRANSACTIONS] = None

    def sync(self) -> dict[str, OSError]:
        """Make all of it durable; return what could not be, with the error of each. What is gone
        was moved or removed by others."""
        failed: dict[str, OSError] = {}
        steps: list[tuple[dict[str, None], Callable[[Path], object]]] = [
            (self._files, disk.sync_file),
            (self._directories, disk.sync_directory),
        ]
        for paths, sync in steps:
            for path in paths:
                try:
                    sync(self._root / path)
                except OSError as error:
                    if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                        failed[path] = error
        return failed

    def clear(self) -> None:
        """Forget all of it: it is durable."""
        self._files.clear()
        self._directories.clear()
