"""The records of a session on a store of files."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import numpy as np
from attrs import evolve

from shotstore.errors import DamagedStorageError, InvalidPathFormatError
from shotstore.hdf5 import documents, settings, summaries
from shotstore.hdf5.documents import SequenceDocument
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, directory_name, document_name, hdf5_name
from shotstore.hdf5.shots.additions import StoredAdditions, append, read_index, read_types
from shotstore.hdf5.shots.launch import Launch
from shotstore.hdf5.shots.shots_file import ShotsFile
from shotstore.hdf5.store import SEQUENCES
from shotstore.hdf5.transaction import Transaction
from shotstore.hdf5.tree import Node, Tree
from shotstore.model import (
    JSON,
    Data,
    DataSchema,
    DataType,
    ParameterSchema,
    ParameterType,
    Serializer,
)
from shotstore.model.parameters import PlainParameter
from shotstore.model.structures import Structure
from shotstore.paths import PureSequencePath
from shotstore.records.additions import AdditionIndex, Additions, Numbers, StoredAddition
from shotstore.records.columns import LARGEST_BATCH, Column, Places, ShotColumns
from shotstore.records.content import LaunchRecord, SequenceRecord, Setting, ShotRecord
from shotstore.records.recorders import Recorder
from shotstore.records.stored_records import RowNumbers, StoredRecords
from shotstore.records.stored_shot import StoredShot
from shotstore.records.summaries import SequenceSummary
from shotstore.state import State

_FIELDS = [field.name for field in attrs.fields(SequenceRecord)]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class HDF5Records(StoredRecords[Node]):
    """See `StoredRecords`."""

    transaction: Transaction
    tree: Tree

    def __init__(self, transaction: Transaction, compression: str | int | None = None) -> None:
        """``compression`` is the filter for datasets that shots are the first to need."""
        self.transaction = transaction
        self.tree = transaction.tree
        self.compression = compression
        self._seen: dict[PureSequencePath, tuple[ShotsFile, int]] = {}
        """Of which files single shots were read, and how many rows the session sees in them."""

    # Paths

    def make_sequence(self, node: Node, record: SequenceRecord) -> None:
        created = self.tree.creation_date(node)
        if isinstance(record, SequenceDocument):  # that of a copy keeps its id
            document = evolve(record, created=created)
        else:
            fields = {name: getattr(record, name) for name in _FIELDS} | {"created": created}
            document = SequenceDocument(id=uuid.uuid4().hex, **fields)
        self.tree.make_sequence(node, document)

    def move(self, node: Node, parent: Node, name: str) -> None:
        node.detach()
        node.attach(parent, name)

    def delete(self, node: Node) -> None:
        self.transaction.thrown_away.discard(node)

    def set_creation_date(self, node: Node, date: datetime) -> None:
        if node.is_sequence:
            self.change_record(node, evolve(self.tree.document(node), created=date))
        else:
            self.tree.creation_date(node)  # the note is to stay
            node.created = date
            node.is_changed = True

    def set_folder_note(self, node: Node, note: str) -> None:
        self.tree.creation_date(node)
        node.note = note
        node.is_changed = True

    # Sequences

    def read_record(self, node: Node) -> SequenceRecord:
        return self.transaction.document(node)

    def known_record(self, path: PureSequencePath) -> SequenceRecord | None:
        def read() -> SequenceRecord | None:
            document = self.tree.document(self.tree.get_sequence(path))
            return document if document.state is State.DRAFT else None

        # The shots of one that was launched are to be kept from being moved away.
        return self.transaction.glance(read) if self._was_draft(path) else None

    def _was_draft(self, path: PureSequencePath) -> bool:
        """Whether a sequence was a draft, as far as that is known of when it was last read."""
        store = self.transaction.store
        with suppress(InvalidPathFormatError):
            directories = map(directory_name, path.parts)
            file = "/".join([str(store.root), SEQUENCES, *directories, SEQUENCE_DOCUMENT])
            content = store.known.last(file)
            return content is not None and b'"state": "draft"' in content[:1000]
        return False

    def change_record(self, node: Node, record: SequenceRecord) -> None:
        document = _document(record)
        if document.state.has_ended() != self.tree.document(node).state.has_ended():
            document = evolve(document, number_of_retakes=self._count_retakes(node, document))
        self.transaction.change_document(node, document)

    def launch(self, node: Node, record: SequenceRecord, launch: LaunchRecord) -> None:
        for name in launch.device_configurations:
            document_name(name)  # refused here, where nothing has been written yet
        written = Launch(
            record.iteration,
            record.time_lanes,
            launch.global_parameters,
            launch.device_configurations,
            record.expected_number_of_shots,
        )
        self.transaction.launch(node, _document(record), written)

    def read_launch(self, node: Node) -> LaunchRecord:
        written = self.transaction.shots.open(node)[0].launch()
        return LaunchRecord(written.global_parameters, written.device_configurations)

    def reset(self, node: Node, record: SequenceRecord) -> None:
        self.transaction.reset(node, evolve(_document(record), number_of_retakes=0))

    def damaged_error(self, node: Node, why: str) -> DamagedStorageError:
        directory = self.transaction.store.root / (node.directory or "")
        return documents.damaged_error(directory / SEQUENCE_DOCUMENT, why)

    def active_below(self, node: Node) -> Iterator[tuple[Node, State]]:
        return self.transaction.active.below(node)

    def records_below(self, path: PureSequencePath) -> Iterator[tuple[Node, SequenceRecord]]:
        return summaries.records_below(self.transaction, path)

    def summaries(self, path: PureSequencePath, serializer: Serializer) -> list[SequenceSummary]:
        return summaries.read(self.transaction, path, serializer, self.recorder_of)

    def look_at_recorder(self, mark: str) -> Recorder | None:
        store = self.transaction.store
        return None if store.is_archive else store.recorders.look(mark)

    # Shots

    def recorded_indices(self, node: Node, first: int = 0) -> Sequence[int]:
        shots, limit = self._view(node)
        return [] if shots is None else shots.indices(first, limit)

    def counting_rows(self, node: Node) -> RowNumbers | None:
        shots, limit = self._view(node)
        rows = None if shots is None else shots.counting_rows(limit)
        return None if rows is None else np.array(rows, np.int64)

    def count_shots(self, node: Node) -> int:
        return self.transaction.shots.number_of_shots(node)

    def has_shot(self, node: Node, index: int) -> bool:
        shots = self.transaction.shots.files.open_to_append(node)
        return bool(shots.rows_of(index, shots.number_of_rows()))

    def append_shot(self, node: Node, index: int, shot: ShotRecord, *, again: bool = False) -> None:
        del again  # the file tells it
        for name in (*shot.parameters, *shot.data):
            hdf5_name(name)  # refused here, where nothing has been written yet
        start, end = [(time - _EPOCH) // _MICROSECOND for time in (shot.start_time, shot.end_time)]
        shots = self.transaction.shots.files.open_to_append(node)
        with self.transaction.appending():
            shots.append(index, (start, end), shot.parameters, shot.data, self.compression)

    def find_shot(self, node: Node, index: int) -> StoredShot | None:
        shots, limit = self._view(node)
        if shots is None:
            return None
        rows = shots.rows_of(index, limit)
        self._seen[node.path] = shots, limit
        return _Shot(shots, rows[-1]) if rows else None

    def find_attempts(self, node: Node, index: int) -> Sequence[StoredShot]:
        shots, limit = self._view(node)
        return [] if shots is None else [_Shot(shots, row) for row in shots.rows_of(index, limit)]

    def known_data(
        self, path: PureSequencePath, index: int, labels: Collection[str]
    ) -> dict[str, Data] | None:
        def read() -> dict[str, Data] | None:
            if path not in self._seen:
                return None
            shots, limit = self._seen[path]
            return shots.known_data(index, limit, labels)

        return self.transaction.read_here(read)

    # Many shots

    def schemas(self, node: Node) -> tuple[int, ParameterSchema, DataSchema]:
        shots, count = self._view(node)
        if shots is None or not count:
            return 0, ParameterSchema(), DataSchema()
        return shots.number_of_shots(count), *shots.schemas(count)

    def read_columns(
        self,
        node: Node,
        rows: RowNumbers,
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
        places: Places,
    ) -> ShotColumns:
        return self._launched(node)[0].columns(rows, parameters, labels, places)

    def shots_at_once(self, node: Node, labels: Mapping[str, DataType]) -> int:
        shots, count = self._launched(node)
        return max(1, LARGEST_BATCH // shots.row_size(count, labels))

    def may_have_wide_integers(self, node: Node) -> bool:
        shots, count = self._launched(node)
        return shots.has_wide_integers(count)

    def structures(
        self, node: Node, rows: RowNumbers, labels: Mapping[str, DataType]
    ) -> dict[str, list[Structure]]:
        return self._launched(node)[0].structures(rows, list(labels))

    # What is added to shots later

    def append_additions(self, node: Node, additions: Additions) -> None:
        for name in additions.results:
            hdf5_name(name)  # refused here, where nothing has been written yet
        with self.transaction.appending():
            results = self.transaction.results.open_to_append(node)
            append(results, additions, self.compression)

    def additions(self, node: Node) -> Sequence[StoredAddition]:
        return StoredAdditions(*self.transaction.results.open(node))

    def addition_index(self, node: Node) -> AdditionIndex:
        results, count = self.transaction.results.open(node)
        return AdditionIndex.of([]) if results is None else read_index(results, count)

    def result_types(self, node: Node, numbers: Mapping[str, Numbers]) -> DataSchema:
        results, count = self._results(node)
        return read_types(results, count, numbers)

    def read_results(
        self, node: Node, numbers: Numbers, types: Mapping[str, DataType], places: Places
    ) -> Mapping[str, Column]:
        return self._results(node)[0].columns(numbers, {}, types, places).data

    # Settings

    def read_setting(self, setting: Setting) -> Mapping[str, Any] | None:
        return settings.read(self.transaction, setting)

    def write_setting(self, setting: Setting, content: Mapping[str, JSON] | None) -> None:
        settings.write(self.transaction, setting, content)

    def device_names(self) -> Collection[str]:
        return settings.device_names(self.transaction)

    # Helpers

    def _results(self, node: Node) -> tuple[ShotsFile, int]:
        results, count = self.transaction.results.open(node)
        assert results is not None
        return results, count

    def _count_retakes(self, node: Node, document: SequenceDocument) -> int:
        """How many more rows than shots a sequence has that ends with this document."""
        if not document.number_of_shots:
            return 0
        return self.transaction.shots.open(node)[1] - document.number_of_shots

    def _launched(self, node: Node) -> tuple[ShotsFile, int]:
        shots, count = self._view(node)
        assert shots is not None
        return shots, count

    def _view(self, node: Node) -> tuple[ShotsFile | None, int]:
        """The shots file of a sequence, if it was launched, and how many rows the session sees."""
        if self.transaction.document(node).state is State.DRAFT:
            return None, 0
        return self.transaction.shots.open(node)


class _Shot(StoredShot):
    def __init__(self, shots: ShotsFile, row: int) -> None:
        self._shots = shots
        self._row = row

    def times(self) -> tuple[datetime, datetime]:
        start, end = self._shots.times(self._row)
        return _EPOCH + timedelta(microseconds=start), _EPOCH + timedelta(microseconds=end)

    def parameters(self) -> dict[str, PlainParameter]:
        return self._shots.parameters(self._row)

    def labels(self) -> Collection[str]:
        return self._shots.labels(self._row)

    def data(self, labels: Collection[str]) -> dict[str, Data]:
        return self._shots.data(self._row, labels)


def _document(record: SequenceRecord) -> SequenceDocument:
    assert isinstance(record, SequenceDocument)  # it was made of that which the tree has
    return record
