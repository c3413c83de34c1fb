"""What a backend does with the tree of folders and sequences."""

import abc
from datetime import datetime

from shotstore.paths import PureSequencePath


class StoredPaths(abc.ABC):
    """The tree of a session, as a backend stores it.

    Each method does what that of :class:`~shotstore.PathHierarchy` says. What it is given has been
    checked there: paths are paths, and times are in UTC. What only the storage can tell is checked
    here.
    """

    @abc.abstractmethod
    def does_path_exists(self, path: PureSequencePath) -> bool: ...

    @abc.abstractmethod
    def create_path(self, path: PureSequencePath) -> list[PureSequencePath]: ...

    @abc.abstractmethod
    def delete_path(self, path: PureSequencePath, delete_sequences: bool) -> None: ...

    @abc.abstractmethod
    def get_children(self, path: PureSequencePath) -> set[PureSequencePath]: ...

    @abc.abstractmethod
    def get_all_paths(self) -> set[PureSequencePath]: ...

    @abc.abstractmethod
    def get_path_creation_date(self, path: PureSequencePath) -> datetime: ...

    @abc.abstractmethod
    def update_creation_date(self, path: PureSequencePath, date: datetime) -> None: ...

    @abc.abstractmethod
    def move(self, source: PureSequencePath, destination: PureSequencePath) -> None: ...
