"""The contract with a backend, its second part: the tree of paths, and the rules for all changes of
it."""

import abc
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from shotstore.errors import InvalidPathFormatError
from shotstore.paths import LONGEST_NAME, PureSequencePath
from shotstore.records import path_rules
from shotstore.state import State


class Node(Protocol):
    """A path that exists, as it was when it was found; after a change, it is to be found anew."""

    @property
    def path(self) -> PureSequencePath: ...

    @property
    def is_sequence(self) -> bool: ...


N = TypeVar("N", bound=Node)


class StoredTree(abc.ABC, Generic[N]):
    """The tree of paths. Its root always exists."""

    @abc.abstractmethod
    def chain(self, path: PureSequencePath) -> list[N]:
        """Return the root and those of the nodes on the way to the path that exist."""

    @abc.abstractmethod
    def children(self, node: N) -> Collection[str]:
        """Return the names of the paths directly inside a folder."""

    @abc.abstractmethod
    def walk(self, node: N, *, skip_unreadable: bool = False) -> Iterator[N]:
        """Yield the node and everything below it, parents first; with ``skip_unreadable``, what
        cannot be read is left out."""

    @abc.abstractmethod
    def state(self, node: N) -> State | None:
        """Return the state of a sequence, or None if it cannot be read."""

    @abc.abstractmethod
    def creation_date(self, node: N) -> datetime:
        """Return when the path was created, in UTC."""

    @abc.abstractmethod
    def folder_note(self, node: N) -> str:
        """Return the note on a folder; empty if there is none."""

    def check_names(self, names: tuple[str, ...]) -> None:
        """Check that the storage can hold a path of these names.

        Raises:
            InvalidPathFormatError: it cannot.
        """
        for name in names:
            length = len(name.encode())
            if length > LONGEST_NAME:
                raise InvalidPathFormatError(
                    f"The name {name!r} has {length} bytes, and names have up to {LONGEST_NAME}: "
                    "choose a shorter one."
                )

    def check_free(self, parent: N, name: str, moving: N | None) -> None:
        """Check that nothing but paths of this tree can be in the way of a new one.

        Args:
            parent: The folder.
            name: That of the new path.
            moving: What is about to leave its place for it.

        Raises:
            PathExistsError: something is.
        """
        del parent, name, moving

    @abc.abstractmethod
    def add_folder(self, parent: N, name: str) -> N:
        """Create a folder in a folder that has no such path."""

    def find(self, path: PureSequencePath) -> N | None:
        """Return the node at the path, or None."""
        chain = self.chain(path)
        return chain[-1] if len(chain) > len(path.parts) else None

    def get(self, path: PureSequencePath) -> N:
        """Return the node at the path.

        Raises:
            PathNotFoundError: nothing is there.
        """
        node = self.find(path)
        if node is None:
            raise path_rules.path_not_found_error(path)
        return node

    def get_sequence(self, path: PureSequencePath) -> N:
        """Return the sequence at the path.

        Raises:
            PathNotFoundError: nothing is there.
            PathIsNotSequenceError: a folder is.
        """
        node = self.find(path)
        if node is None:
            raise path_rules.path_not_found_error(path)
        if not node.is_sequence:
            raise path_rules.path_is_not_sequence_error(path)
        return node

    def sequences(self, node: N, *, skip_unreadable: bool = False) -> list[N]:
        """Return the sequences at and below a node; see `walk`."""
        found = self.walk(node, skip_unreadable=skip_unreadable)
        return [each for each in found if each.is_sequence]

    def create_folders(self, path: PureSequencePath, moving: N | None = None) -> list[N]:
        """Create a folder and those above it that do not exist; return the new ones, parents first.

        Args:
            path: The folder.
            moving: What is about to leave its place, and is in nobody's way.

        Raises:
            PathIsSequenceError: the path or one above it is a sequence.
            PathExistsError: a name differs from that of a sibling in upper and lower case only, or
                something else is in the way.
            InvalidPathFormatError: the storage cannot hold one of the names.
        """
        self.check_names(path.parts)
        chain = self.chain(path)
        node, missing = chain[-1], path.parts[len(chain) - 1 :]
        if node.is_sequence:
            raise path_rules.path_is_sequence_error(node.path, path)
        if missing:
            self._check_place(node, missing[0], moving)
        created = []
        for name in missing:
            node = self.add_folder(node, name)
            created.append(node)
        return created

    def make_room(self, path: PureSequencePath, moving: N | None = None) -> N:
        """Return the folder in which a path where nothing is can be put, creating it and those
        above it.

        Args:
            path: The path, which is not the root.
            moving: What is to be put there, and is about to leave its place.

        Raises:
            PathIsSequenceError: a path above it is a sequence.
            PathExistsError: a name differs from that of a sibling in upper and lower case only, or
                something else is in the way.
            InvalidPathFormatError: the storage cannot hold one of the names.
        """
        self.check_names(path.parts)
        parent, name = path.parent, path.parts[-1]
        assert parent is not None
        folder = self.find(parent)
        if folder is not None and not folder.is_sequence:
            self._check_place(folder, name, moving)
            return folder
        return self.create_folders(parent, moving)[-1]

    def check_moved(self, node: N, path: PureSequencePath) -> None:
        """Check that the storage can hold a node, with everything below it, at another path.

        Raises:
            InvalidPathFormatError: it cannot.
        """
        depth = len(node.path.parts)
        for below in self.walk(node):
            self.check_names((*path.parts, *below.path.parts[depth:]))

    def _check_place(self, parent: N, name: str, moving: N | None) -> None:
        place, siblings = parent.path, set(self.children(parent))
        if moving is not None:
            *above, own = moving.path.parts
            if tuple(above) == place.parts:
                siblings.discard(own)
        path_rules.check_siblings(place, name, siblings)
        self.check_free(parent, name, moving)
