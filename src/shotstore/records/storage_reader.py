"""What is read of all sequences of a session."""

from contextlib import AbstractContextManager
from operator import attrgetter
from typing import Protocol

import attrs

from shotstore.model import ParameterNamespace, Serializer
from shotstore.paths import PureSequencePath
from shotstore.records import settings
from shotstore.records.sequence_reader import SequenceReader
from shotstore.records.stored_records import AnyRecords
from shotstore.records.summaries import SequenceSummary, holds_text


@attrs.frozen(eq=False)
class StorageReader:
    """All sequences of a session.

    Each method does what that of the session, or of its collections, says.
    """

    _records: AnyRecords
    _serializer: Serializer

    def get_sequence(self, path: PureSequencePath) -> SequenceReader:
        """Return the reader of a sequence, which need not exist before it is asked."""
        return SequenceReader(path, self._records, self._serializer)

    def get_global_parameters(self) -> ParameterNamespace:
        return settings.get_global_parameters(self._records, self._serializer)

    def get_all_paths(self) -> set[PureSequencePath]:
        root = PureSequencePath.root()
        return {node.path for node in self._records.nodes_below(root)} - {root}

    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]:
        return {node.path for node in self._records.nodes_below(path) if node.is_sequence}

    def get_sequences_with_text(self, path: PureSequencePath, text: str) -> set[PureSequencePath]:
        found = self._records.records_below(path)
        return {node.path for node, record in found if holds_text(text, record)}

    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]:
        found = self._records.summaries(path, self._serializer)
        return sorted(found, key=attrgetter("path.parts"))


class ReadableSession(Protocol):
    """An :class:`~shotstore.ExperimentSession`."""

    def _reader_(self) -> StorageReader: ...


class ReadableStorage(Protocol):
    """A :class:`~shotstore.StorageManager`."""

    def session(self) -> AbstractContextManager[ReadableSession]: ...
