"""The tree of a session in memory."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

import attrs

from shotstore.memory.content import Content, Folder, Sequence
from shotstore.memory.transaction import InMemoryTransaction
from shotstore.paths import PureSequencePath
from shotstore.records.stored_tree import StoredTree
from shotstore.state import State


@attrs.frozen
class Place:
    """A path, and what is there."""

    path: PureSequencePath
    content: Folder | Sequence

    @property
    def is_sequence(self) -> bool:
        return isinstance(self.content, Sequence)

    @property
    def sequence(self) -> Sequence:
        """What is there, which is a sequence."""
        assert isinstance(self.content, Sequence)
        return self.content

    @property
    def folder(self) -> Folder:
        """What is there, which is a folder."""
        assert isinstance(self.content, Folder)
        return self.content


class InMemoryTree(StoredTree[Place]):
    """See `StoredTree`."""

    def __init__(self, transaction: InMemoryTransaction) -> None:
        self._transaction = transaction

    @property
    def _content(self) -> Content:
        return self._transaction.content

    def chain(self, path: PureSequencePath) -> list[Place]:
        way = [*path.get_ancestors(), path]
        paths = self._content.paths
        return [Place(above, paths[above]) for above in way if above in paths]

    def children(self, node: Place) -> Collection[str]:
        return [path.parts[-1] for path in self._content.paths if path.parent == node.path]

    def walk(self, node: Place, *, skip_unreadable: bool = False) -> Iterator[Place]:
        del skip_unreadable
        yield node
        for path, content in sorted(self._content.paths.items(), key=lambda item: item[0]):
            if path.is_descendant_of(node.path):
                yield Place(path, content)

    def state(self, node: Place) -> State | None:
        return node.sequence.record.state

    def creation_date(self, node: Place) -> datetime:
        content = node.content
        return content.record.created if isinstance(content, Sequence) else content.created

    def folder_note(self, node: Place) -> str:
        return node.folder.note

    def add_folder(self, parent: Place, name: str) -> Place:
        place = Place(parent.path / name, Folder(datetime.now(UTC)))
        self._content.paths[place.path] = place.content
        return place
