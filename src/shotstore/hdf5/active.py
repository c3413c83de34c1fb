"""Which sequences are preparing or running, so that a folder of thousands moves, or is deleted,
without a look at each of their documents.

The document `ACTIVE` names their paths. The commits that launch and end sequences change it too,
together with their documents, so no crash and no other process comes in between; and since what is
active does not move, the paths stay true. The documents of those that it names are asked, so one
too many does no harm. Where it is missing, as in a copy that leaves out hidden files, or was
edited, all documents are read, and the commit writes it anew.

It does not know of a sequence that was copied into the tree by hand in the midst of its run. Nobody
records into that one, so it may well be moved.
"""

from collections.abc import Callable, Iterator

from shotstore.errors import DamagedStorageError
from shotstore.hdf5 import documents
from shotstore.hdf5.store import CONTROL
from shotstore.hdf5.tree import Node, Tree
from shotstore.paths import PureSequencePath
from shotstore.state import State

ACTIVE = f"{CONTROL}/active.json"


class ActiveSequences:
    """Those that a writing session sees. Nobody else changes them meanwhile."""

    def __init__(self, tree: Tree, read: Callable[[str], bytes | None]) -> None:
        """``read`` gives the content of a document of the store, or None if there is none."""
        self._tree = tree
        self._read = read
        self._named: set[PureSequencePath] | None = None
        """Those that were active when the session began; None if that is not known."""
        self._is_written = True
        """Whether the document names them."""

    def below(self, node: Node) -> Iterator[tuple[Node, State]]:
        """Those at and below a node, with their states.

        Raises:
            DamagedStorageError: the document is missing, and a directory cannot be read.
        """
        for each in [node] if node.is_sequence else self._candidates(node):
            state = self._tree.state(each) if each.is_sequence else None
            if state is not None and state.is_active():
                yield each, state

    def document(self) -> bytes | None:
        """What the document is to be after the commit; None if it may stay as it is."""
        changed = self._changed(self._tree.root)
        if (not changed and self._is_written) or not self._read_names():
            return None
        before = self._named or set()
        after = before.copy()
        for node in changed:
            if self._tree.document(node).state.is_active():
                after.add(node.path)
            elif before:
                after.discard(node.path)
        if after == before and self._is_written:
            return None
        return documents.dump("active sequences", {"paths": [*sorted(map(str, after))]})

    def _candidates(self, node: Node) -> list[Node]:
        try:
            if not self._read_names():
                self._find_all()
        except DamagedStorageError:  # of something elsewhere, perhaps
            return self._tree.sequences(node)
        place = node.path
        named = [path for path in self._named or () if path.is_descendant_of(place)]
        found = [each for each in map(self._tree.find, named) if each is not None]
        return found + self._changed(node)

    def _read_names(self) -> bool:
        """Whether it is known what the document names, or should name."""
        if self._named is None:
            content = self._read(ACTIVE)
            if content is not None and documents.is_untouched(content):
                names = documents.load("active sequences", content, ACTIVE)["paths"]
                self._named = set(map(PureSequencePath, names))
        return self._named is not None

    def _find_all(self) -> None:
        tree = self._tree
        states = ((each, tree.state(each)) for each in tree.sequences(tree.root))
        self._named = {each.path for each, state in states if state and state.is_active()}
        self._is_written = False

    def _changed(self, node: Node) -> list[Node]:
        """The sequences at and below a node whose documents the session has made or changed."""
        known = self._tree.walk_known(node)
        return [
            each
            for each in known
            if each.is_sequence and (each.is_changed or each.directory is None)
        ]
