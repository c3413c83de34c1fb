"""The shots files that a session has open, and how many rows it sees in each."""

from contextlib import suppress

from shotstore.errors import DamagedStorageError
from shotstore.hdf5.conflicts import conflict_error
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.names import SEQUENCE_DOCUMENT
from shotstore.hdf5.open_shots import ShotsReader
from shotstore.hdf5.session_files import SessionFiles
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.store import Store
from shotstore.hdf5.tree import Node, Tree
from shotstore.state import State

_MOST_HELD = 64
"""How many shots files a session keeps open only because it has looked at their documents."""


class SessionShots:
    """A session keeps to the files, and to the number of rows, that it has seen first."""

    def __init__(self, files: SessionFiles, store: Store, tree: Tree) -> None:
        self.files = files
        self._store = store
        self._tree = tree

    def open(self, node: Node) -> tuple[ShotsFile, int]:
        """The shots file of a launched sequence, and how many rows the session sees in it."""
        writer = self.files.writers.get(node)
        if writer is not None:
            return writer.shots, writer.shots.number_of_rows()
        reader = self.files.reader(node)
        reader.was_read = True
        shots = self.files.view(node)
        if reader.limit is None:
            self._settle(node, reader, shots)
        assert reader.limit is not None
        return shots, reader.limit

    def number_of_shots(self, node: Node) -> int:
        """How many shots of a sequence the session sees."""
        document = self._tree.document(node)
        if document.state in (State.DRAFT, State.PREPARING):
            return 0
        if document.state.has_ended() and document.number_of_shots is not None:
            return document.number_of_shots
        reader = self.files.readers.get(node)
        if reader is None or reader.limit is None or node in self.files.writers:
            shots, rows = self.open(node)
            return shots.number_of_shots(rows)
        reader.was_read = True
        return reader.number_of_shots

    def number_in_a_list(self, node: Node) -> int:
        """How many shots of a sequence the session sees, for a list of sequences. Where very many
        of them are running, not all of their files stay open."""
        readers = self.files.readers
        is_to_close = node not in readers and len(readers) >= _MOST_HELD
        number = self.number_of_shots(node)
        if is_to_close and node in readers:
            readers.pop(node).close()
        return number

    def hold(self, node: Node, document: SequenceDocument) -> None:
        """Keep the shots of a sequence from being moved away, and from growing in number, which
        its document says only once it has ended."""
        state, readers = document.state, self.files.readers
        is_open = node in self.files.writers or node in readers
        if state is State.DRAFT or is_open or len(readers) >= _MOST_HELD:
            return
        with suppress(DamagedStorageError):  # raised again where its shots are asked for
            reader = self.files.reader(node)
            if state is State.RUNNING:
                self._settle(node, reader, self.files.view(node))

    def check(self) -> None:
        """Compare what was read with the disk.

        Raises:
            TransactionConflictError: other sessions have recorded shots, or replaced the file.
        """
        for node, reader in self.files.readers.items():
            if not self._is_current(node, reader):
                raise conflict_error(str(node.path))

    def keep_open(self) -> None:
        """Leave the files of running sequences open for the next session, and close those of the
        sequences that have ended. Everything is committed."""
        for node in self._tree.walk_known(self._tree.root):
            if node in self.files.writers or (node.is_sequence and node.is_changed):
                is_running = self._tree.document(node).state is State.RUNNING
                self.files.keep_open(node, is_wanted=is_running)

    def _settle(self, node: Node, reader: ShotsReader, shots: ShotsFile) -> None:
        """Keep to the rows that are there."""
        rows = self._visible(node, self._tree.document(node), shots)
        reader.number_of_shots = shots.number_of_shots(rows)
        reader.limit = rows

    def _visible(self, node: Node, document: SequenceDocument, shots: ShotsFile) -> int:
        self.files.check_belongs(node, document, shots)
        count = shots.number_of_rows()
        if document.state is State.PREPARING:
            return 0
        if document.number_of_rows is None:
            return count
        if document.number_of_rows > count:
            raise DamagedStorageError(
                f"{self.files.path(node)} has {count} shots, and {SEQUENCE_DOCUMENT} beside it "
                f"says {document.number_of_rows}: one of the two is older than the other. Copy "
                "the directory again, or restore it from a backup."
            )
        return document.number_of_rows

    def _is_current(self, node: Node, reader: ShotsReader) -> bool:
        return reader.is_still(self.files.path(node)) and (
            not reader.was_read
            or reader.limit == self.files.view(node).number_of_rows()
            or self._tree.document(node).state is State.PREPARING
        )
