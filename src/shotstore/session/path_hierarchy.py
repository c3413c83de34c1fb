"""The tree of folders and sequences."""

from datetime import datetime

from shotstore.paths import AnyPath, PureSequencePath, as_path
from shotstore.records.arguments import as_flag
from shotstore.records.stored_paths import StoredPaths
from shotstore.records.times import as_utc


class PathHierarchy:
    r"""The tree of folders and sequences of a session, ``session.paths``.

    The root ``\`` always exists. A folder holds other paths, a sequence holds none.
    """

    def __init__(self, stored: StoredPaths) -> None:
        self._stored = stored

    def does_path_exists(self, path: AnyPath) -> bool:
        """Return whether a folder or a sequence is at the path."""
        return self._stored.does_path_exists(as_path(path))

    def create_path(self, path: AnyPath) -> list[PureSequencePath]:
        """Create a folder, and the folders above it that do not exist.

        Returns:
            The folders that were created, from parent to child; none if it was there already.

        Raises:
            PathIsSequenceError: the path or one of its ancestors is a sequence.
            InvalidPathFormatError: the storage cannot hold a name of this length.
            PathExistsError: a name differs from that of a sibling in upper and lower case only.
        """
        return self._stored.create_path(as_path(path))

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
        self._stored.delete_path(as_path(path), as_flag(delete_sequences, "delete_sequences"))

    def get_children(self, path: AnyPath) -> set[PureSequencePath]:
        """Return the folders and sequences directly inside a folder.

        Raises:
            PathNotFoundError: nothing is at the path.
            PathIsSequenceError: the path is a sequence.
        """
        return self._stored.get_children(as_path(path))

    def get_all_paths(self) -> set[PureSequencePath]:
        """Return all folders and sequences, without the root."""
        return self._stored.get_all_paths()

    def get_path_creation_date(self, path: AnyPath) -> datetime:
        """Return when the folder or sequence was created, in UTC.

        Raises:
            PathIsRootError: the path is the root.
            PathNotFoundError: nothing is at the path.
        """
        return self._stored.get_path_creation_date(as_path(path))

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
        self._stored.update_creation_date(as_path(path), as_utc(date, "date"))

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
        self._stored.move(as_path(source), as_path(destination))
