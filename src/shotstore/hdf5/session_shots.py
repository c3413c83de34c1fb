"""The shots files that a session has open, and how many shots it sees in each."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk
from shotstore.hdf5.conflicts import conflict_error, moved_away_error
from shotstore.hdf5.documents import SequenceDocument, load_sequence
from shotstore.hdf5.files import join
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, SHOTS_FILE
from shotstore.hdf5.open_shots import ShotsReader, ShotsWriter
from shotstore.hdf5.shots.launch import Launch
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.staging import Staging
from shotstore.hdf5.store import Store
from shotstore.hdf5.tree import Node, Tree
from shotstore.state import State

_MOST_HELD = 64
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
        self._readers: dict[Node, ShotsReader] = {}
        self.writers: dict[Node, ShotsWriter] = {}
        """Those of the sequences to which the session has written."""
        self._left: list[ShotsReader | ShotsWriter] = []
        """Files that are open, and no sequence's any more."""

    def open(self, node: Node) -> tuple[ShotsFile, int]:
        """The shots file of a launched sequence, and how many shots the session sees in it."""
        writer = self.writers.get(node)
        if writer is not None:
            return writer.shots, writer.shots.number_of_shots()
        reader = self.reader(node)
        reader.was_read = True
        shots = reader.shots(self._store.commits.counted)
        if reader.limit is None:
            reader.limit = self._visible(node, self._tree.document(node), shots)
        return shots, reader.limit

    def number_of_shots(self, node: Node) -> int:
        """How many shots of a sequence the session sees."""
        document = self._tree.document(node)
        if document.state in (State.DRAFT, State.PREPARING):
            return 0
        if document.state.has_ended() and document.number_of_shots is not None:
            return document.number_of_shots
        reader = self._readers.get(node)
        if reader is None or reader.limit is None or node in self.writers:
            return self.open(node)[1]
        reader.was_read = True
        return reader.limit

    def number_in_a_list(self, node: Node) -> int:
        """How many shots of a sequence the session sees, for a list of sequences. Where very many
        of them are running, not all of their files stay open."""
        is_to_close = node not in self._readers and len(self._readers) >= _MOST_HELD
        number = self.number_of_shots(node)
        if is_to_close and node in self._readers:
            self._readers.pop(node).close()
        return number

    def hold(self, node: Node, document: SequenceDocument) -> None:
        """Keep the shots of a sequence from being moved away, and from growing in number, which
        its document says only once it has ended."""
        state = document.state
        is_open = node in self.writers or node in self._readers
        if state is State.DRAFT or is_open or len(self._readers) >= _MOST_HELD:
            return
        with suppress(DamagedStorageError):  # raised again where its shots are asked for
            reader = self.reader(node)
            if state is State.RUNNING:
                shots = reader.shots(self._store.commits.counted)
                reader.limit = self._visible(node, document, shots)

    def create(self, node: Node, sequence_id: str, launch: Launch, launched_at: str) -> ShotsFile:
        """Give a sequence a new shots file."""
        staged = self._store.root / self._staging.slot()
        writer = ShotsWriter.create(staged, sequence_id, launched_at, launch)
        self.leave(node)
        self.writers[node] = writer
        return writer.shots

    def adopt(self, node: Node, staged: Path) -> None:
        """Give a sequence that has ended a shots file that was copied to the staging directory."""
        self.writers[node] = writer = ShotsWriter.open_copy(staged)
        self._check_belongs(node, self._tree.document(node), writer.shots)

    def leave(self, node: Node) -> ShotsWriter | None:
        """Let go of the files of a sequence, which gets others; return the one to which the session
        has written, if any."""
        writer = self.writers.pop(node, None)
        self._left += filter(None, (writer, self._readers.pop(node, None)))
        return writer

    def open_to_append(self, node: Node) -> ShotsFile:
        """The shots file of a running sequence."""
        if node not in self.writers:
            path, document = self._path(node), self._tree.document(node)
            if self._store.commits.held:
                self._store.commits.check_free([f"{node.directory}/{SHOTS_FILE}"])
            writer = self._store.kept.take(path) or ShotsWriter.open(
                path, lambda: self._store.root / self._staging.slot()
            )
            try:
                self._check_belongs(node, document, writer.shots)
            except BaseException:
                self._left.append(writer)
                raise
            self.writers[node] = writer
        return self.writers[node].shots

    def check(self) -> None:
        """Compare what was read with the disk.

        Raises:
            TransactionConflictError: other sessions have recorded shots, or replaced the file.
        """
        for node, reader in self._readers.items():
            if not self._is_current(node, reader):
                raise conflict_error(str(node.path))

    def flush(self) -> None:
        """Make everything durable that needs space on the disk."""
        for file in (*self.writers.values(), *self._left):
            if isinstance(file, ShotsWriter):
                file.flush()

    def files(self) -> dict[str, disk.File]:
        """The committed files to which the session has written, by path."""
        above = f"{self._store.root.as_posix()}/"
        return {
            file.file.path.as_posix().removeprefix(above): file.file
            for file in (*self.writers.values(), *self._left)
            if isinstance(file, ShotsWriter) and file.staged is None
        }

    def keep_open(self) -> None:
        """Leave the files of running sequences open for the next session, and close those of the
        sequences that have ended. Everything is committed."""
        for node in self._tree.walk_known(self._tree.root):
            writer = self.writers.get(node)
            if writer is None and not (node.is_sequence and node.is_changed):
                continue
            if self._tree.document(node).state is not State.RUNNING:
                self._store.kept.close(self._path(node))
            elif writer is not None and writer.staged is None:
                del self.writers[node]
                self._store.kept.keep(self._path(node), writer)

    def closing(self, *, discard: bool, keep: bool) -> list[Callable[[], None]]:
        """What closes all files, and cuts off what was written to them if ``discard``; with
        ``keep``, those that were read are left open for the next session."""
        steps: list[Callable[[], None]] = [
            partial(file.close, discard=discard) for file in (*self.writers.values(), *self._left)
        ]
        # Where nobody counts commits, others may change a file without a trace.
        keep = keep and not self._store.is_archive
        for node, reader in self._readers.items():
            if keep and reader.is_viewed:
                steps.append(partial(self._keep, self._path(node), reader))
            else:
                steps.append(reader.close)
        return steps

    def _keep(self, path: Path, reader: ShotsReader) -> None:
        is_there = not self._has_seen_commits()
        if not is_there:
            with suppress(OSError):
                is_there = reader.is_still(path)
        if is_there:
            self._store.readers.keep(path, reader)
        else:
            reader.close()

    def _path(self, node: Node) -> Path:
        return Path(f"{self._store.root}/{node.directory or ''}/{SHOTS_FILE}")

    def reader(self, node: Node) -> ShotsReader:
        """The committed shots file of a launched sequence."""
        if node in self._readers:
            return self._readers[node]
        if self._has_seen_commits() and not self._is_same_launch(node):
            raise moved_away_error(str(node.path))
        path = self._path(node)
        reader = self._store.readers.take(path) or ShotsReader(
            path, self._store.commits, self._store.rows
        )
        self._readers[node] = reader
        return reader

    def _is_same_launch(self, node: Node) -> bool:
        """Whether the document on the disk is that which the session saw, or a later one of the
        same launch."""
        path = join(node.directory or "", SEQUENCE_DOCUMENT)
        current = Snapshot(self._store.commits).read(path)
        if current is None or current == self._snapshot.read(path):
            return current is not None
        ours = self._tree.document(node)
        theirs = load_sequence(current, self._store.root / (node.directory or ""))
        return theirs.id == ours.id and (
            theirs.start_time == ours.start_time or ours.state is State.PREPARING
        )

    def _visible(self, node: Node, document: SequenceDocument, shots: ShotsFile) -> int:
        self._check_belongs(node, document, shots)
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

    def _check_belongs(self, node: Node, document: SequenceDocument, shots: ShotsFile) -> None:
        if shots.sequence_id not in (None, document.id):
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
