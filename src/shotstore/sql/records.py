"""The records of a session on a SQL database."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    Text,
    cast,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from shotstore.model import (
    JSON,
    DataSchema,
    DataType,
    ParameterSchema,
    ParameterType,
    Serializer,
)
from shotstore.model.parameters import plain_parameter_from_json
from shotstore.paths import PureSequencePath
from shotstore.records.additions import Additions
from shotstore.records.columns import Places, ShotColumns
from shotstore.records.content import (
    LaunchRecord,
    SequenceRecord,
    Setting,
    ShotRecord,
    schema_of_parameters,
)
from shotstore.records.recorders import Recorder
from shotstore.records.stored_records import RowNumbers, StoredRecords
from shotstore.records.stored_shot import StoredShot
from shotstore.records.summaries import RangesWhenAsked, Remembered, SequenceSummary, summary_of
from shotstore.sql import settings
from shotstore.sql.additions import Addition, append_additions, read_additions
from shotstore.sql.columns import read_columns
from shotstore.sql.database import Database
from shotstore.sql.loading import loading
from shotstore.sql.sequence_rows import (
    COUNTED_SHOTS,
    NO_SHOTS,
    RECORD,
    RECORDS_BELOW,
    SCHEMAS,
    SUMMARIES_BELOW,
    record_of,
    row_of,
)
from shotstore.sql.shots import Shot
from shotstore.sql.tables import (
    AnyRow,
    arrays,
    device_configurations,
    paths,
    results,
    sequences,
    shots,
)
from shotstore.sql.transaction import Transaction
from shotstore.sql.tree import Node, Tree
from shotstore.sql.values import (
    decode_data_schema,
    decode_parameter_schema,
    encode_data,
    encode_data_schema,
    encode_parameter_schema,
    encode_parameters,
    schema_of_data,
)
from shotstore.state import State

RememberedRanges = Remembered[RangesWhenAsked]
"""What recipes, as the database has them, tell of their parameters."""


class SQLRecords(StoredRecords[Node]):
    """See `StoredRecords`."""

    transaction: Transaction
    tree: Tree

    def __init__(
        self, transaction: Transaction, database: Database, remembered: RememberedRanges
    ) -> None:
        self.transaction = transaction
        self.tree = Tree(transaction, database)
        self._database = database
        self._remembered = remembered

    # Paths

    def make_sequence(self, node: Node, record: SequenceRecord) -> None:
        row = {"path_id": node.id, **row_of(record), **NO_SHOTS}
        self._execute(insert(sequences).values(row))

    def move(self, node: Node, parent: Node, name: str) -> None:
        change = update(paths).where(paths.c.id == node.id)
        self._execute(change.values(parent_id=parent.id, name=name))

    def delete(self, node: Node) -> None:
        self._execute(delete(paths).where(paths.c.id == node.id))

    def set_creation_date(self, node: Node, date: datetime) -> None:
        self._execute(update(paths).where(paths.c.id == node.id).values(created=date))

    def set_folder_note(self, node: Node, note: str) -> None:
        self._execute(update(paths).where(paths.c.id == node.id).values(note=note or None))

    # Sequences

    def read_record(self, node: Node) -> SequenceRecord:
        node.row = self._row(node, *RECORD, *SCHEMAS)
        return record_of(node, node.row)

    def change_record(self, node: Node, record: SequenceRecord) -> None:
        self._change(node, row_of(record))

    def launch(self, node: Node, record: SequenceRecord, launch: LaunchRecord) -> None:
        devices = {
            name: {"type": tag, "content": content}
            for name, (tag, content) in launch.device_configurations.items()
        }
        row = {
            "global_parameters": launch.global_parameters,
            "device_configurations": devices,
        }
        self._change(node, row_of(record) | row)

    def read_launch(self, node: Node) -> LaunchRecord:
        row = self._row(node, sequences.c.global_parameters, sequences.c.device_configurations)
        with loading(f"The device configurations of sequence {node.path}"):
            devices = {
                name: (device["type"], device["content"])
                for name, device in row.device_configurations.items()
            }
        return LaunchRecord(row.global_parameters, devices)

    def reset(self, node: Node, record: SequenceRecord) -> None:
        self._execute(delete(results).where(results.c.sequence_id == node.id))
        self._execute(delete(shots).where(shots.c.sequence_id == node.id))
        nothing = {"global_parameters": None, "device_configurations": None, **NO_SHOTS}
        self._change(node, row_of(record) | nothing)

    # Many sequences

    def records_below(self, path: PureSequencePath) -> Iterator[tuple[Node, SequenceRecord]]:
        for node, row in self._rows_below(path, RECORDS_BELOW):
            yield node, record_of(node, row)

    def sequences_in_state(self, state: State) -> set[PureSequencePath]:
        return self.transaction.read(lambda: self.tree.in_state(state))

    def summaries(self, path: PureSequencePath, serializer: Serializer) -> list[SequenceSummary]:
        found = []
        for node, row in self._rows_below(path, SUMMARIES_BELOW):
            with loading(f"Sequence {node.path}"):
                content = row.iteration_text.encode()
                ranges = self._remembered.get(content, partial(_ranges, content, serializer))
            number = row.counted_shots
            record = record_of(node, row)
            recorder = self.transaction.read(partial(self.recorder_of, record))
            found.append(summary_of(node.path, record, number, ranges, recorder))
        return found

    def look_at_recorder(self, mark: str) -> Recorder | None:
        return self._database.look_at_recorder(self.transaction.connection, mark)

    def _rows_below(
        self, path: PureSequencePath, statement: Select[*tuple[Any, ...]]
    ) -> list[tuple[Node, AnyRow]]:
        return self.transaction.read(lambda: self.tree.rows_below(self.tree.get(path), statement))

    # Shots

    def recorded_indices(self, node: Node, first: int = 0) -> Sequence[int]:
        query = select(shots.c.shot_index).where(shots.c.sequence_id == node.id)
        query = query.order_by(shots.c.id).offset(first or None)
        return self.transaction.connection.scalars(query).all()

    def counting_rows(self, node: Node) -> RowNumbers | None:
        if not self._row(node, sequences.c.number_of_retakes).number_of_retakes:
            return None
        query = select(shots.c.attempt).where(shots.c.sequence_id == node.id)
        attempts = self.transaction.connection.scalars(query.order_by(shots.c.id)).all()
        return np.flatnonzero(np.array(attempts) == 0)

    def count_shots(self, node: Node) -> int:
        number: int = self._row(node, COUNTED_SHOTS).counted_shots
        return number

    def has_shot(self, node: Node, index: int) -> bool:
        return self.find_shot(node, index) is not None

    def append_shot(self, node: Node, index: int, shot: ShotRecord, *, again: bool = False) -> None:
        data = encode_data(shot.data)
        if again:
            self._number_attempt(node, index)
        statement = insert(shots).values(
            sequence_id=node.id,
            shot_index=index,
            attempt=0,
            start_time=shot.start_time,
            end_time=shot.end_time,
            parameters=encode_parameters(shot.parameters),
            data=data.document,
        )
        connection = self.transaction.connection
        shot_id = connection.scalars(statement.returning(shots.c.id)).one()
        for position, part, content in data.parts():
            values = {"shot_id": shot_id, "position": position, "part": part, "content": content}
            connection.execute(insert(arrays).values(values))
        if again:
            self._change(node, self._schemas_of_shots(node))
            return
        row = self._row(node, *SCHEMAS) if node.row is None else node.row
        if changed := _grown_schemas(row, shot.parameter_schema(), shot.data_schema()):
            self._change(node, changed)

    def _number_attempt(self, node: Node, index: int) -> None:
        """Let the row of a shot count no longer."""
        rows = _rows_of(node, index)
        query = select(func.count()).where(*rows)
        number = self.transaction.connection.scalar(query)
        self._execute(update(shots).where(*rows, shots.c.attempt == 0).values(attempt=number))
        self._change(node, {"number_of_retakes": sequences.c.number_of_retakes + 1})

    def _schemas_of_shots(self, node: Node) -> dict[str, JSON]:
        """The schemas of a sequence, read off the shots that count."""
        parameters, data = ParameterSchema(), DataSchema()
        query = select(shots.c.parameters, shots.c.data).where(
            shots.c.sequence_id == node.id, shots.c.attempt == 0
        )
        with loading(f"The shots of sequence {node.path}"):
            for row in self.transaction.connection.execute(query.order_by(shots.c.id)):
                found = {
                    name: plain_parameter_from_json(value) for name, value in row.parameters.items()
                }
                parameters = parameters.merged(schema_of_parameters(found))
                data = data.merged(schema_of_data(row.data))
        return _encoded(parameters, data)

    def find_shot(self, node: Node, index: int) -> StoredShot | None:
        found = self._find(node, index, shots.c.attempt == 0)
        return found[0] if found else None

    def find_attempts(self, node: Node, index: int) -> Sequence[StoredShot]:
        return self._find(node, index)

    def _find(
        self, node: Node, index: int, *conditions: ColumnElement[bool]
    ) -> Sequence[StoredShot]:
        columns = (
            shots.c.id,
            shots.c.start_time,
            shots.c.end_time,
            cast(shots.c.parameters, Text).label("parameters"),
            cast(shots.c.data, Text).label("data"),
        )
        query = select(*columns).where(*_rows_of(node, index), *conditions).order_by(shots.c.id)
        connection = self.transaction.connection
        what = f"shot {index} of sequence {node.path}"
        return [Shot(connection, row, what) for row in connection.execute(query)]

    # Many shots

    def schemas(self, node: Node) -> tuple[int, ParameterSchema, DataSchema]:
        row = self._row(node, COUNTED_SHOTS, *SCHEMAS)
        with loading(f"The schemas of sequence {node.path}"):
            return (
                row.counted_shots,
                decode_parameter_schema(row.parameter_schema),
                decode_data_schema(row.data_schema),
            )

    def may_have_wide_integers(self, node: Node) -> bool:
        # As JSON they are {"int": "0x..."}. Other data may look alike.
        columns = (shots.c.parameters, shots.c.data)
        alike = [cast(column, Text).like('%"int"%0x%') for column in columns]
        query = select(exists().where(shots.c.sequence_id == node.id, or_(*alike)))
        return bool(self.transaction.connection.scalar(query))

    def read_columns(
        self,
        node: Node,
        rows: RowNumbers,
        parameters: Mapping[str, ParameterType],
        labels: Mapping[str, DataType],
        places: Places,
    ) -> ShotColumns:
        connection = self.transaction.connection
        first, end = (int(rows.min()), int(rows.max()) + 1) if rows.size else (0, 0)
        query = select(shots.c.id).where(shots.c.sequence_id == node.id).order_by(shots.c.id)
        found = connection.scalars(query.offset(first).limit(end - first)).all()
        ids = np.array(found, np.int64)[rows - first]
        return read_columns(connection, ids.tolist(), parameters, labels, places)

    # What is added to shots later

    def append_additions(self, node: Node, additions: Additions) -> None:
        append_additions(self.transaction.connection, node.id, additions)

    def additions(self, node: Node) -> list[Addition]:
        what = f"The results of sequence {node.path}"
        return read_additions(self.transaction.connection, node.id, what)

    # Settings

    def read_setting(self, setting: Setting) -> Mapping[str, Any] | None:
        return settings.read(self.transaction.connection, setting)

    def write_setting(self, setting: Setting, content: Mapping[str, JSON] | None) -> None:
        settings.write(self.transaction.connection, setting, content)

    def device_names(self) -> Collection[str]:
        return self.transaction.connection.scalars(select(device_configurations.c.name)).all()

    # Helpers

    def _row(self, node: Node, *columns: Any) -> AnyRow:
        """Some columns of a sequence."""
        query = select(*columns).select_from(sequences).where(sequences.c.path_id == node.id)
        with loading(f"Sequence {node.path}"):
            return self.transaction.connection.execute(query).one()

    def _change(self, node: Node, row: Mapping[str, Any]) -> None:
        self._execute(update(sequences).where(sequences.c.path_id == node.id).values(row))

    def _execute(self, statement: Executable) -> None:
        self.transaction.connection.execute(statement)


def _ranges(content: bytes, serializer: Serializer) -> RangesWhenAsked:
    return RangesWhenAsked(lambda: serializer.load_iteration(json.loads(content)))


def _grown_schemas(row: AnyRow, parameters: ParameterSchema, data: DataSchema) -> dict[str, JSON]:
    """The schemas of a sequence that a shot with these changes, as they are with it."""
    merged = _encoded(
        decode_parameter_schema(row.parameter_schema).merged(parameters),
        decode_data_schema(row.data_schema).merged(data),
    )
    return {name: schema for name, schema in merged.items() if schema != getattr(row, name)}


def _encoded(parameters: ParameterSchema, data: DataSchema) -> dict[str, JSON]:
    return {
        "parameter_schema": encode_parameter_schema(parameters),
        "data_schema": encode_data_schema(data),
    }


def _rows_of(node: Node, index: int) -> tuple[ColumnElement[bool], ...]:
    return shots.c.sequence_id == node.id, shots.c.shot_index == index
