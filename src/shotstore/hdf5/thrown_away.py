"""What a session sends to the trash."""

from collections.abc import Collection

from shotstore.hdf5.documents import dump_sequence
from shotstore.hdf5.names import RESULTS_FILE, SHOTS_FILE
from shotstore.hdf5.net_effect import Discarded
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.hdf5.session_results import SessionResults
from shotstore.hdf5.session_shots import SessionShots
from shotstore.hdf5.tree import Node, Tree


class ThrownAway:
    """What goes to the trash when the session is committed."""

    def __init__(self, tree: Tree, shots: SessionShots, results: SessionResults) -> None:
        self._tree = tree
        self._shots = shots
        self._results = results
        self.entries: list[Discarded] = []

    def discard(self, node: Node) -> None:
        """Send a path there, with everything below it."""
        path = str(node.path)
        is_on_disk = any(below.directory is not None for below in self._tree.walk(node))
        node.detach()
        if is_on_disk:
            self.entries.append(Discarded(path, "deleted", node))

    def empty(self, node: Node) -> None:
        """Send the shots of a sequence there, with their results and its document."""
        files: dict[str, ShotsWriter | None] = {}
        has_results = self._results.is_on_disk(node)
        writer = self._shots.files.leave(node)
        if writer is None or writer.staged is None or writer.replaces:
            files[SHOTS_FILE] = writer
        writer = self._results.leave(node)
        if has_results:
            files[RESULTS_FILE] = writer
        if files:
            content = dump_sequence(self._tree.document(node))
            self.entries.append(Discarded(str(node.path), "reset", node, content, files))

    def replace(self, node: Node, content: bytes, files: Collection[str]) -> str:
        """Send a damaged document of this content there, and these files of its sequence; return
        the entry."""
        if RESULTS_FILE in files:
            self._results.leave(node)
        entry = Discarded(str(node.path), "recovered", node, content, dict.fromkeys(files))
        self.entries.append(entry)
        return entry.id
