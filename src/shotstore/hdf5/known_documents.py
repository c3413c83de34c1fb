"""Documents that were read before, and need not be read again while their files are the same."""

import time

from attrs import frozen

from shotstore.hdf5 import on_disk

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

    def is_still(self, identity: on_disk.Identity | None, commits: int | None) -> bool:
        """Whether a file that has this identity, after so many commits, holds the content."""
        others_wrote = commits is None or commits != self.commits
        # A file that was changed just before it was read may have been changed just after, too,
        # without a later time. Git calls such entries of its index racy.
        return identity == self.identity and self.age > (_COARSEST_TICK if others_wrote else TICK)


class KnownDocuments:
    """What a store has read of its documents, for all of its sessions.

    Other programs, and other computers, may change them at any time, so the file is looked at for
    each use; not opened, if nothing about it has changed.
    """

    def __init__(self) -> None:
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
        known = self._known.get(path)
        if known is not None and known.is_still(on_disk.identity(path), commits):
            return known.content
        now = time.time_ns()
        content, identity = on_disk.read_and_identify(path)
        if content is not None and identity is not None:
            age = now - max(identity[2:])
            self._remember(path, _Known(content, identity, commits, age))
        return content

    def _remember(self, path: str, known: _Known) -> None:
        replaced = self._known.pop(path, None)
        self._bytes += len(known.content) - (0 if replaced is None else len(replaced.content))
        if self._bytes > _MOST_BYTES:
            self._known.clear()
            self._bytes = len(known.content)
        self._known[path] = known
