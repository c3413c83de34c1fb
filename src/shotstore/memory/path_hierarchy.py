"""The tree of a session in memory."""

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import evolve

from shotstore.memory.content import Content, Sequence, check_names
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules, state_rules
from shotstore.records.stored_paths import StoredPaths

if TYPE_CHECKING:
    from shotstore.memory.session import InMemoryExperimentSession


class InMemoryPathHierarchy(StoredPaths):
    """See `StoredPaths`."""

    def __init__(self, session: "InMemoryExperimentSession") -> None:
        self._session = session

    def does_path_exists(self, path: PureSequencePath) -> bool:
        return self._session.reading().find(path) is not None

    def create_path(self, path: PureSequencePath) -> list[PureSequencePath]:
        return self._session.writing().create_folders(path)

    def delete_path(self, path: PureSequencePath, delete_sequences: bool) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("deleted")
        content = self._session.writing()
        content.get(path)
        if (sequences := content.sequences(path)) and not delete_sequences:
            raise path_rules.path_holds_sequences_error(path, sequences)
        _check_idle(content, path, "deleting")
        for gone in (path, *content.below(path)):
            del content.paths[gone]

    def get_children(self, path: PureSequencePath) -> set[PureSequencePath]:
        content = self._session.reading()
        if isinstance(content.get(path), Sequence):
            raise path_rules.path_is_sequence_error(path)
        return {found for found in content.below(path) if found.parent == path}

    def get_all_paths(self) -> set[PureSequencePath]:
        return set(self._session.reading().paths)

    def get_path_creation_date(self, path: PureSequencePath) -> datetime:
        if path.is_root():
            raise path_rules.path_is_root_error("dated")
        return self._session.reading().get(path).created

    def update_creation_date(self, path: PureSequencePath, date: datetime) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("dated")
        content = self._session.writing()
        content.paths[path] = evolve(content.get(path), created=date)

    def move(self, source: PureSequencePath, destination: PureSequencePath) -> None:
        path_rules.check_move(source, destination)
        content = self._session.writing()
        content.get(source)
        if content.find(destination) is not None:
            raise path_rules.path_exists_error(destination)
        _check_idle(content, source, "moving")
        check_names(destination)
        assert destination.parent is not None
        if content.find(destination.parent) is not None:
            content.check_siblings(destination, source)
        content.create_folders(destination.parent, source)
        for old in (source, *content.below(source)):
            parts = destination.parts + old.parts[len(source.parts) :]
            content.paths[PureSequencePath.from_parts(parts)] = content.paths.pop(old)


def _check_idle(content: Content, path: PureSequencePath, doing: str) -> None:
    for sequence, found in content.sequences(path).items():
        if found.state.is_active():
            raise state_rules.sequence_running_error(sequence, found.state, doing)
