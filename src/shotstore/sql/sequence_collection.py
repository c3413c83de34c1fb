"""The sequences of a session on a SQL database."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sqlalchemy import (
    Column,
    Connection,
    Select,
    Text,
    cast,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from shotstore.model import (
    JSON,
    Data,
    DataSchema,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
    check_data,
    check_parameters,
    parameter_from_json,
)
from shotstore.model.iteration import with_stored_number
from shotstore.model.json_form import strict_json
from shotstore.paths import PureSequencePath
from shotstore.records import configurations, data_rules, path_rules, shot_rules, state_rules, times
from shotstore.records.columns import ShotColumns, ShotRows
from shotstore.records.stored_sequences import StoredSequences
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import DataId, SequenceStats, ShotId
from shotstore.sql.columns import read_arrays, read_columns
from shotstore.sql.loading import loading
from shotstore.sql.summaries import (
    counted_shots,
    find_text,
    number_of_shots,
    read_summaries,
    summary,
)
from shotstore.sql.tables import AnyRow, arrays, sequences, shots
from shotstore.sql.tree import Tree
from shotstore.sql.values import (
    array_positions,
    decode_data,
    decode_data_schema,
    decode_parameter_schema,
    encode_data,
    encode_data_schema,
    encode_parameter_schema,
    encode_parameters,
)
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    from shotstore.sql.session import SQLExperimentSession


class SQLSequenceCollection(StoredSequences):
    def __init__(self, session: "SQLExperimentSession") -> None:
        self._session = session

    # The tree

    def is_sequence(self, path: PureSequencePath) -> bool:
        return self._session.read_tree(lambda tree: tree.get(path).is_sequence)

    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]:
        return self._session.read_tree(
            lambda tree: {node.path for node in tree.below(tree.get(path)) if node.is_sequence}
        )

    def get_sequences_in_state(self, state: State) -> set[PureSequencePath]:
        return self._session.read_tree(lambda tree: tree.in_state(state))

    def get_sequences_with_text(self, path: PureSequencePath, text: str) -> set[PureSequencePath]:
        return self._session.read_tree(lambda tree: find_text(tree, path, text))

    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]:
        session = self._session
        found = [
            summary(node, row, session.serializer, session.remembered_ranges)
            for node, row in session.read_tree(lambda tree: read_summaries(tree, path))
        ]
        return sorted(found, key=lambda summary: summary.path)

    def create(
        self,
        path: PureSequencePath,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
    ) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("made a sequence")
        serializer = self._session.serializer
        values = {
            "state": State.DRAFT.value,
            "iteration": strict_json(serializer.dump_iteration(iteration_configuration)),
            "time_lanes": strict_json(serializer.dump_time_lanes(time_lanes)),
            "expected_number_of_shots": shot_rules.expected_number_of_shots(
                iteration_configuration
            ),
            "tags": [],
            "note": "",
            **_NO_SHOTS,
        }

        def create(tree: Tree) -> None:
            node = tree.find(path)
            if node is None:
                node = tree.create_folders(path)[-1]
            elif node.is_sequence:
                raise path_rules.sequence_exists_error(path)
            elif tree.children(node):
                raise path_rules.path_has_children_error(path)
            tree.connection.execute(insert(sequences).values(path_id=node.id, **values))

        self._session.write_tree(create)

    # The recipe

    def get_iteration_configuration(self, path: PureSequencePath) -> IterationConfiguration:
        row = self._get(path, sequences.c.iteration, sequences.c.expected_number_of_shots)
        serializer = self._session.serializer
        iteration = configurations.load_iteration(serializer, row.iteration, path)
        return with_stored_number(iteration, row.expected_number_of_shots)

    def set_iteration_configuration(
        self, path: PureSequencePath, iteration_configuration: IterationConfiguration
    ) -> None:
        self._edit(
            path,
            iteration=strict_json(self._session.serializer.dump_iteration(iteration_configuration)),
            expected_number_of_shots=shot_rules.expected_number_of_shots(iteration_configuration),
        )

    def get_time_lanes(self, path: PureSequencePath) -> TimeLanes:
        row = self._get(path, sequences.c.time_lanes)
        return configurations.load_time_lanes(self._session.serializer, row.time_lanes, path)

    def set_time_lanes(self, path: PureSequencePath, time_lanes: TimeLanes) -> None:
        self._edit(
            path, time_lanes=strict_json(self._session.serializer.dump_time_lanes(time_lanes))
        )

    # The state

    def get_state(self, path: PureSequencePath) -> State:
        return self._session.read_tree(lambda tree: tree.get_sequence(path)[1])

    def get_stats(self, path: PureSequencePath) -> SequenceStats:
        row = self._get(
            path,
            sequences.c.state,
            sequences.c.start_time,
            sequences.c.stop_time,
            sequences.c.expected_number_of_shots,
            number_of_shots(),
        )
        return SequenceStats(
            state=State(row.state),
            start_time=row.start_time,
            stop_time=row.stop_time,
            number_completed_shots=row.number_of_shots,
            expected_number_shots=row.expected_number_of_shots,
        )

    def set_preparing(
        self,
        path: PureSequencePath,
        device_configurations: Mapping[str, DeviceConfiguration],
        global_parameters: ParameterNamespace,
    ) -> None:
        serializer = self._session.serializer
        devices: dict[str, JSON] = {}
        for name, configuration in device_configurations.items():
            plain = configurations.check_device_name(name)
            tag, content = configurations.dump_device(serializer, configuration)
            devices[plain] = {"type": tag, "content": content}
        self._transit(
            path,
            State.PREPARING,
            device_configurations=devices,
            global_parameters=strict_json(serializer.dump_global_parameters(global_parameters)),
        )

    def set_running(self, path: PureSequencePath, start_time: datetime) -> None:
        self._transit(path, State.RUNNING, start_time=start_time)

    def set_finished(self, path: PureSequencePath, stop_time: datetime | Literal["now"]) -> None:
        self._end(path, State.FINISHED, stop_time)

    def set_interrupted(self, path: PureSequencePath, stop_time: datetime | Literal["now"]) -> None:
        self._end(path, State.INTERRUPTED, stop_time)

    def set_crashed(
        self,
        path: PureSequencePath,
        tb_summary: TracebackSummary,
        stop_time: datetime | Literal["now"],
    ) -> None:
        self._end(path, State.CRASHED, stop_time, exception=strict_json(tb_summary.to_json()))

    def reset_to_draft(self, path: PureSequencePath) -> None:
        def reset(tree: Tree) -> None:
            row_id, state = tree.get_sequence(path)
            state_rules.check_transition(path, state, State.DRAFT)
            tree.connection.execute(delete(shots).where(shots.c.sequence_id == row_id))
            _change(
                tree.connection,
                row_id,
                state=State.DRAFT.value,
                start_time=None,
                stop_time=None,
                number_of_shots=None,
                exception=None,
                global_parameters=None,
                device_configurations=None,
                **_NO_SHOTS,
            )

        self._session.write_tree(reset)

    def get_exception(self, path: PureSequencePath) -> TracebackSummary:
        row = self._get(path, sequences.c.state, sequences.c.exception)
        state = State(row.state)
        if state is not State.CRASHED:
            raise state_rules.not_crashed_error(path, state)
        with loading(f"The exception of sequence {path}"):
            return TracebackSummary.from_json(row.exception)

    def get_global_parameters(self, path: PureSequencePath) -> ParameterNamespace:
        row = self._get_launched(path, sequences.c.global_parameters)
        content = row.global_parameters
        return configurations.load_global_parameters(self._session.serializer, content, path)

    def get_device_configurations(
        self, path: PureSequencePath
    ) -> Mapping[str, DeviceConfiguration]:
        row = self._get_launched(path, sequences.c.device_configurations)
        with loading(f"The device configurations of sequence {path}"):
            devices = {
                name: (device["type"], device["content"])
                for name, device in row.device_configurations.items()
            }
        serializer = self._session.serializer
        return {
            name: configurations.load_device(serializer, name, tag, content, path)
            for name, (tag, content) in devices.items()
        }

    # Tags and notes

    def get_tags(self, path: PureSequencePath) -> set[str]:
        row = self._get(path, sequences.c.tags)
        with loading(f"The tags of sequence {path}"):
            return set(row.tags)

    def set_tags(self, path: PureSequencePath, tags: Collection[str]) -> None:
        self._write(path, tags=sorted(tags))

    def get_note(self, path: PureSequencePath) -> str:
        note: str = self._get(path, sequences.c.note).note
        return note

    def set_note(self, path: PureSequencePath, note: str) -> None:
        self._write(path, note=note)

    # The shots

    def create_shot(
        self,
        shot_id: ShotId,
        shot_parameters: Mapping[str, Parameter],
        shot_data: Mapping[str, Data],
        shot_start_time: datetime,
        shot_end_time: datetime,
    ) -> None:
        path = shot_id.sequence_path
        parameters = check_parameters(shot_parameters)
        plain = check_data(shot_data)
        data = encode_data(plain)
        values = {
            "start_time": shot_start_time,
            "end_time": shot_end_time,
            "parameters": encode_parameters(parameters),
            "data": data.document,
        }
        schemas = ParameterSchema.of(parameters), DataSchema.of(plain)

        def create(tree: Tree) -> None:
            connection = tree.connection
            row_id, state = tree.get_sequence(path)
            if state is not State.RUNNING:
                raise state_rules.not_running_error(path, state)
            sequence = _one(
                connection,
                row_id,
                sequences.c.expected_number_of_shots,
                sequences.c.parameter_schema,
                sequences.c.data_schema,
            )
            expected = sequence.expected_number_of_shots
            index = shot_rules.check_shot_index(path, shot_id.index, expected)
            if connection.scalars(_shot(row_id, index, shots.c.id)).one_or_none() is not None:
                raise shot_rules.shot_exists_error(
                    path, index, _indices(connection, row_id), expected
                )
            changed = _grown_schemas(sequence, *schemas)
            if changed:
                _change(connection, row_id, **changed)
            statement = insert(shots).values(sequence_id=row_id, shot_index=index, **values)
            shot = connection.scalars(statement.returning(shots.c.id)).one()
            for position, part, content in data.parts():
                connection.execute(
                    insert(arrays).values(
                        shot_id=shot, position=position, part=part, content=content
                    )
                )

        self._session.write_tree(create)

    def get_shots(self, path: PureSequencePath) -> list[ShotId]:
        def indices(tree: Tree) -> list[ShotId]:
            row_id, _ = tree.get_sequence(path)
            statement = select(shots.c.shot_index).where(shots.c.sequence_id == row_id)
            found = tree.connection.scalars(statement.order_by(shots.c.id))
            return [ShotId(path, index) for index in found]

        return self._session.read_tree(indices)

    def get_shot_parameters(self, path: PureSequencePath, shot_index: int) -> dict[str, Parameter]:
        row = self._get_shot(path, shot_index, shots.c.parameters)
        with loading(f"The parameters of shot {shot_index} of sequence {path}"):
            return {name: parameter_from_json(value) for name, value in row.parameters.items()}

    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]:
        return self._get_data(path, shot_index, None)

    def get_shot_data_by_label(self, data: DataId) -> Data:
        shot, label = data.shot_id, data.data_label
        return self.get_shot_data_by_labels(shot.sequence_path, shot.index, [label])[label]

    def get_shot_data_by_labels(
        self, path: PureSequencePath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]:
        return self._get_data(path, shot_index, data_rules.check_labels(labels))

    def get_shot_start_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        time: datetime = self._get_shot(path, shot_index, shots.c.start_time).start_time
        return time

    def get_shot_end_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        time: datetime = self._get_shot(path, shot_index, shots.c.end_time).end_time
        return time

    def get_parameter_schema(self, path: PureSequencePath) -> ParameterSchema:
        has_shots = select(shots.c.id).where(shots.c.sequence_id == sequences.c.path_id).exists()
        row = self._get(
            path, sequences.c.state, sequences.c.parameter_schema, has_shots.label("has_shots")
        )
        if row.has_shots:
            with loading(f"The parameters of sequence {path}"):
                return decode_parameter_schema(row.parameter_schema)
        if State(row.state) is State.DRAFT:
            parameters = self._session.get_global_parameters()
        else:
            parameters = self.get_global_parameters(path)
        return self.get_iteration_configuration(path).get_parameter_schema(parameters.evaluate())

    # Many shots at once

    def get_data_schema(self, path: PureSequencePath) -> DataSchema:
        row = self._get(path, sequences.c.data_schema)
        with loading(f"The data schema of sequence {path}"):
            return decode_data_schema(row.data_schema)

    def has_wide_integers(self, path: PureSequencePath) -> bool:
        def look(tree: Tree) -> bool:
            row_id, _ = tree.get_sequence(path)
            # As JSON they are {"int": "0x..."}. Other data may look alike, so it is looked at then.
            columns = (shots.c.parameters, shots.c.data)
            alike = [cast(column, Text).like('%"int"%0x%') for column in columns]
            query = select(exists().where(shots.c.sequence_id == row_id, or_(*alike)))
            return bool(tree.connection.scalar(query))

        return self._session.read_tree(look) and super().has_wide_integers(path)

    def get_columns(
        self,
        path: PureSequencePath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        def get(tree: Tree) -> ShotColumns:
            connection = tree.connection
            row_id, _ = tree.get_sequence(path)
            sequence = _one(
                connection, row_id, sequences.c.parameter_schema, sequences.c.data_schema
            )
            with loading(f"The schemas of sequence {path}"):
                parameter_schema = decode_parameter_schema(sequence.parameter_schema)
                data_schema = decode_data_schema(sequence.data_schema)
            statement = select(shots.c.id).where(shots.c.sequence_id == row_id)
            ids = np.array(connection.scalars(statement.order_by(shots.c.id)).all(), np.int64)
            wanted = data_rules.check_rows(path, rows, len(ids))
            kinds = data_rules.check_parameter_names(path, parameters, parameter_schema)
            types = data_rules.check_data_labels(path, labels, data_schema)
            return read_columns(connection, ids[wanted].tolist(), kinds, types)

        return self._session.read_tree(get)

    # Helpers

    def _get(self, path: PureSequencePath, *columns: Any) -> AnyRow:
        """The columns of a sequence."""
        return self._session.read_tree(
            lambda tree: _one(tree.connection, tree.get_sequence(path)[0], *columns)
        )

    def _get_launched(self, path: PureSequencePath, column: Column[Any]) -> AnyRow:
        row = self._get(path, sequences.c.state, column)
        if State(row.state) is State.DRAFT:
            raise state_rules.not_launched_error(path)
        return row

    def _write(self, path: PureSequencePath, **values: Any) -> None:
        self._session.write_tree(
            lambda tree: _change(tree.connection, tree.get_sequence(path)[0], **values)
        )

    def _edit(self, path: PureSequencePath, **values: Any) -> None:
        def edit(tree: Tree) -> None:
            row_id, state = tree.get_sequence(path)
            if not state.is_editable():
                raise state_rules.not_editable_error(path, state)
            _change(tree.connection, row_id, **values)

        self._session.write_tree(edit)

    def _transit(self, path: PureSequencePath, state: State, **values: Any) -> None:
        def transit(tree: Tree) -> None:
            row_id, old = tree.get_sequence(path)
            state_rules.check_transition(path, old, state)
            _change(tree.connection, row_id, state=state.value, **values)

        self._session.write_tree(transit)

    def _end(
        self,
        path: PureSequencePath,
        state: State,
        stop_time: datetime | Literal["now"],
        **values: Any,
    ) -> None:
        stop = times.stop_time(path, stop_time)

        def end(tree: Tree) -> None:
            row_id, old = tree.get_sequence(path)
            state_rules.check_transition(path, old, state)
            start = _one(tree.connection, row_id, sequences.c.start_time).start_time
            _change(
                tree.connection,
                row_id,
                state=state.value,
                stop_time=stop(start),
                number_of_shots=counted_shots(),
                **values,
            )

        self._session.write_tree(end)

    def _get_shot(self, path: PureSequencePath, index: int, *columns: Any) -> AnyRow:
        """The columns of a shot."""
        return self._session.read_tree(lambda tree: _find_shot(tree, path, index, *columns))

    def _get_data(
        self, path: PureSequencePath, index: int, labels: Collection[str] | None
    ) -> dict[str, Data]:
        """The data under these labels, or all."""

        def get(tree: Tree) -> dict[str, Data]:
            shot = _find_shot(tree, path, index, shots.c.id, shots.c.data)
            wanted = list(shot.data) if labels is None else labels
            missing = [label for label in wanted if label not in shot.data]
            if missing:
                raise data_rules.data_not_found_error(path, index, missing, shot.data)
            with loading(f"The data of shot {index} of sequence {path}"):
                positions = array_positions(shot.data, wanted)
                contents = read_arrays(tree.connection, [shot.id], positions)
                found = {label: contents[shot.id, at] for at, label in positions.items()}
                return decode_data(shot.data, wanted, found)

        return self._session.read_tree(get)


_NO_SHOTS: dict[str, JSON] = {"parameter_schema": [], "data_schema": []}


def _grown_schemas(
    sequence: AnyRow, parameters: ParameterSchema, data: DataSchema
) -> dict[str, JSON]:
    """The schemas of the sequence that a shot with these changes, as they are with it."""
    merged = {
        "parameter_schema": encode_parameter_schema(
            decode_parameter_schema(sequence.parameter_schema).merged(parameters)
        ),
        "data_schema": encode_data_schema(decode_data_schema(sequence.data_schema).merged(data)),
    }
    return {name: schema for name, schema in merged.items() if schema != getattr(sequence, name)}


def _one(connection: Connection, row_id: int, *columns: Any) -> AnyRow:
    return connection.execute(
        select(*columns).select_from(sequences).where(sequences.c.path_id == row_id)
    ).one()


def _change(connection: Connection, row_id: int, **values: Any) -> None:
    connection.execute(update(sequences).where(sequences.c.path_id == row_id).values(values))


def _indices(connection: Connection, row_id: int) -> set[int]:
    query = select(shots.c.shot_index).where(shots.c.sequence_id == row_id)
    return set(connection.scalars(query))


def _shot(row_id: int, index: int, *columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(shots.c.sequence_id == row_id, shots.c.shot_index == index)


def _find_shot(tree: Tree, path: PureSequencePath, index: int, *columns: Any) -> AnyRow:
    row_id, _ = tree.get_sequence(path)
    try:
        number = shot_rules.check_shot_index(path, index, None)
    except (TypeError, ValueError):
        raise shot_rules.shot_not_found_error(path, index) from None
    row = tree.connection.execute(_shot(row_id, number, *columns)).one_or_none()
    if row is None:
        raise shot_rules.shot_not_found_error(path, index)
    return row
