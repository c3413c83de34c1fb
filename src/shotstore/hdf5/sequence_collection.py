"""The sequences of a session on a store of files."""

import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from attrs import evolve

from shotstore.hdf5 import many_shots, summaries
from shotstore.hdf5.device_configurations import check_device_name
from shotstore.hdf5.documents import SequenceDocument, load_object
from shotstore.hdf5.names import SEQUENCE_DOCUMENT, hdf5_name
from shotstore.hdf5.shots.launch import Launch
from shotstore.hdf5.shots.shots_file import ShotsFile
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
)
from shotstore.model.iteration import with_stored_number
from shotstore.model.json_form import strict_json
from shotstore.model.parameters import check_numbers
from shotstore.model.quantities import quantity
from shotstore.model.structures import Structure
from shotstore.paths import PureSequencePath
from shotstore.records import configurations, data_rules, path_rules, shot_rules, state_rules, times
from shotstore.records.columns import ShotColumns, ShotRows
from shotstore.records.stored_sequences import StoredSequences
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import DataId, SequenceStats, ShotId
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    from shotstore.hdf5.session import HDF5ExperimentSession

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class HDF5SequenceCollection(StoredSequences):
    def __init__(self, session: "HDF5ExperimentSession") -> None:
        self._session = session

    # The tree

    def is_sequence(self, path: PureSequencePath) -> bool:
        transaction = self._session.transaction
        return transaction.read(lambda: transaction.tree.get(path).is_sequence)

    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]:
        transaction = self._session.transaction
        transaction.load_below(path, documents=False)

        def contained() -> set[PureSequencePath]:
            node = transaction.tree.get(path)
            sequences = transaction.tree.sequences(node, skip_unreadable=True)
            return {found.path for found in sequences}

        return transaction.run(contained)

    def get_sequences_in_state(self, state: State) -> set[PureSequencePath]:
        transaction = self._session.transaction
        transaction.load_below(PureSequencePath.root(), documents=True)

        def in_state() -> set[PureSequencePath]:
            tree = transaction.tree
            sequences = tree.sequences(tree.root, skip_unreadable=True)
            return {node.path for node in sequences if tree.state(node) is state}

        return transaction.run(in_state)

    def get_sequences_with_text(self, path: PureSequencePath, text: str) -> set[PureSequencePath]:
        return summaries.find_text(self._session.transaction, path, text)

    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]:
        return summaries.read(self._session.transaction, path, self._session.serializer)

    def create(
        self,
        path: PureSequencePath,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
    ) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("made a sequence")
        document = SequenceDocument(
            id=uuid.uuid4().hex,
            created=datetime.now(UTC),
            state=State.DRAFT,
            iteration=strict_json(self._session.serializer.dump_iteration(iteration_configuration)),
            time_lanes=strict_json(self._session.serializer.dump_time_lanes(time_lanes)),
            expected_number_of_shots=shot_rules.expected_number_of_shots(iteration_configuration),
        )
        transaction = self._session.transaction
        transaction.write(lambda: transaction.tree.create_sequence(path, document))

    # The recipe

    def get_iteration_configuration(self, path: PureSequencePath) -> IterationConfiguration:
        document, serializer = self._document(path), self._session.serializer
        iteration = configurations.load_iteration(serializer, document.iteration, path)
        return with_stored_number(iteration, document.expected_number_of_shots)

    def set_iteration_configuration(
        self, path: PureSequencePath, iteration_configuration: IterationConfiguration
    ) -> None:
        content = strict_json(self._session.serializer.dump_iteration(iteration_configuration))
        expected = shot_rules.expected_number_of_shots(iteration_configuration)
        self._edit(
            path,
            lambda document: evolve(document, iteration=content, expected_number_of_shots=expected),
        )

    def get_time_lanes(self, path: PureSequencePath) -> TimeLanes:
        content = self._document(path).time_lanes
        return configurations.load_time_lanes(self._session.serializer, content, path)

    def set_time_lanes(self, path: PureSequencePath, time_lanes: TimeLanes) -> None:
        content = strict_json(self._session.serializer.dump_time_lanes(time_lanes))
        self._edit(path, lambda document: evolve(document, time_lanes=content))

    # The state

    def get_state(self, path: PureSequencePath) -> State:
        return self._document(path).state

    def get_stats(self, path: PureSequencePath) -> SequenceStats:
        transaction = self._session.transaction

        def stats() -> SequenceStats:
            node, document = transaction.get_sequence(path)
            return SequenceStats(
                state=document.state,
                start_time=document.start_time,
                stop_time=document.stop_time,
                number_completed_shots=transaction.shots.number_of_shots(node),
                expected_number_shots=document.expected_number_of_shots,
            )

        return transaction.read(stats)

    def set_preparing(
        self,
        path: PureSequencePath,
        device_configurations: Mapping[str, DeviceConfiguration],
        global_parameters: ParameterNamespace,
    ) -> None:
        serializer = self._session.serializer
        contents = {
            check_device_name(name): configurations.dump_device(serializer, configuration)
            for name, configuration in device_configurations.items()
        }
        parameters = strict_json(serializer.dump_global_parameters(global_parameters))
        transaction = self._session.transaction

        def prepare() -> None:
            node, document = transaction.get_sequence(path)
            state_rules.check_transition(path, document.state, State.PREPARING)
            launch = Launch(
                document.iteration,
                document.time_lanes,
                parameters,
                contents,
                document.expected_number_of_shots,
            )
            transaction.launch(node, evolve(document, state=State.PREPARING), launch)

        transaction.write(prepare)

    def set_running(self, path: PureSequencePath, start_time: datetime) -> None:
        self._transit(path, State.RUNNING, lambda document: evolve(document, start_time=start_time))

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
        exception = strict_json(tb_summary.to_json())
        self._end(path, State.CRASHED, stop_time, exception)

    def reset_to_draft(self, path: PureSequencePath) -> None:
        transaction = self._session.transaction

        def reset() -> None:
            node, document = transaction.get_sequence(path)
            state_rules.check_transition(path, document.state, State.DRAFT)
            transaction.reset(node)

        transaction.write(reset)

    def get_exception(self, path: PureSequencePath) -> TracebackSummary:
        document = self._document(path)
        if document.state is not State.CRASHED:
            raise state_rules.not_crashed_error(path, document.state)
        return load_object(
            self._file(path, SEQUENCE_DOCUMENT),
            lambda: TracebackSummary.from_json(document.exception),
        )

    def get_global_parameters(self, path: PureSequencePath) -> ParameterNamespace:
        content = self._launch(path).global_parameters
        return configurations.load_global_parameters(self._session.serializer, content, path)

    def get_device_configurations(
        self, path: PureSequencePath
    ) -> Mapping[str, DeviceConfiguration]:
        serializer = self._session.serializer
        return {
            name: configurations.load_device(serializer, name, tag, content, path)
            for name, (tag, content) in self._launch(path).device_configurations.items()
        }

    # Tags and notes

    def get_tags(self, path: PureSequencePath) -> set[str]:
        return set(self._document(path).tags)

    def set_tags(self, path: PureSequencePath, tags: Collection[str]) -> None:
        self._change(path, lambda document: evolve(document, tags=frozenset(tags)))

    def get_note(self, path: PureSequencePath) -> str:
        return self._document(path).note

    def set_note(self, path: PureSequencePath, note: str) -> None:
        self._change(path, lambda document: evolve(document, note=note))

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
        times = _microseconds(shot_start_time), _microseconds(shot_end_time)
        numbers = check_numbers(shot_parameters)
        data = check_data(shot_data)
        for name in (*numbers, *data):
            hdf5_name(name)  # refused here, where nothing has been written yet
        compression = self._session.compression
        transaction = self._session.transaction

        def create() -> None:
            node, document = transaction.get_sequence(path)
            if document.state is not State.RUNNING:
                raise state_rules.not_running_error(path, document.state)
            expected = document.expected_number_of_shots
            index = shot_rules.check_shot_index(path, shot_id.index, expected)
            shots = transaction.shots.open_to_append(node)
            if index in (taken := shots.indices()):
                raise shot_rules.shot_exists_error(path, index, taken, expected)
            with transaction.appending():
                shots.append(index, times, numbers, data, compression)

        transaction.write(create)

    def get_shots(self, path: PureSequencePath) -> list[ShotId]:
        transaction = self._session.transaction

        def indices() -> list[int]:
            node, document = transaction.get_sequence(path)
            if document.state is State.DRAFT:
                return []
            shots, limit = transaction.shots.open(node)
            return [index for index, row in list(shots.indices().items()) if row < limit]

        return [ShotId(path, index) for index in transaction.read(indices)]

    def get_shot_parameters(self, path: PureSequencePath, shot_index: int) -> dict[str, Parameter]:
        numbers = self._read_shot(path, shot_index, ShotsFile.parameters)
        return {
            name: value if unit is None else quantity(value, unit)
            for name, (value, unit) in numbers.items()
        }

    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]:
        return self._read_shot(
            path, shot_index, lambda shots, row: shots.data(row, shots.labels(row))
        )

    def get_shot_data_by_label(self, data: DataId) -> Data:
        shot, label = data.shot_id, data.data_label
        return self.get_shot_data_by_labels(shot.sequence_path, shot.index, [label])[label]

    def get_shot_data_by_labels(
        self, path: PureSequencePath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]:
        wanted = data_rules.check_labels(labels)

        def read(shots: ShotsFile, row: int) -> dict[str, Data]:
            has = shots.labels(row)
            missing = [label for label in wanted if label not in has]
            if missing:
                raise data_rules.data_not_found_error(path, shot_index, missing, has)
            found = shots.data(row, wanted)
            return {label: found[label] for label in wanted}

        return self._read_shot(path, shot_index, read)

    def get_shot_start_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        return _time(self._read_shot(path, shot_index, ShotsFile.times)[0])

    def get_shot_end_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        return _time(self._read_shot(path, shot_index, ShotsFile.times)[1])

    def get_parameter_schema(self, path: PureSequencePath) -> ParameterSchema:
        found = many_shots.parameter_schema(self._session.transaction, path)
        if found is not None:
            return found
        if self.get_state(path) is State.DRAFT:
            parameters = self._session.get_global_parameters()
        else:
            parameters = self.get_global_parameters(path)
        return self.get_iteration_configuration(path).get_parameter_schema(parameters.evaluate())

    # Many shots at once

    def get_data_schema(self, path: PureSequencePath) -> DataSchema:
        return many_shots.data_schema(self._session.transaction, path)

    def has_wide_integers(self, path: PureSequencePath) -> bool:
        return many_shots.has_wide_integers(self._session.transaction, path)

    def get_structures(
        self, path: PureSequencePath, labels: Collection[str]
    ) -> dict[str, list[Structure]]:
        return many_shots.structures(self._session.transaction, path, labels)

    def get_columns(
        self,
        path: PureSequencePath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        return many_shots.columns(self._session.transaction, path, parameters, labels, rows)

    # Helpers

    def _file(self, path: PureSequencePath, name: str) -> Path:
        """Where a file of the sequence lies, for messages."""
        transaction = self._session.transaction
        directory = transaction.run(lambda: transaction.tree.get(path).directory)
        return transaction.store.root / (directory or "") / name

    def _document(self, path: PureSequencePath) -> SequenceDocument:
        transaction = self._session.transaction
        return transaction.read(lambda: transaction.get_sequence(path)[1])

    def _edit(
        self, path: PureSequencePath, change: Callable[[SequenceDocument], SequenceDocument]
    ) -> None:
        def edit(document: SequenceDocument) -> SequenceDocument:
            if not document.state.is_editable():
                raise state_rules.not_editable_error(path, document.state)
            return change(document)

        self._change(path, edit)

    def _change(
        self, path: PureSequencePath, change: Callable[[SequenceDocument], SequenceDocument]
    ) -> None:
        transaction = self._session.transaction

        def work() -> None:
            node, document = transaction.get_sequence(path)
            transaction.change_document(node, change(document))

        transaction.write(work)

    def _transit(
        self,
        path: PureSequencePath,
        state: State,
        change: Callable[[SequenceDocument], SequenceDocument],
    ) -> None:
        transaction = self._session.transaction

        def transit() -> None:
            node, document = transaction.get_sequence(path)
            state_rules.check_transition(path, document.state, state)
            count = transaction.shots.number_of_shots(node) if state.has_ended() else None
            changed = evolve(change(document), state=state, number_of_shots=count)
            transaction.change_document(node, changed)

        transaction.write(transit)

    def _end(
        self,
        path: PureSequencePath,
        state: State,
        stop_time: datetime | Literal["now"],
        exception: JSON = None,
    ) -> None:
        stop = times.stop_time(path, stop_time)
        self._transit(
            path,
            state,
            lambda document: evolve(
                document, stop_time=stop(document.start_time), exception=exception
            ),
        )

    def _launch(self, path: PureSequencePath) -> Launch:
        transaction = self._session.transaction

        def launch() -> Launch:
            node, document = transaction.get_sequence(path)
            if document.state is State.DRAFT:
                raise state_rules.not_launched_error(path)
            return transaction.shots.open(node)[0].launch()

        return transaction.read(launch)

    def _read_shot(
        self, path: PureSequencePath, shot_index: int, read: Callable[[ShotsFile, int], _T]
    ) -> _T:
        transaction = self._session.transaction

        def read_shot() -> _T:
            node, document = transaction.get_sequence(path)
            if document.state is not State.DRAFT:
                shots, limit = transaction.shots.open(node)
                row = shots.indices().get(shot_index, limit)
                if row < limit:
                    return read(shots, row)
            raise shot_rules.shot_not_found_error(path, shot_index)

        return transaction.read(read_shot)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
