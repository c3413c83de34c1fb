"""The tree of paths as one session sees it: what is on the disk, and its own changes over that.

A node remembers the directory it was read from, wherever the session moves it. The commit compares
the two (`shotstore.hdf5.net_effect`).
"""

import os
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from attrs import define, field

from shotstore.errors import (
    DamagedStorageError,
    InvalidPathFormatError,
    PathExistsError,
    StorageError,
    TransactionConflictError,
)
from shotstore.hdf5 import on_disk
from shotstore.hdf5.conflicts import moved_away_error
from shotstore.hdf5.documents import SequenceDocument, load_folder, recall_sequence
from shotstore.hdf5.files import join
from shotstore.hdf5.folders import Folder
from shotstore.hdf5.names import FOLDER_DOCUMENT, SEQUENCE_DOCUMENT, directory_name
from shotstore.hdf5.snapshot import Snapshot
from shotstore.paths import PureSequencePath, path_of_checked
from shotstore.records.stored_tree import StoredTree
from shotstore.state import State


@define(eq=False)  # with slots: a listing makes thousands of them
class Node:
    """A folder or a sequence."""

    name: str
    directory: str | None
    """Where it lies on the disk, relative to the root of the store; None if it is new."""
    parent: "Node | None" = None
    is_sequence: bool = field(kw_only=True)
    children: "dict[str, Node]" = field(factory=dict, init=False)
    """Those that are known."""
    gone: set[str] = field(factory=set, init=False)
    """Names on the disk that the session has moved or deleted."""
    created: datetime | None = field(default=None, init=False)
    note: str = field(default="", init=False)
    """That on a folder, once it is known when that was created."""
    document: SequenceDocument | None = field(default=None, init=False)
    is_changed: bool = field(default=False, init=False)
    """Whether its document is to be written."""
    was_folder: bool = field(default=False, init=False)
    """Whether it is a sequence in the place of an empty folder on the disk."""

    @property
    def path(self) -> PureSequencePath:
        """Where it is in the tree."""
        names: list[str] = []
        node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return path_of_checked(PureSequencePath, reversed(names))

    def attach(self, parent: "Node", name: str) -> None:
        """Put the node, which has no parent, in a place where there is none."""
        self.name, self.parent = name, parent
        parent.children[name] = self

    def detach(self) -> None:
        """Take the node out of its place."""
        assert self.parent is not None
        del self.parent.children[self.name]
        self.parent.gone.add(self.name)
        self.parent = None


class Tree(StoredTree[Node]):
    """All nodes that a session knows; others are read from the snapshot when asked for."""

    def __init__(self, snapshot: Snapshot, root: Node, location: Path) -> None:
        """``location`` is the root of the store, for messages."""
        self._snapshot = snapshot
        self._location = location
        self.root = root

    @cached_property
    def _longest_path(self) -> int:
        return on_disk.longest_path(self._location)

    @cached_property
    def _length_around(self) -> int:
        """Bytes in the path of a document besides those of the path in the store."""
        return len(os.fsencode(self._location / "sequences" / SEQUENCE_DOCUMENT)) + 1

    def chain(self, path: PureSequencePath) -> list[Node]:
        node = self.root
        found = [node]
        for name in path.parts:
            child = node.children.get(name)
            if child is None:
                if node.is_sequence or node.directory is None or name in node.gone:
                    break
                there = self._snapshot.child(node.directory, name)
                if there is None:
                    break
                directory, kind = there
                child = Node(name, directory, node, is_sequence=kind == "sequence")
                node.children[name] = child
            node = child
            found.append(node)
        return found

    def children(self, node: Node) -> Collection[str]:
        return {*node.children, *self._unknown_children(node)}

    def walk(self, node: Node, *, skip_unreadable: bool = False) -> Iterator[Node]:
        """The node and everything below it; with ``skip_unreadable``, what lies in directories that
        cannot be read is left out.

        Raises:
            DamagedStorageError: a directory cannot be read.
        """
        pending = [node]
        while pending:
            current = pending.pop()
            yield current
            try:
                self._know_children(current)
                pending.extend(current.children.values())
            except DamagedStorageError:
                if not skip_unreadable:
                    raise

    def _know_children(self, node: Node) -> None:
        for name, directory in self._unknown_children(node).items():
            is_sequence = self._snapshot.kind(directory) == "sequence"
            node.children[name] = Node(name, directory, node, is_sequence=is_sequence)

    def untouched(self, node: Node) -> tuple[Folder, dict[str, bytes]] | None:
        """The sequences in a folder that the session has not come across: what is in its directory,
        and their documents by name, as far as they can be read; None for a new folder. The folders
        in it become known.

        Raises:
            DamagedStorageError: the directory cannot be read.
        """
        if node.directory is None:
            return None
        folder = self._snapshot.folder(node.directory)
        documents: dict[str, bytes] = {}
        for name, content in zip(folder.children, self._snapshot.contents(folder), strict=True):
            if content is not None:
                documents[name] = content
            elif name not in node.children and name not in node.gone:
                place = join(node.directory, folder.children[name])
                if self._snapshot.kind(place) == "folder":
                    node.children[name] = Node(name, place, node, is_sequence=False)
        for name in (*node.children, *node.gone):
            documents.pop(name, None)
        return folder, documents

    def walk_known(self, node: Node) -> Iterator[Node]:
        """The node, and every one below it that the session has come across."""
        pending = [node]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(node.children.values())

    def document(self, node: Node) -> SequenceDocument:
        """The document of a sequence.

        Raises:
            DamagedStorageError: it cannot be read.
            TransactionConflictError: another session has moved or deleted it before it was read.
        """
        if node.document is None:
            content = self._snapshot.document(node.directory or "")
            node.document = recall_sequence(content, self.file(node))
        return node.document

    def file(self, node: Node) -> str:
        """Where the document of a sequence is on the disk, for messages."""
        return f"{self._location}/{node.directory or ''}/{SEQUENCE_DOCUMENT}"

    def content(self, node: Node) -> bytes | None:
        """The document of a sequence as the disk has it, or None if the session has changed it.

        Raises:
            TransactionConflictError: another session has moved or deleted it before it was read.
            DamagedStorageError: it cannot be read.
        """
        if node.directory is None or node.is_changed:
            return None
        return self._snapshot.document(node.directory)

    def state(self, node: Node) -> State | None:
        """The state of a sequence, or None if its document cannot be read: one damaged sequence
        must not make a listing of the others fail."""
        try:
            return self.document(node).state
        except TransactionConflictError:
            raise
        except StorageError:
            return None

    def creation_date(self, node: Node) -> datetime:
        """When a path was created; of a bare directory, when it was last changed."""
        if node.is_sequence:
            return self.document(node).created
        if node.created is None:
            assert node.directory is not None
            path = join(node.directory, FOLDER_DOCUMENT)
            content = self._snapshot.read(path)
            if content is None:
                try:
                    changed = (self._location / node.directory).stat().st_mtime
                except FileNotFoundError:
                    raise moved_away_error(str(node.path)) from None
                node.created = datetime.fromtimestamp(changed, UTC)
            else:
                node.created, node.note = load_folder(content, self._location / path)
        return node.created

    def folder_note(self, node: Node) -> str:
        self.creation_date(node)
        return node.note

    def has_folder_document(self, node: Node) -> bool:
        """Whether the node's directory on the disk has a ``folder.json``."""
        path = join(node.directory or "", FOLDER_DOCUMENT)
        return node.directory is not None and self._snapshot.read(path) is not None

    def add_folder(self, parent: Node, name: str) -> Node:
        folder = parent.children[name] = Node(name, None, parent, is_sequence=False)
        folder.created = datetime.now(UTC)
        folder.is_changed = True
        return folder

    def make_sequence(self, node: Node, document: SequenceDocument) -> None:
        """Make a sequence of an empty folder."""
        node.document = document
        node.is_sequence = node.was_folder = True
        node.is_changed = node.directory is not None

    def check_names(self, names: tuple[str, ...]) -> None:
        self._checked_length(names)

    def _checked_length(self, names: tuple[str, ...]) -> int:
        """Bytes in the path of the directories of these names."""
        inside = len(os.fsencode("/".join([directory_name(name) for name in names])))
        length, longest = self._length_around + inside, self._longest_path
        if length >= longest:
            raise InvalidPathFormatError(
                f"{PureSequencePath.from_parts(names)} needs {length} bytes as a path of files, "
                f"and this system holds {longest}: choose shorter names, or fewer of them."
            )
        return inside

    def check_moved(self, node: Node, path: PureSequencePath) -> None:
        pending = [(node, path.parts)]
        while pending:
            below, names = pending.pop()
            length = len("sequences/") + self._checked_length(names)
            # Thousands of others need not be looked at where their paths become no longer.
            if len(os.fsencode(below.directory or "")) < length:
                self._know_children(below)
            pending.extend([(child, (*names, name)) for name, child in below.children.items()])

    def check_free(self, parent: Node, name: str, moving: Node | None) -> None:
        gone = parent.gone
        if moving is not None and moving.parent is parent:
            gone = gone | {moving.name}
        if parent.directory is None or name in gone:
            return
        place = self._location / parent.directory / directory_name(name)
        if not self._snapshot.is_taken(join(parent.directory, directory_name(name))):
            return
        lower = name.casefold()
        if any(other.casefold() == lower for other in gone) and self._folds_case():
            return  # it is in the way of itself, until the commit
        raise PathExistsError(
            f"{place} is in the way, and is not a folder of this store: remove or rename it, or "
            "choose another path."
        )

    def _unknown_children(self, node: Node) -> dict[str, str]:
        """The directories of those children of a folder that the session has not come across.

        Raises:
            DamagedStorageError: that of the folder cannot be read.
        """
        if node.directory is None or node.is_sequence:
            return {}
        above = f"{node.directory}/" if node.directory else ""
        return {
            name: above + entry
            for name, entry in self._snapshot.folder(node.directory).children.items()
            if name not in node.children and name not in node.gone
        }

    def _folds_case(self) -> bool:
        return on_disk.exists(self._location / ".SHOTSTORE")
