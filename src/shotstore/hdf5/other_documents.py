"""The documents of a store outside the tree, as a session leaves them: global parameters, device
configurations, units."""

from shotstore.hdf5.snapshot import Snapshot


class OtherDocuments:
    """What a session has read of them, and changed. Paths are relative to the root of the store."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.replaced: dict[str, bytes | None] = {}
        """Those that are to have another content, or, where that is None, to go."""

    def read(self, path: str) -> bytes | None:
        """The content of a document, or None if there is none."""
        return self.replaced[path] if path in self.replaced else self._snapshot.read(path)

    def list(self, directory: str) -> list[str]:
        """Names of the documents in a directory."""
        names = set(self._snapshot.files(directory))
        for path, content in self.replaced.items():
            above, _, name = path.rpartition("/")
            if above == directory:
                (names.discard if content is None else names.add)(name)
        return sorted(names)

    def replace(self, path: str, content: bytes | None) -> None:
        """Give a document another content, or remove it."""
        if content is None and self._snapshot.read(path) is None:
            del self.replaced[path]
        else:
            self.replaced[path] = content
