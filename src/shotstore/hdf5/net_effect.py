"""From the tree that a session leaves behind to what its commit has to do.

Only the net effect counts: where each directory was read from, and where its node is at the end.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from attrs import field, frozen

from shotstore.hdf5 import documents
from shotstore.hdf5.active import ACTIVE
from shotstore.hdf5.files import join
from shotstore.hdf5.log.record import Document, FilePatch, LogRecord, Rename, digest
from shotstore.hdf5.names import (
    FOLDER_DOCUMENT,
    SEQUENCE_DOCUMENT,
    directory_name,
    path_name,
)
from shotstore.hdf5.open_shots import ShotsWriter
from shotstore.hdf5.staging import Staging
from shotstore.hdf5.store import SEQUENCES, TRASH
from shotstore.hdf5.tree import Node, Tree
from shotstore.records.times import dump_time


def _new_id() -> str:
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ-") + os.urandom(3).hex()


@frozen
class Discarded:
    """Something that goes to the trash."""

    path: str
    reason: str
    """``deleted``, ``reset`` or ``recovered``."""
    node: Node
    """What was deleted; or the sequence that was reset or recovered."""
    document: bytes | None = None
    """Of a sequence that was reset or recovered: ``sequence.json`` as it was."""
    files: Mapping[str, ShotsWriter | None] = field(factory=dict)
    """Of a sequence that was reset or recovered: the files that go too, by name, and to which of
    them the session has written before."""
    deleted: datetime = field(factory=lambda: datetime.now(UTC))
    id: str = field(factory=_new_id)


def prepare(
    tree: Tree,
    discarded: list[Discarded],
    emptied: list[str],
    replaced: dict[str, bytes | None],
    active: Callable[[], bytes | None],
    staging: Staging,
    writers: Mapping[str, Mapping[Node, ShotsWriter]],
    read: Callable[[str], bytes | None],
) -> LogRecord:
    """Stage everything that the session has changed, and write down what its commit is to do.

    Args:
        tree: The tree at the end of the session.
        discarded: What goes to the trash.
        emptied: Directories that go altogether, relative to the root of the store.
        replaced: Documents outside the tree by path, with their content, or None if they go.
        active: Gives what the document of the active sequences is to be, or None if it stays.
        staging: Where to make what is new.
        writers: The files of rows to which the session has written, by name.
        read: Gives the content of a document as it is in the store, or None if there is none.
    """
    return _Preparation(tree, staging, writers, read).run(discarded, emptied, replaced, active)


class _Preparation:
    def __init__(
        self,
        tree: Tree,
        staging: Staging,
        writers: Mapping[str, Mapping[Node, ShotsWriter]],
        read: Callable[[str], bytes | None],
    ) -> None:
        self._tree = tree
        self._writers = writers
        self._staging = staging
        self._read = read
        self._patches: list[FilePatch] = []
        self._replacements: list[Rename] = []
        self._departures: list[Rename] = []
        self._arrivals: list[Rename] = []
        self._documents: list[Document] = []

    def run(
        self,
        discarded: list[Discarded],
        emptied: list[str],
        replaced: dict[str, bytes | None],
        active: Callable[[], bytes | None],
    ) -> LogRecord:
        for path, content in replaced.items():
            if content is None:
                self._departures.append(Rename(path, self._staging.slot()))
            else:
                self._write(path, content, self._read(path))
        for entry in discarded:
            self._discard(entry)
        for path in emptied:
            self._departures.append(Rename(path, self._staging.slot()))
        for child in self._tree.root.children.values():
            self._visit(child, SEQUENCES, f"{SEQUENCES}/{directory_name(child.name)}")
        is_changed = bool(self._departures or self._arrivals or self._documents)
        if is_changed and (content := active()) is not None:
            self._write(ACTIVE, content, self._read(ACTIVE))
        record = LogRecord(
            transaction=self._staging.transaction,
            patches=self._patches,
            replacements=self._replacements,
            departures=sorted(self._departures, key=lambda rename: -rename.source.count("/")),
            arrivals=sorted(self._arrivals, key=lambda rename: rename.destination.count("/")),
            documents=self._documents,
        )
        if record.departures:
            self._staging.new_mark(record.mark)
        if record.moves:
            self._staging.sync()
        return record

    def _visit(self, node: Node, parent_directory: str | None, final: str) -> None:
        """Bring a node to its place ``final``; ``parent_directory`` is where its parent was."""
        if node.directory is None:
            self._create(final)
        else:
            above, _, entry = node.directory.rpartition("/")
            if above == parent_directory and path_name(entry) == node.name:
                final = f"{final.rpartition('/')[0]}/{entry}"
            else:
                self._move(node.directory, final)
        if node.directory is None or node.is_changed:
            self._write_document(node, final)
        for name, writers in self._writers.items():
            if node in writers:
                self._place(node, writers[node], name, final)
        for child in node.children.values():
            self._visit(child, node.directory, f"{final}/{directory_name(child.name)}")

    def _create(self, final: str) -> None:
        """Create a directory."""
        self._arrivals.append(Rename(self._staging.new_directory(), final, is_new=True))

    def _move(self, source: str, final: str) -> None:
        slot = self._staging.slot()
        self._departures.append(Rename(source, slot))
        self._arrivals.append(Rename(slot, final))

    def _write_document(self, node: Node, final: str) -> None:
        name = SEQUENCE_DOCUMENT if node.is_sequence else FOLDER_DOCUMENT
        before = None
        if node.directory is not None:
            before = self._read(join(node.directory, name))
            if node.was_folder and self._tree.has_folder_document(node):
                former = join(node.directory, FOLDER_DOCUMENT)
                self._departures.append(Rename(former, self._staging.slot()))
        self._write(join(final, name), self._content(node), before)

    def _write(self, path: str, content: bytes, before: bytes | None = None) -> None:
        staged = self._staging.new_file(content)
        self._documents.append(Document(path, content, staged, [digest(before)]))

    def _place(self, node: Node, writer: ShotsWriter, name: str, final: str) -> None:
        """Bring what was written to a file of a node to its place."""
        if writer.staged is None:
            patch = writer.patch(join(node.directory or "", name))
            if patch is not None:
                self._patches.append(patch)
            return
        staged = self._staging.relative(writer.staged)
        if writer.replaces:
            self._replacements.append(Rename(staged, join(node.directory or "", name)))
        else:
            self._arrivals.append(Rename(staged, join(final, name)))

    def _discard(self, entry: Discarded) -> None:
        final = f"{TRASH}/{entry.id}"
        self._create(final)
        keys = {
            "path": entry.path,
            "reason": entry.reason,
            "deleted": dump_time(entry.deleted),
        }
        self._write(join(final, "entry.json"), documents.dump("trash entry", keys))
        content = join(final, "content")
        if entry.document is None:
            self._visit(entry.node, None, content)
            return
        self._create(content)
        self._write(join(content, SEQUENCE_DOCUMENT), entry.document)
        for name, writer in entry.files.items():
            if writer is not None:
                self._place(entry.node, writer, name, final)
            self._move(join(entry.node.directory or "", name), join(content, name))

    def _content(self, node: Node) -> bytes:
        if node.is_sequence:
            return documents.dump_sequence(self._tree.document(node))
        return documents.dump_folder(self._tree.creation_date(node), node.note)
