"""Documents that were read before, and need not be read again while their files are the same."""

import os
import time
from collections.abc import Iterable

from attrs import frozen

from shotstore.hdf5 import on_disk
from shotstore.hdf5.folders import KnownFolders

_MOST_BYTES = 64 * 2**20
TICK = 20_000_000
"""How much later (ns) a change may be and still leave a file with the same time: what systems
count in."""
_COARSEST_TICK = 2_000_000_000
"""The same, of file systems that note times in whole seconds, or in two."""


@frozen
class _Known:
    content: bytes
    identity: on_disk.Identity
    commits: int | None
    age: int
    """How long before it was read the file was last changed (ns)."""


class KnownDocuments:
    """What a store has read of its documents, for all of its sessions.

    Other programs, and other computers, may change them at any time, so the file is looked at for
    each use; not opened, if nothing about it has changed.
    """

    def __init__(self) -> None:
        self.folders = KnownFolders()
        """What their directories hold."""
        self._known: dict[str, _Known] = {}
        self._bytes = 0

    def read(self, path: str, commits: int | None) -> bytes | None:
        """The content of a file, or None if there is none.

        Args:
            path: The file.
            commits: How many transactions were committed, while it is read; None if that is not
                known.

        Raises:
            OSError: it cannot be read.
        """
        content = self.recall([path], commits)[0]
        if content is not None:
            return content
        now = time.time_ns()
        content, identity = on_disk.read_and_identify(path)
        if content is not None and identity is not None:
            age = now - max(identity[2:])
            self._remember(path, _Known(content, identity, commits, age))
        return content

    def last(self, path: str) -> bytes | None:
        """What a file held when it was last read, if that is known."""
        known = self._known.get(path)
        return None if known is None else known.content

    def recall(self, paths: Iterable[str], commits: int | None) -> list[bytes | None]:
        """What `read` gives of each file without opening it; None of those that it would open."""
        # Of thousands: nothing is called for each but the system.
        found: list[bytes | None] = []
        look, known_at = os.lstat, self._known.get
        for path in paths:
            content = None
            known = known_at(path)
            # A file that was changed just before it was read may have been changed just after,
            # too, without a later time. Git calls such entries of its index racy.
            if known is not None and (
                known.age > _COARSEST_TICK
                or (known.age > TICK and known.commits == commits is not None)
            ):
                try:
                    now = look(path)
                except OSError:
                    pass  # said where it is read
                else:
                    identity = now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns
                    if identity == known.identity:
                        content = known.content
            found.append(content)
        return found

    def _remember(self, path: str, known: _Known) -> None:
        replaced = self._known.pop(path, None)
        self._bytes += len(known.content) - (0 if replaced is None else len(replaced.content))
        if self._bytes > _MOST_BYTES:
            self._known.clear()
            self.folders = KnownFolders()
            self._bytes = len(known.content)
        self._known[path] = known
