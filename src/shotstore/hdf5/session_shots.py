"""The shots files that a session has open, and how many shots it sees in each."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from shotstore.errors import DamagedStorageError
from shotstore.hdf5.conflicts import conflict, moved_away
from shotstore.hdf5.documents import load_sequence
from shotstore.hdf5.files import join
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, SHOTS_FILE
from shotstore.hdf5.open_shots import ShotsReader, ShotsWriter
from shotstore.hdf5.shots.shots_file import Launch, ShotsFile
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.staging import Staging
from shotstore.hdf5.store import Store
from shotstore.hdf5.tree import Node, Tree
from shotstore.state import State

_MOST_PINNED = 64
"""How many shots files a session keeps open only because it has looked at their documents."""


class SessionShots:
    """A session keeps to the files, and to the number of shots, that it has seen first."""

    def __init__(
        self,
        store: Store,
        tree: Tree,
        snapshot: Snapshot,
        staging: Staging,
        has_seen_commits: Callable[[], bool],
    ) -> None:
        """``has_seen_commits`` tells whether anybody has committed since the session began."""
        self._store = store
        self._tree = tree
        self._snapshot = snapshot
        self._staging = staging
        self._has_seen_commits = has_seen_commits
        self._readers: list[ShotsReader] = []
        self._writers: list[ShotsWriter] = []

    def view(self, node: Node) -> tuple[ShotsFile, int]:
        """The shots file of a launched sequence, and how many shots the session sees in it."""
        if node.writer is not None:
            return node.writer.shots, node.writer.shots.number_of_shots()
        reader = node.reader or self._open_reader(node)
        reader.was_read = True
        shots = reader.shots(self._store.commits.counted)
        if reader.limit is None:
            reader.limit = self._visible(node, shots)
        return shots, reader.limit

    def count(self, node: Node) -> int:
        """How many shots the session sees."""
        document = self._tree.document(node)
        if document.state in (State.DRAFT, State.PREPARING):
            return 0
        if document.state.has_ended() and document.number_of_shots is not None:
            return document.number_of_shots
        return self.view(node)[1]

    def glance(self, node: Node) -> int:
        """How many shots the session sees. Where very many sequences are running, not all of
        their files stay open."""
        is_open = node.writer is not None or node.reader is not None
        if is_open or len(self._readers) < _MOST_PINNED:
            return self.count(node)
        count = self.count(node)
        if node.reader is not None:
            self._readers.remove(node.reader)
            node.reader.close()
            node.reader = None
        return count

    def pin(self, node: Node) -> None:
        """Keep the shots of a sequence from being moved away, and from growing in number, which
        its document says only once it has ended."""
        state = self._tree.document(node).state
        is_open = node.writer is not None or node.reader is not None
        if state is State.DRAFT or is_open or len(self._readers) >= _MOST_PINNED:
            return
        with suppress(DamagedStorageError):  # raised again where its shots are asked for
            reader = self._open_reader(node)
            if state is State.RUNNING:
                reader.limit = self._visible(node, reader.shots(self._store.commits.counted))

    def create(self, node: Node, sequence_id: str, launch: Launch, launched_at: str) -> ShotsFile:
        """Give a sequence a new shots file."""
        staged = self._store.root / self._staging.slot()
        node.reader = None
        node.writer = ShotsWriter.create(staged, sequence_id, launched_at, launch)
        self._writers.append(node.writer)
        return node.writer.shots

    def adopt(self, node: Node, staged: Path) -> None:
        """Give a sequence that has ended a shots file that was copied to the staging directory."""
        writer = ShotsWriter.open_copy(staged)
        self._writers.append(writer)
        self._check_belongs(node, writer.shots)
        node.writer = writer

    def is_staged(self, node: Node) -> bool:
        """Whether the session itself has made the shots file of a sequence."""
        return node.writer is not None and node.writer.staged is not None

    def open_to_append(self, node: Node) -> ShotsFile:
        """The shots file of a running sequence."""
        if node.writer is None:
            path = self._path(node)
            self._store.commits.check_free([join(node.directory or "", SHOTS_FILE)])
            writer = self._store.kept.take(path) or ShotsWriter.open(
                path, lambda: self._store.root / self._staging.slot()
            )
            self._writers.append(writer)
            self._check_belongs(node, writer.shots)
            node.writer = writer
        return node.writer.shots

    def check(self) -> None:
        """Compare what was read with the disk.

        Raises:
            TransactionConflictError: other sessions have recorded shots, or replaced the file.
        """
        for node in self._tree.walk_known():
            if node.reader is not None and not self._is_current(node, node.reader):
                raise conflict(str(node.path))

    def flush(self) -> None:
        """Make everything durable that needs space on the disk."""
        for writer in self._writers:
            writer.flush()

    def keep_open(self) -> None:
        """Leave the files of running sequences open for the next session, and close those of the
        sequences that have ended. Everything is committed."""
        for node in self._tree.walk_known():
            if node.writer is None and not (node.is_sequence and node.is_changed):
                continue
            if self._tree.document(node).state is not State.RUNNING:
                self._store.kept.close(self._path(node))
            elif node.writer is not None and node.writer.staged is None:
                self._writers.remove(node.writer)
                self._store.kept.keep(self._path(node), node.writer)

    def closing(self, *, discard: bool) -> list[Callable[[], None]]:
        """What closes all files, and cuts off what was written to them if ``discard``."""
        return [
            *(partial(writer.close, discard=discard) for writer in self._writers),
            *(reader.close for reader in self._readers),
        ]

    def _path(self, node: Node) -> Path:
        return self._store.root / (node.directory or "") / SHOTS_FILE

    def _open_reader(self, node: Node) -> ShotsReader:
        assert node.directory is not None
        document = join(node.directory, SEQUENCE_DOCUMENT)
        current = seen = self._snapshot.read(document)
        if self._has_seen_commits():
            current = Snapshot(self._store.commits).read(document)
        if current != seen and not self._is_same_launch(node, current):
            raise moved_away(str(node.path))
        reader = ShotsReader(self._path(node), self._store.commits, self._store.rows)
        self._readers.append(reader)
        node.reader = reader
        return reader

    def _is_same_launch(self, node: Node, current: bytes | None) -> bool:
        """Whether the document on the disk is a later one of the launch that the session saw."""
        if current is None:
            return False
        ours = self._tree.document(node)
        theirs = load_sequence(current, self._store.root / (node.directory or ""))
        return theirs.id == ours.id and (
            theirs.start_time == ours.start_time or ours.state is State.PREPARING
        )

    def _visible(self, node: Node, shots: ShotsFile) -> int:
        document = self._tree.document(node)
        self._check_belongs(node, shots)
        count = shots.number_of_shots()
        if document.state is State.PREPARING:
            return 0
        if document.number_of_shots is None:
            return count
        if document.number_of_shots > count:
            raise DamagedStorageError(
                f"{self._path(node)} has {count} shots, and {SEQUENCE_DOCUMENT} beside it says "
                f"{document.number_of_shots}: one of the two is older than the other. Copy the "
                "directory again, or restore it from a backup."
            )
        return document.number_of_shots

    def _check_belongs(self, node: Node, shots: ShotsFile) -> None:
        if shots.sequence_id not in (None, self._tree.document(node).id):
            raise DamagedStorageError(
                f"{self._path(node)} holds the shots of another sequence than {SEQUENCE_DOCUMENT} "
                "beside it: their ids differ. Put the file back that belongs here, from where this "
                "one came or from a backup."
            )

    def _is_current(self, node: Node, reader: ShotsReader) -> bool:
        return reader.is_still(self._path(node)) and (
            not reader.was_read
            or reader.limit == reader.shots(self._store.commits.counted).number_of_shots()
            or self._tree.document(node).state is State.PREPARING
        )
