"""The contract with a backend, its third part: the records of sequences, shots and settings."""

import abc
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.errors import DamagedStorageError
from shotstore.model import (
    JSON,
    Data,
    DataSchema,
    DataType,
    ParameterSchema,
    ParameterType,
    Serializer,
)
from shotstore.model.structures import Structure, structure_of
from shotstore.paths import PureSequencePath
from shotstore.records import path_rules
from shotstore.records.additions import AdditionIndex, Additions, Numbers, StoredAddition
from shotstore.records.columns import (
    LARGEST_BATCH,
    Column,
    Places,
    ShotColumns,
    data_column,
    places_for,
    row_size,
)
from shotstore.records.content import LaunchRecord, SequenceRecord, Setting, ShotRecord
from shotstore.records.recorders import Recorder
from shotstore.records.stored_shot import StoredShot
from shotstore.records.stored_transaction import StoredTransaction
from shotstore.records.stored_tree import N, StoredTree
from shotstore.records.summaries import RangesWhenAsked, SequenceSummary, summary_of
from shotstore.state import State

RowNumbers: TypeAlias = npt.NDArray[np.int64]
"""Rows: places in the order of recording. A shot that was taken again has several."""


class StoredRecords(abc.ABC, Generic[N]):
    """The records of sequences, shots and settings, as a backend keeps them.

    Each method that is not documented otherwise is called inside ``transaction.read`` or
    ``.write``, as are those of the tree; one that changes something inside ``.write``, after all
    that could be refused has been checked.
    """

    transaction: StoredTransaction
    tree: StoredTree[N]

    # Paths

    @abc.abstractmethod
    def make_sequence(self, node: N, record: SequenceRecord) -> None:
        """Make a sequence of an empty folder, which keeps its creation date."""

    def create_sequence(self, path: PureSequencePath, record: SequenceRecord) -> None:
        """Create a sequence, and the folders above it that do not exist. An empty folder at the
        path becomes the sequence, which takes its note if it has none.

        Raises:
            PathIsSequenceError: the path or one above it is a sequence.
            PathHasChildrenError: the path is a folder that holds other paths.
            PathExistsError: a name differs from that of a sibling in upper and lower case only, or
                something else is in the way.
            InvalidPathFormatError: the storage cannot hold one of the names.
        """
        node = self.tree.find(path)
        if node is None:
            node = self.tree.create_folders(path)[-1]
        elif node.is_sequence:
            raise path_rules.sequence_exists_error(path)
        elif self.tree.children(node):
            raise path_rules.path_has_children_error(path)
        elif note := self.tree.folder_note(node):
            record = attrs.evolve(record, note=record.note or note)
        self.make_sequence(node, record)

    @abc.abstractmethod
    def move(self, node: N, parent: N, name: str) -> None:
        """Put a node, with everything below it, into a folder that has no such path."""

    @abc.abstractmethod
    def delete(self, node: N) -> None:
        """Delete a node with everything below it."""

    @abc.abstractmethod
    def set_creation_date(self, node: N, date: datetime) -> None:
        """Change when a path was created; of a sequence, its record says it too."""

    @abc.abstractmethod
    def set_folder_note(self, node: N, note: str) -> None:
        """Replace the note on a folder."""

    # Sequences

    @abc.abstractmethod
    def read_record(self, node: N) -> SequenceRecord:
        """Return the record of a sequence."""

    def known_record(self, path: PureSequencePath) -> SequenceRecord | None:
        """Return the record of a sequence, if there is a shorter way to it than by `read_record`,
        by what was read before; else, or by default, None. This is called outside of a job."""
        del path
        return None

    @abc.abstractmethod
    def change_record(self, node: N, record: SequenceRecord) -> None:
        """Give a sequence another record, which was made of its own."""

    @abc.abstractmethod
    def launch(self, node: N, record: SequenceRecord, launch: LaunchRecord) -> None:
        """Give a draft another record, and that of its launch."""

    @abc.abstractmethod
    def read_launch(self, node: N) -> LaunchRecord:
        """Return what a sequence, which is not a draft, was launched with."""

    @abc.abstractmethod
    def reset(self, node: N, record: SequenceRecord) -> None:
        """Give a sequence the record of a draft, and delete its launch, its shots, and what was
        added to these."""

    @abc.abstractmethod
    def look_at_recorder(self, mark: str) -> Recorder | None:
        """Return whether the recorder with a mark lives; None where that cannot be known."""

    def recorder_of(self, record: SequenceRecord) -> Recorder | None:
        """Return whether the program lives that records a sequence, as far as that is known."""
        if record.state is not State.RUNNING or record.recorder is None:
            return None
        return self.look_at_recorder(record.recorder)

    def damaged_error(self, node: N, why: str) -> DamagedStorageError:
        """Return the error for a record that is not what was stored."""
        return DamagedStorageError(
            f"The record of sequence {node.path} cannot be read: {why}. Restore it from a backup."
        )

    def active_below(self, node: N) -> Iterator[tuple[N, State]]:
        """Yield the sequences at and below a node that are preparing or running, with their
        states. One that cannot be read is left out: it can be thrown away, and restored from
        where that went."""
        for each in self.tree.sequences(node):
            state = self.tree.state(each)
            if state is not None and state.is_active():
                yield each, state

    # Many paths. These are called outside of a job, and begin those that they need. What cannot be
    # read is left out, unless it is the sequence at the path itself.

    def nodes_below(self, path: PureSequencePath) -> list[N]:
        """Return what is at and below a path, parents first.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        self.transaction.load_below(path, documents=False)
        return self.transaction.run(
            lambda: list(self.tree.walk(self.tree.get(path), skip_unreadable=True))
        )

    @abc.abstractmethod
    def records_below(self, path: PureSequencePath) -> Iterator[tuple[N, SequenceRecord]]:
        """Yield the sequences at and below a path.

        Raises:
            PathNotFoundError: nothing is at the path.
        """

    def sequences_in_state(self, state: State) -> set[PureSequencePath]:
        """Return all sequences that are in a state."""
        found = self.records_below(PureSequencePath.root())
        return {node.path for node, record in found if record.state is state}

    def summaries(self, path: PureSequencePath, serializer: Serializer) -> list[SequenceSummary]:
        """Return what is known of the sequences at and below a path, in any order.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        found = []
        for node, record in self.records_below(path):
            ranges = RangesWhenAsked.of(record.iteration, serializer)
            number = self.transaction.read(lambda node=node: self.count_shots(node))  # type: ignore[misc]
            recorder = self.transaction.read(partial(self.recorder_of, record))
            found.append(summary_of(node.path, record, number, ranges, recorder))
        return found

    # Shots

    @abc.abstractmethod
    def recorded_indices(self, node: N, first: int = 0) -> Sequence[int]:
        """Return the index of the shot in each row of a sequence from the ``first`` on, which need
        not be there yet. The last row of a shot counts."""

    def counting_rows(self, node: N) -> RowNumbers | None:
        """Return the rows of a sequence that count, the last one of each shot, in their order;
        None if all do."""
        indices = self.recorded_indices(node)
        last = {index: row for row, index in enumerate(indices)}
        return None if len(last) == len(indices) else np.array(sorted(last.values()), np.int64)

    def shot_indices(self, node: N) -> Sequence[int]:
        """Return the indices of the shots of a sequence, in the order of the rows that count."""
        indices, rows = self.recorded_indices(node), self.counting_rows(node)
        return indices if rows is None else [indices[row] for row in rows.tolist()]

    def count_shots(self, node: N) -> int:
        """Return how many shots a sequence has."""
        return len(self.shot_indices(node))

    def has_shot(self, node: N, index: int) -> bool:
        """Return whether a running sequence, to which a shot is to be appended, has one already."""
        return index in self.shot_indices(node)

    @abc.abstractmethod
    def append_shot(self, node: N, index: int, shot: ShotRecord, *, again: bool = False) -> None:
        """Record a shot of a running sequence in a further row.

        Args:
            node: The sequence.
            index: That of the shot.
            shot: The shot.
            again: Whether it has a shot of this index. The row of that stays, and counts no longer.

        Raises:
            ValueError: the storage cannot hold a name or a label. Nothing has changed.
        """

    @abc.abstractmethod
    def find_shot(self, node: N, index: int) -> StoredShot | None:
        """Return a shot of a sequence, from the row that counts, or None."""

    @abc.abstractmethod
    def find_attempts(self, node: N, index: int) -> Sequence[StoredShot]:
        """Return a shot of a sequence from each of its rows, the one that counts last."""

    def known_data(
        self, path: PureSequencePath, index: int, labels: Collection[str]
    ) -> dict[str, Data] | None:
        """Return the data of a shot under some labels, if there is a shorter way to it than by
        `find_shot`, by what this session has read before; else, or by default, None."""
        del path, index, labels
        return None

    # Many shots

    @abc.abstractmethod
    def schemas(self, node: N) -> tuple[int, ParameterSchema, DataSchema]:
        """Return how many shots a sequence has, and what their parameters and data are."""

    @abc.abstractmethod
    def read_columns(
        self,
        node: N,
        rows: RowNumbers,
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
        places: Places,
    ) -> ShotColumns:
        """Return some parameters and labels of some shots.

        Args:
            node: The sequence, which has shots.
            rows: Which rows, all of which it has.
            parameters: What to read, as the schema of all shots has it.
            labels: What to read, as the schema of all shots has it.
            places: What becomes the values of those labels whose data are arrays of one shape.

        Raises:
            IncompatibleUnitsError: a unit cannot be converted to that of the schema.
        """

    def shots_at_once(self, node: N, labels: Mapping[str, DataType]) -> int:
        """Return how many shots are read with these labels, at the most, before others are let
        in."""
        del node
        return max(1, LARGEST_BATCH // row_size(labels.values()))

    def may_have_wide_integers(self, node: N) -> bool:
        """Return whether an integer beyond 64 bits can be among the numbers of the shots."""
        del node
        return True

    def structures(
        self, node: N, rows: RowNumbers, labels: Mapping[str, DataType]
    ) -> dict[str, list[Structure]]:
        """Return the structures that the data of some shots under some labels has, each once, in
        the order of the shots."""
        found = {}
        columns = self.read_columns(node, rows, {}, labels, places_for(labels, len(rows)))
        for label, column in columns.data.items():
            values = column.values[column.is_present]
            is_array = labels[label].kind == "array"
            items = map(np.asarray, values) if is_array else values.tolist()
            found[label] = list(dict.fromkeys(map(structure_of, items)))
        return found

    # What is added to shots later

    def shot_rows(self, node: N) -> Mapping[int, int]:
        """Return the row that counts of each shot of a sequence, by its index."""
        indices, rows = self.recorded_indices(node), self.counting_rows(node)
        counting = range(len(indices)) if rows is None else rows.tolist()
        return {indices[row]: row for row in counting}

    @abc.abstractmethod
    def append_additions(self, node: N, additions: Additions) -> None:
        """Store something of shots that a sequence has.

        Raises:
            ValueError: the storage cannot hold a name. Nothing has changed.
        """

    @abc.abstractmethod
    def additions(self, node: N) -> Sequence[StoredAddition]:
        """Return all that was added to the shots of a sequence, in the order of storing."""

    def addition_index(self, node: N) -> AdditionIndex:
        """Return what all that was added to the shots of a sequence is about."""
        return AdditionIndex.of(self.additions(node))

    def result_types(self, node: N, numbers: Mapping[str, Numbers]) -> DataSchema:
        """Return what results are, by name.

        Args:
            node: The sequence.
            numbers: Additions that store each of them.
        """
        additions, schema = self.additions(node), DataSchema()
        for name, each in numbers.items():
            for number in each.tolist():
                schema = schema.merged({name: additions[number].types[name]})
        return schema

    def read_results(
        self, node: N, numbers: Numbers, types: Mapping[str, DataType], places: Places
    ) -> Mapping[str, Column]:
        """Return some results of some additions.

        Args:
            node: The sequence.
            numbers: Additions, each of which stores all of these results.
            types: What to read, as `result_types` has it.
            places: What becomes the values of those that are arrays of one shape.
        """
        additions = self.additions(node)
        found = [additions[number].results(types) for number in numbers.tolist()]
        return {
            name: data_column(name, kind, [each[name] for each in found], places.get(name))
            for name, kind in types.items()
        }

    # Settings

    @abc.abstractmethod
    def read_setting(self, setting: Setting) -> Mapping[str, Any] | None:
        """Return a setting, or None if there is none."""

    @abc.abstractmethod
    def write_setting(self, setting: Setting, content: Mapping[str, JSON] | None) -> None:
        """Replace a setting, or remove it if the content is None.

        Raises:
            ValueError: the storage cannot hold a name or a content of this length.
        """

    @abc.abstractmethod
    def device_names(self) -> Collection[str]:
        """Return the names of the devices that there is a configuration of."""


AnyRecords: TypeAlias = StoredRecords[Any]
"""Those of any backend."""
