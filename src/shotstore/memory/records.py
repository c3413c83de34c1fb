"""The records of a session in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import evolve

from shotstore.memory import content
from shotstore.memory.content import Addition, copied
from shotstore.memory.transaction import InMemoryTransaction
from shotstore.memory.tree import InMemoryTree, Place
from shotstore.model import JSON, Data, DataSchema, DataType, ParameterSchema, ParameterType
from shotstore.model.parameters import PlainParameter
from shotstore.paths import PureSequencePath
from shotstore.records.additions import Additions
from shotstore.records.columns import Places, ShotColumns, columns_of
from shotstore.records.content import LaunchRecord, SequenceRecord, Setting, ShotRecord
from shotstore.records.recorders import Recorder
from shotstore.records.stored_records import RowNumbers, StoredRecords
from shotstore.records.stored_shot import StoredShot


class InMemoryRecords(StoredRecords[Place]):
    """See `StoredRecords`."""

    transaction: InMemoryTransaction

    def __init__(self, transaction: InMemoryTransaction) -> None:
        self.transaction = transaction
        self.tree = InMemoryTree(transaction)

    # Paths

    def make_sequence(self, node: Place, record: SequenceRecord) -> None:
        created = self.tree.creation_date(node)
        self.transaction.content.paths[node.path] = content.Sequence(
            evolve(record, created=created)
        )

    def move(self, node: Place, parent: Place, name: str) -> None:
        paths = self.transaction.content.paths
        for old in list(self.tree.walk(node)):
            names = (*parent.path.parts, name, *old.path.parts[len(node.path.parts) :])
            paths[PureSequencePath.from_parts(names)] = paths.pop(old.path)

    def delete(self, node: Place) -> None:
        for gone in list(self.tree.walk(node)):
            del self.transaction.content.paths[gone.path]

    def set_creation_date(self, node: Place, date: datetime) -> None:
        if node.is_sequence:
            self.change_record(node, evolve(node.sequence.record, created=date))
        else:
            self.transaction.content.paths[node.path] = evolve(node.folder, created=date)

    def set_folder_note(self, node: Place, note: str) -> None:
        self.transaction.content.paths[node.path] = evolve(node.folder, note=note)

    # Sequences

    def read_record(self, node: Place) -> SequenceRecord:
        return node.sequence.record

    def change_record(self, node: Place, record: SequenceRecord) -> None:
        self._change(node, record=record)

    def launch(self, node: Place, record: SequenceRecord, launch: LaunchRecord) -> None:
        self._change(node, record=record, launch=launch)

    def read_launch(self, node: Place) -> LaunchRecord:
        launch = node.sequence.launch
        assert launch is not None
        return launch

    def reset(self, node: Place, record: SequenceRecord) -> None:
        self._change(node, record=record, launch=None, shots=(), additions=())

    def records_below(self, path: PureSequencePath) -> Iterator[tuple[Place, SequenceRecord]]:
        for node in self.nodes_below(path):
            if node.is_sequence:
                yield node, node.sequence.record

    def look_at_recorder(self, mark: str) -> Recorder | None:
        return "alive" if mark in self.transaction.memory.recorders else "gone"

    # Shots

    def recorded_indices(self, node: Place, first: int = 0) -> Sequence[int]:
        return [index for index, _ in node.sequence.shots[first:]]

    def append_shot(
        self, node: Place, index: int, shot: ShotRecord, *, again: bool = False
    ) -> None:
        del again  # the last one counts
        kept = evolve(shot, data=copied(dict(shot.data)))
        self._change(node, shots=(*node.sequence.shots, (index, kept)))

    def find_shot(self, node: Place, index: int) -> StoredShot | None:
        return next(reversed(self.find_attempts(node, index)), None)

    def find_attempts(self, node: Place, index: int) -> Sequence[StoredShot]:
        return [InMemoryShot(shot) for each, shot in node.sequence.shots if each == index]

    def schemas(self, node: Place) -> tuple[int, ParameterSchema, DataSchema]:
        parameters, data = ParameterSchema(), DataSchema()
        rows = self.counting_rows(node)
        shots = [shot for _, shot in node.sequence.shots]
        counting = shots if rows is None else [shots[row] for row in rows.tolist()]
        for shot in counting:
            parameters = parameters.merged(shot.parameter_schema())
            data = data.merged(shot.data_schema())
        return len(counting), parameters, data

    def read_columns(
        self,
        node: Place,
        rows: RowNumbers,
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
        places: Places,
    ) -> ShotColumns:
        found = [node.sequence.shots[row] for row in rows.tolist()]
        own = [evolve(shot, data=copied(_some(shot.data, labels))) for _, shot in found]
        return columns_of([index for index, _ in found], own, parameters, labels, places)

    # What is added to shots later

    def append_additions(self, node: Place, additions: Additions) -> None:
        found = [Addition(additions, place) for place in range(len(additions.rows))]
        self._change(node, additions=(*node.sequence.additions, *found))

    def additions(self, node: Place) -> tuple[Addition, ...]:
        return node.sequence.additions

    # Settings

    def read_setting(self, setting: Setting) -> Mapping[str, Any] | None:
        return self.transaction.content.settings.get(setting)

    def write_setting(self, setting: Setting, content: Mapping[str, JSON] | None) -> None:
        settings = self.transaction.content.settings
        if content is None:
            del settings[setting]
        else:
            settings[setting] = content

    def device_names(self) -> Collection[str]:
        settings = self.transaction.content.settings
        return [setting.name for setting in settings if setting.kind == "device configuration"]

    def _change(self, node: Place, **changes: Any) -> None:
        self.transaction.content.paths[node.path] = evolve(node.sequence, **changes)


class InMemoryShot(StoredShot):
    """See `StoredShot`."""

    def __init__(self, shot: ShotRecord) -> None:
        self._shot = shot

    def times(self) -> tuple[datetime, datetime]:
        return self._shot.start_time, self._shot.end_time

    def parameters(self) -> dict[str, PlainParameter]:
        return dict(self._shot.parameters)

    def labels(self) -> Collection[str]:
        return self._shot.data

    def data(self, labels: Collection[str]) -> dict[str, Data]:
        data: dict[str, Data] = copied(_some(self._shot.data, labels))
        return data


def _some(data: Mapping[str, Data], labels: Collection[str]) -> dict[str, Data]:
    return {label: data[label] for label in labels if label in data}
