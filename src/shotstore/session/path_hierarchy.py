"""The tree of folders and sequences."""

from datetime import datetime

from attrs import evolve

from shotstore.paths import AnyPath, PureSequencePath, as_path
from shotstore.records import path_rules, state_rules
from shotstore.records.annotations import check_note
from shotstore.records.arguments import as_flag
from shotstore.records.stored_records import AnyRecords
from shotstore.records.stored_tree import Node
from shotstore.records.times import as_utc


class PathHierarchy:
    r"""The tree of folders and sequences of a session, ``session.paths``.

    The root ``\`` always exists. A folder holds other paths, a sequence holds none.
    """

    def __init__(self, records: AnyRecords) -> None:
        self._records = records

    def does_path_exists(self, path: AnyPath) -> bool:
        """Return whether a folder or a sequence is at the path."""
        place, records = as_path(path), self._records
        return records.transaction.read(lambda: records.tree.find(place) is not None)

    def create_path(self, path: AnyPath) -> list[PureSequencePath]:
        """Create a folder, and the folders above it that do not exist.

        Returns:
            The folders that were created, from parent to child; none if it was there already.

        Raises:
            PathIsSequenceError: the path or one of its ancestors is a sequence.
            InvalidPathFormatError: the storage cannot hold a name of this length.
            PathExistsError: a name differs from that of a sibling in upper and lower case only.
        """
        place, records = as_path(path), self._records
        return records.transaction.write(
            lambda: [node.path for node in records.tree.create_folders(place)]
        )

    def delete_path(self, path: AnyPath, delete_sequences: bool = False) -> None:
        """Delete a folder or a sequence, with everything inside.

        Args:
            path: What to delete.
            delete_sequences: Whether sequences may be deleted with all their shots.

        Raises:
            PathIsRootError: the path is the root.
            PathNotFoundError: nothing is at the path.
            PathIsSequenceError: a sequence is at or inside the path, and ``delete_sequences`` is
                False.
            SequenceRunningError: one of the sequences to be deleted is preparing or running.
        """
        place, may_delete = as_path(path), as_flag(delete_sequences, "delete_sequences")
        if place.is_root():
            raise path_rules.path_is_root_error("deleted")
        records = self._records

        def delete() -> None:
            node = records.tree.get(place)
            if not may_delete and (sequences := records.tree.sequences(node)):
                found = [sequence.path for sequence in sequences]
                raise path_rules.path_holds_sequences_error(place, found)
            self._check_idle(node, "deleting")
            records.delete(node)

        records.transaction.write(delete)

    def get_children(self, path: AnyPath) -> set[PureSequencePath]:
        """Return the folders and sequences directly inside a folder.

        Raises:
            PathNotFoundError: nothing is at the path.
            PathIsSequenceError: the path is a sequence.
        """
        place, tree = as_path(path), self._records.tree

        def children() -> set[PureSequencePath]:
            node = tree.get(place)
            if node.is_sequence:
                raise path_rules.path_is_sequence_error(place)
            return {place / name for name in tree.children(node)}

        return self._records.transaction.read(children)

    def get_all_paths(self) -> set[PureSequencePath]:
        """Return all folders and sequences, without the root."""
        root = PureSequencePath.root()
        return {node.path for node in self._records.nodes_below(root)} - {root}

    def get_path_creation_date(self, path: AnyPath) -> datetime:
        """Return when the folder or sequence was created, in UTC.

        Raises:
            PathIsRootError: the path is the root.
            PathNotFoundError: nothing is at the path.
        """
        place, tree = as_path(path), self._records.tree
        if place.is_root():
            raise path_rules.path_is_root_error("dated")
        return self._records.transaction.read(lambda: tree.creation_date(tree.get(place)))

    def update_creation_date(self, path: AnyPath, date: datetime) -> None:
        """Change when the folder or sequence was created, as a copy does to keep the true date.

        Args:
            path: The folder or sequence, in any state.
            date: An aware time in any zone.

        Raises:
            PathIsRootError: the path is the root.
            PathNotFoundError: nothing is at the path.
            ValueError: the time has no time zone.
        """
        place, utc, records = as_path(path), as_utc(date, "date"), self._records
        if place.is_root():
            raise path_rules.path_is_root_error("dated")
        records.transaction.write(lambda: records.set_creation_date(records.tree.get(place), utc))

    def get_note(self, path: AnyPath) -> str:
        """Return the note on a folder or a sequence; empty if there is none.

        Raises:
            PathIsRootError: the path is the root.
            PathNotFoundError: nothing is at the path.
        """
        place, records = as_path(path), self._records
        if place.is_root():
            raise path_rules.path_is_root_error("noted")

        def read() -> str:
            node = records.tree.get(place)
            if node.is_sequence:
                return records.read_record(node).note
            return records.tree.folder_note(node)

        return records.transaction.read(read)

    def set_note(self, path: AnyPath, note: str) -> None:
        """Replace the note on a folder or a sequence, in any state.

        It comes along when the path is moved or copied. That on an empty folder becomes that of a
        sequence which is created there.

        Args:
            path: The folder or sequence.
            note: Any text, of any number of lines; an empty one for no note.

        Raises:
            PathIsRootError: the path is the root.
            PathNotFoundError: nothing is at the path.
            ValueError: it holds a lone surrogate.
            TypeError: it is not a text.
        """
        place, text, records = as_path(path), check_note(note), self._records
        if place.is_root():
            raise path_rules.path_is_root_error("noted")

        def write() -> None:
            node = records.tree.get(place)
            if node.is_sequence:
                records.change_record(node, evolve(records.read_record(node), note=text))
            else:
                records.set_folder_note(node, text)

        records.transaction.write(write)

    def move(self, source: AnyPath, destination: AnyPath) -> None:
        """Move or rename a folder or a sequence, with everything inside.

        The folders above the destination are created where they do not exist.

        Args:
            source: What to move.
            destination: The path that it has afterwards (and not the folder to put it into).

        Raises:
            PathIsRootError: the source is the root.
            PathNotFoundError: nothing is at the source.
            RecursivePathMoveError: the destination is inside the source.
            PathExistsError: something is at the destination, which may be the source itself or
                the root; or a name differs from that of a sibling in upper and lower case only.
            PathIsSequenceError: an ancestor of the destination is a sequence.
            SequenceRunningError: a sequence at or inside the source is preparing or running.
            InvalidPathFormatError: the storage cannot hold a name of this length.
        """
        old, new = as_path(source), as_path(destination)
        path_rules.check_move(old, new)
        records = self._records

        def move() -> None:
            tree = records.tree
            node = tree.get(old)
            if tree.find(new) is not None:
                raise path_rules.path_exists_error(new)
            self._check_idle(node, "moving")
            tree.check_moved(node, new)
            records.move(node, tree.make_room(new, node), new.parts[-1])

        records.transaction.write(move)

    def _check_idle(self, node: Node, doing: str) -> None:
        for sequence, state in self._records.active_below(node):
            raise state_rules.sequence_running_error(sequence.path, state, doing)
