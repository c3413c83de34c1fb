"""The results files that a session has open, and how much of each it sees."""

from shotstore.hdf5 import on_disk
from shotstore.hdf5.conflicts import conflict_error
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.hdf5.session_files import SessionFiles
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.store import Store
from shotstore.hdf5.tree import Node, Tree
from shotstore.state import State


class SessionResults:
    """A session keeps to what it has seen first: to a file and its rows, or to that there is
    none."""

    def __init__(self, files: SessionFiles, store: Store, tree: Tree) -> None:
        self.files = files
        self._store = store
        self._tree = tree
        self._missing: set[Node] = set()
        """Sequences that the session has seen without results."""
        self._left: set[Node] = set()
        """Those whose results file goes elsewhere with the commit."""

    def open(self, node: Node) -> tuple[ShotsFile | None, int]:
        """The results file of a sequence, if there is one, and how many rows the session sees in
        it."""
        writer = self.files.writers.get(node)
        if writer is not None:
            return writer.shots, writer.shots.number_of_rows()
        is_new = node.directory is None or node in self._left
        if is_new or node in self._missing or self._tree.document(node).state is State.DRAFT:
            return None, 0
        if node not in self.files.readers:
            self.files.check_same_launch(node)
            if not self.is_on_disk(node):
                self._missing.add(node)
                return None, 0
        reader = self.files.reader(node)
        shots = self.files.view(node)
        if reader.limit is None:
            self.files.check_belongs(node, self._tree.document(node), shots)
            reader.limit = shots.number_of_rows()
        return shots, reader.limit

    def open_to_append(self, node: Node) -> ShotsFile:
        """The results file of a sequence, which is made where there is none."""
        if node in self.files.writers or self.is_on_disk(node):
            return self.files.open_to_append(node)
        return self.files.create(node, self._tree.document(node).id, None, str(node.path))

    def is_on_disk(self, node: Node) -> bool:
        """Whether a sequence has a committed results file, which stays."""
        if node.directory is None or node in self._left:
            return False
        place = self._store.commits.files.place(self.files.path(node))
        return place is not None and on_disk.exists(place)

    def check(self) -> None:
        """Compare what was read with the disk.

        Raises:
            TransactionConflictError: other sessions have stored results.
        """
        for node, reader in self.files.readers.items():
            if (
                not reader.is_still(self.files.path(node))
                or reader.limit != self.files.view(node).number_of_rows()
            ):
                raise conflict_error(f"the results of {node.path}")
        for node in self._missing:
            if self.is_on_disk(node):
                raise conflict_error(f"the results of {node.path}")

    def leave(self, node: Node) -> ShotsWriter | None:
        """Let go of the file of a sequence, which is to be moved away; return the one to which the
        session has written, if any."""
        self._left.add(node)
        return self.files.leave(node)

    def keep_open(self) -> None:
        """Leave the files open for the next session. Everything is committed."""
        for node in list(self.files.writers):
            self.files.keep_open(node, is_wanted=True)
