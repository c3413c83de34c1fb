"""The files of rows that a session has open: ``shots.h5``, or ``results.h5``, of its sequences."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import disk
from shotstore.hdf5.conflicts import moved_away_error
from shotstore.hdf5.documents import SequenceDocument, load_sequence
from shotstore.hdf5.files import join
from shotstore.hdf5.names import RESULTS_FILE, SEQUENCE_DOCUMENT
from shotstore.hdf5.open_shots import ShotsReader, ShotsWriter
from shotstore.hdf5.shots.launch import Launch
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.snapshot import Snapshot
from shotstore.hdf5.staging import Staging
from shotstore.hdf5.store import Store
from shotstore.hdf5.tree import Node, Tree
from shotstore.state import State


class SessionFiles:
    """A session keeps to the files that it has seen first."""

    def __init__(
        self,
        name: str,
        store: Store,
        tree: Tree,
        snapshot: Snapshot,
        staging: Staging,
        has_seen_commits: Callable[[], bool],
    ) -> None:
        """``name`` is that of the file in the directory of a sequence; ``has_seen_commits`` tells
        whether anybody has committed since the session began."""
        self.name = name
        self._store = store
        self._tree = tree
        self._snapshot = snapshot
        self._staging = staging
        self._has_seen_commits = has_seen_commits
        self.readers: dict[Node, ShotsReader] = {}
        self.writers: dict[Node, ShotsWriter] = {}
        """Those of the sequences to which the session has written."""
        self._left: list[ShotsReader | ShotsWriter] = []
        """Files that are open, and no sequence's any more."""

    def path(self, node: Node) -> Path:
        """Where the file of a sequence belongs."""
        return Path(f"{self._store.root}/{node.directory or ''}/{self.name}")

    def reader(self, node: Node) -> ShotsReader:
        """The committed file of a launched sequence."""
        if node in self.readers:
            return self.readers[node]
        self.check_same_launch(node)
        path = self.path(node)
        reader = self._store.readers.take(path) or ShotsReader(
            path, self._store.commits, self._store.rows
        )
        self.readers[node] = reader
        return reader

    def view(self, node: Node) -> ShotsFile:
        """What the reader of a sequence sees of its file."""
        return self.reader(node).shots(self._store.commits.counted)

    def check_same_launch(self, node: Node) -> None:
        """Check that what lies on the disk is that which the session has seen, or has come after
        it in the same launch.

        Raises:
            TransactionConflictError: it is not.
        """
        if self._has_seen_commits() and not self._is_same_launch(node):
            raise moved_away_error(str(node.path))

    def create(
        self, node: Node, sequence_id: str, launch: Launch | None, launched_at: str
    ) -> ShotsFile:
        """Give a sequence a new file."""
        staged = self._store.root / self._staging.slot()
        writer = ShotsWriter.create(staged, sequence_id, launched_at, launch)
        self.leave(node)
        self.writers[node] = writer
        return writer.shots

    def adopt(self, node: Node, staged: Path) -> None:
        """Give a sequence a file that was copied to the staging directory."""
        self.writers[node] = writer = ShotsWriter.open_copy(staged)
        self.check_belongs(node, self._tree.document(node), writer.shots)

    def leave(self, node: Node) -> ShotsWriter | None:
        """Let go of the files of a sequence, which gets others; return the one to which the session
        has written, if any."""
        writer = self.writers.pop(node, None)
        self._left += filter(None, (writer, self.readers.pop(node, None)))
        return writer

    def open_to_append(self, node: Node) -> ShotsFile:
        """The committed file of a sequence, to be written to."""
        if node not in self.writers:
            path, document = self.path(node), self._tree.document(node)
            if self._store.commits.held:
                self._store.commits.check_free([f"{node.directory}/{self.name}"])
            writer = self._store.kept.take(path) or ShotsWriter.open(
                path, lambda: self._store.root / self._staging.slot()
            )
            try:
                self.check_belongs(node, document, writer.shots)
            except BaseException:
                self._left.append(writer)
                raise
            self.writers[node] = writer
        return self.writers[node].shots

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

    def keep_open(self, node: Node, *, is_wanted: bool) -> None:
        """Leave the file of a sequence open for the next session that writes to it, if that is
        wanted and it was written to. Everything is committed."""
        writer = self.writers.get(node)
        if not is_wanted:
            self._store.kept.close(self.path(node))
        elif writer is not None and writer.staged is None:
            del self.writers[node]
            self._store.kept.keep(self.path(node), writer)

    def closing(self, *, discard: bool, keep: bool) -> list[Callable[[], None]]:
        """What closes all files, and cuts off what was written to them if ``discard``; with
        ``keep``, those that were read are left open for the next session."""
        steps: list[Callable[[], None]] = [
            partial(file.close, discard=discard) for file in (*self.writers.values(), *self._left)
        ]
        # Where nobody counts commits, others may change a file without a trace.
        keep = keep and not self._store.is_archive
        for node, reader in self.readers.items():
            if keep and reader.is_viewed:
                steps.append(partial(self._keep, self.path(node), reader))
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

    def check_belongs(self, node: Node, document: SequenceDocument, shots: ShotsFile) -> None:
        """Check that a file is of a sequence, and of the kind that its name says.

        Raises:
            DamagedStorageError: it is not.
        """
        if shots.sequence_id not in (None, document.id):
            what = "results" if self.name == RESULTS_FILE else "shots"
            raise DamagedStorageError(
                f"{self.path(node)} holds the {what} of another sequence than {SEQUENCE_DOCUMENT} "
                "beside it: their ids differ. Put the file back that belongs here, from where this "
                "one came or from a backup."
            )
        if shots.holds_results != (self.name == RESULTS_FILE):
            found = "results" if shots.holds_results else "shots"
            raise DamagedStorageError(
                f"{self.path(node)} holds the {found} of the sequence: it was given another name. "
                "Put the file back that belongs here, from a backup."
            )

    def _is_same_launch(self, node: Node) -> bool:
        path = join(node.directory or "", SEQUENCE_DOCUMENT)
        current = Snapshot(self._store.commits).read(path)
        if current is None or current == self._snapshot.read(path):
            return current is not None
        ours = self._tree.document(node)
        theirs = load_sequence(current, self._store.root / (node.directory or ""))
        return theirs.id == ours.id and (
            theirs.start_time == ours.start_time or ours.state is State.PREPARING
        )
