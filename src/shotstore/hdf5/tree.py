"""The tree of paths as one session sees it: what is on the disk, and its own changes over that.

A node remembers the directory it was read from, wherever the session moves it. The commit compares
the two (`shotstore.hdf5.net_effect`).
"""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from attrs import evolve

from shotstore.errors import (
    DamagedStorageError,
    InvalidPathFormatError,
    PathExistsError,
    StorageError,
    TransactionConflictError,
)
from shotstore.hdf5 import on_disk
from shotstore.hdf5.conflicts import moved_away
from shotstore.hdf5.documents import SequenceDocument, load_folder, load_sequence
from shotstore.hdf5.files import join
from shotstore.hdf5.names import FOLDER_DOCUMENT, SEQUENCE_DOCUMENT, directory_name
from shotstore.hdf5.snapshot import Snapshot
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules
from shotstore.state import State


class Node:
    """A folder or a sequence."""

    # A listing makes thousands of them.
    __slots__ = (
        "children",
        "created",
        "directory",
        "document",
        "gone",
        "is_changed",
        "is_sequence",
        "name",
        "parent",
        "was_folder",
    )

    def __init__(self, name: str, directory: str | None, *, is_sequence: bool) -> None:
        self.name = name
        self.directory = directory
        """Where it lies on the disk, relative to the root of the store; None if it is new."""
        self.is_sequence = is_sequence
        self.parent: Node | None = None
        self.children: dict[str, Node] = {}
        """Those that are known."""
        self.gone: set[str] = set()
        """Names on the disk that the session has moved or deleted."""
        self.created: datetime | None = None
        self.document: SequenceDocument | None = None
        self.is_changed = False
        """Whether its document is to be written."""
        self.was_folder = False
        """Whether it is a sequence in the place of an empty folder on the disk."""

    @property
    def path(self) -> PureSequencePath:
        """Where it is in the tree."""
        names: list[str] = []
        node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return PureSequencePath.from_parts(reversed(names))

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


class Tree:
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

    def find(self, path: PureSequencePath) -> Node | None:
        """The node at the path, or None."""
        node: Node | None = self.root
        for name in path.parts:
            if node is None or node.is_sequence:
                return None
            node = self._child(node, name)
        return node

    def get(self, path: PureSequencePath) -> Node:
        """The node at the path.

        Raises:
            PathNotFoundError: nothing is there.
        """
        node = self.find(path)
        if node is None:
            raise path_rules.path_not_found_error(path)
        return node

    def get_sequence(self, path: PureSequencePath) -> Node:
        """The sequence at the path.

        Raises:
            PathNotFoundError: nothing is there.
            PathIsNotSequenceError: a folder is there.
        """
        node = self.get(path)
        if not node.is_sequence:
            raise path_rules.path_is_not_sequence_error(path)
        return node

    def children(self, node: Node) -> dict[str, Node]:
        """All children of a folder by name.

        Raises:
            DamagedStorageError: its directory cannot be read.
        """
        if node.directory is not None and not node.is_sequence:
            for name, entry in self._snapshot.children(node.directory).items():
                if name not in node.children and name not in node.gone:
                    directory = join(node.directory, entry)
                    is_sequence = self._snapshot.kind(directory) == "sequence"
                    Node(name, directory, is_sequence=is_sequence).attach(node, name)
        return node.children

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
            if current.is_sequence:
                continue
            try:
                pending.extend(self.children(current).values())
            except DamagedStorageError:
                if not skip_unreadable:
                    raise

    def walk_known(self) -> Iterator[Node]:
        """Every node that the session has come across."""
        pending = [self.root]
        while pending:
            node = pending.pop()
            yield node
            pending.extend(node.children.values())

    def sequences(self, node: Node, *, skip_unreadable: bool = False) -> list[Node]:
        """The sequences at and below a node; see `walk`."""
        found = self.walk(node, skip_unreadable=skip_unreadable)
        return [each for each in found if each.is_sequence]

    def document(self, node: Node) -> SequenceDocument:
        """The document of a sequence.

        Raises:
            DamagedStorageError: it cannot be read.
            TransactionConflictError: another session has moved or deleted it before it was read.
        """
        if node.document is None:
            directory = node.directory or ""
            content = self._snapshot.document(directory)
            file = f"{self._location}/{directory}/{SEQUENCE_DOCUMENT}"
            node.document = load_sequence(content, file)
        return node.document

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
                    raise moved_away(str(node.path)) from None
                node.created = datetime.fromtimestamp(changed, UTC)
            else:
                node.created = load_folder(content, self._location / path)
        return node.created

    def has_folder_document(self, node: Node) -> bool:
        """Whether the node's directory on the disk has a ``folder.json``."""
        path = join(node.directory or "", FOLDER_DOCUMENT)
        return node.directory is not None and self._snapshot.read(path) is not None

    def create_folders(self, path: PureSequencePath) -> list[Node]:
        """Create a folder and those above it that do not exist; return the new ones.

        Raises:
            PathIsSequenceError: the path or one above it is a sequence.
            PathExistsError: a name differs from that of a sibling in upper and lower case only, or
                something is in the way on the disk.
            InvalidPathFormatError: the disk cannot hold one of the names.
        """
        self._check_length(path.parts)
        node, depth = self.root, 0
        for name in path.parts:
            child = self._child(node, name)
            if child is None:
                break
            node, depth = child, depth + 1
            if node.is_sequence:
                raise path_rules.path_is_sequence_error(
                    PureSequencePath.from_parts(path.parts[:depth]), path
                )
        missing = path.parts[depth:]
        if missing:
            self._check_free(node, missing[0])
        created = []
        for name in missing:
            folder = Node(name, None, is_sequence=False)
            folder.created = datetime.now(UTC)
            folder.is_changed = True
            folder.attach(node, name)
            created.append(folder)
            node = folder
        return created

    def create_sequence(self, path: PureSequencePath, document: SequenceDocument) -> Node:
        """Create a sequence, and the folders above it that do not exist. An empty folder at the
        path becomes the sequence, and keeps its creation date.

        Raises:
            PathIsRootError: the path is the root.
            PathIsSequenceError: the path or one above it is a sequence.
            PathHasChildrenError: the path is a folder that holds other paths.
            PathExistsError: a name differs from that of a sibling in upper and lower case only, or
                something is in the way on the disk.
            InvalidPathFormatError: the disk cannot hold one of the names.
        """
        if path.is_root():
            raise path_rules.path_is_root_error("made a sequence")
        node = self.find(path)
        if node is None:
            node = Node(path.parts[-1], None, is_sequence=True)
            node.document = document
            self.place(node, path)
        elif node.is_sequence:
            raise path_rules.sequence_exists_error(path)
        elif self.children(node):
            raise path_rules.path_has_children_error(path)
        else:
            node.document = evolve(document, created=self.creation_date(node))
            node.is_sequence = node.was_folder = node.is_changed = True
        return node

    def place(self, node: Node, path: PureSequencePath) -> None:
        """Attach a node, which has no parent, at a path where nothing is, creating folders.

        Raises:
            PathIsSequenceError: a path above it is a sequence.
            PathExistsError: a name differs from that of a sibling in upper and lower case only, or
                something is in the way on the disk.
            InvalidPathFormatError: the disk cannot hold one of the names.
        """
        above, name = path.parent, path.parts[-1]
        assert above is not None
        depth = len(node.path.parts)
        for below in self.walk(node):
            self._check_length((*path.parts, *below.path.parts[depth:]))
        folder = self.find(above)
        if folder is not None and not folder.is_sequence:
            self._check_free(folder, name)
        self.create_folders(above)
        node.attach(self.get(above), name)

    def _child(self, node: Node, name: str) -> Node | None:
        child = node.children.get(name)
        if child is not None or node.directory is None or name in node.gone:
            return child
        try:
            found = self._snapshot.child(node.directory, name)
        except InvalidPathFormatError:
            return None  # a name that the disk cannot hold is not on it
        if found is None:
            return None
        directory, kind = found
        child = Node(name, directory, is_sequence=kind == "sequence")
        child.attach(node, name)
        return child

    def _check_length(self, parts: Iterable[str]) -> None:
        longest = self._longest_path
        places = "/".join([directory_name(name) for name in parts])
        length = self._length_around + len(os.fsencode(places))
        if length >= longest:
            raise InvalidPathFormatError(
                f"{PureSequencePath.from_parts(parts)} needs {length} bytes as a path of files, "
                f"and this system holds {longest}: choose shorter names, or fewer of them."
            )

    def _check_free(self, parent: Node, name: str) -> None:
        """Refuse a name that is like that of a sibling, or whose directory would meet something
        that is not a path of ours."""
        on_disk: set[str] = set()
        if parent.directory is not None:
            on_disk = self._snapshot.children(parent.directory).keys() - parent.gone
        path_rules.check_siblings(parent.path, name, {*parent.children, *on_disk})
        if parent.directory is None or name in parent.gone:
            return
        place = self._location / parent.directory / directory_name(name)
        if not self._snapshot.is_taken(join(parent.directory, directory_name(name))):
            return
        lower = name.casefold()
        if any(other.casefold() == lower for other in parent.gone) and self._folds_case():
            return  # it is in the way of itself, until the commit
        raise PathExistsError(
            f"{place} is in the way, and is not a folder of this store: remove or rename it, or "
            "choose another path."
        )

    def _folds_case(self) -> bool:
        return on_disk.exists(self._location / ".SHOTSTORE")
