"""The sequences of a session in memory."""

import operator
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import evolve

from shotstore.memory.content import Launch, Sequence, Shot
from shotstore.model import (
    Data,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
    check_data,
    check_parameters,
)
from shotstore.model.iteration import with_stored_number
from shotstore.model.json_form import strict_json
from shotstore.paths import PureSequencePath
from shotstore.records import configurations, data_rules, path_rules, shot_rules, state_rules, times
from shotstore.records.stored_sequences import StoredSequences
from shotstore.records.summaries import RangesWhenAsked, SequenceSummary, holds_text
from shotstore.records.values import DataId, SequenceStats, ShotId
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    from shotstore.memory.session import InMemoryExperimentSession


class InMemorySequenceCollection(StoredSequences):
    """See `StoredSequences`."""

    def __init__(self, session: "InMemoryExperimentSession") -> None:
        self._session = session

    # The tree

    def is_sequence(self, path: PureSequencePath) -> bool:
        return isinstance(self._session.reading().get(path), Sequence)

    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]:
        content = self._session.reading()
        content.get(path)
        return set(content.sequences(path))

    def get_sequences_in_state(self, state: State) -> set[PureSequencePath]:
        sequences = self._session.reading().sequences(PureSequencePath.root())
        return {path for path, sequence in sequences.items() if sequence.state is state}

    def get_sequences_with_text(self, path: PureSequencePath, text: str) -> set[PureSequencePath]:
        content = self._session.reading()
        content.get(path)
        return {
            found
            for found, sequence in content.sequences(path).items()
            if holds_text(
                text,
                sequence.iteration,
                sequence.time_lanes,
                sequence.exception,
                sequence.note,
            )
        }

    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]:
        content = self._session.reading()
        content.get(path)
        found = sorted(content.sequences(path).items(), key=lambda item: item[0])
        return [self._summary(path, sequence) for path, sequence in found]

    def create(
        self,
        path: PureSequencePath,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
    ) -> None:
        if path.is_root():
            raise path_rules.path_is_root_error("made a sequence")
        serializer = self._session.serializer
        draft = Sequence(
            datetime.now(UTC),
            strict_json(serializer.dump_iteration(iteration_configuration)),
            strict_json(serializer.dump_time_lanes(time_lanes)),
            shot_rules.expected_number_of_shots(iteration_configuration),
        )
        content = self._session.writing()
        if isinstance(content.find(path), Sequence):
            raise path_rules.sequence_exists_error(path)
        if content.below(path):
            raise path_rules.path_has_children_error(path)
        content.create_folders(path)
        content.paths[path] = evolve(draft, created=content.paths[path].created)

    # The recipe

    def get_iteration_configuration(self, path: PureSequencePath) -> IterationConfiguration:
        sequence = self._get(path)
        serializer = self._session.serializer
        iteration = configurations.load_iteration(serializer, sequence.iteration, path)
        return with_stored_number(iteration, sequence.expected_number_of_shots)

    def set_iteration_configuration(
        self, path: PureSequencePath, iteration_configuration: IterationConfiguration
    ) -> None:
        content = strict_json(self._session.serializer.dump_iteration(iteration_configuration))
        expected = shot_rules.expected_number_of_shots(iteration_configuration)
        self._edit(path, iteration=content, expected_number_of_shots=expected)

    def get_time_lanes(self, path: PureSequencePath) -> TimeLanes:
        content = self._get(path).time_lanes
        return configurations.load_time_lanes(self._session.serializer, content, path)

    def set_time_lanes(self, path: PureSequencePath, time_lanes: TimeLanes) -> None:
        content = strict_json(self._session.serializer.dump_time_lanes(time_lanes))
        self._edit(path, time_lanes=content)

    # The state

    def get_state(self, path: PureSequencePath) -> State:
        return self._get(path).state

    def get_stats(self, path: PureSequencePath) -> SequenceStats:
        sequence = self._get(path)
        return SequenceStats(
            sequence.state,
            sequence.start_time,
            sequence.stop_time,
            len(sequence.shots),
            sequence.expected_number_of_shots,
        )

    def set_preparing(
        self,
        path: PureSequencePath,
        device_configurations: Mapping[str, DeviceConfiguration],
        global_parameters: ParameterNamespace,
    ) -> None:
        serializer = self._session.serializer
        devices = {}
        for name, configuration in device_configurations.items():
            plain = configurations.check_device_name(name)
            devices[plain] = configurations.dump_device(serializer, configuration)
        parameters = strict_json(serializer.dump_global_parameters(global_parameters))
        self._transit(path, State.PREPARING, launch=Launch(parameters, devices))

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
        exception = strict_json(tb_summary.to_json())
        self._end(path, State.CRASHED, stop_time, exception=exception)

    def reset_to_draft(self, path: PureSequencePath) -> None:
        self._transit(
            path,
            State.DRAFT,
            start_time=None,
            stop_time=None,
            exception=None,
            launch=None,
            shots={},
        )

    def get_exception(self, path: PureSequencePath) -> TracebackSummary:
        sequence = self._get(path)
        if sequence.state is not State.CRASHED:
            raise state_rules.not_crashed_error(path, sequence.state)
        return TracebackSummary.from_json(sequence.exception)

    def get_global_parameters(self, path: PureSequencePath) -> ParameterNamespace:
        parameters = self._launch(path).global_parameters
        return configurations.load_global_parameters(self._session.serializer, parameters, path)

    def get_device_configurations(
        self, path: PureSequencePath
    ) -> Mapping[str, DeviceConfiguration]:
        return {
            name: configurations.load_device(self._session.serializer, name, tag, content, path)
            for name, (tag, content) in self._launch(path).device_configurations.items()
        }

    # Tags and notes

    def get_tags(self, path: PureSequencePath) -> set[str]:
        return set(self._get(path).tags)

    def set_tags(self, path: PureSequencePath, tags: Collection[str]) -> None:
        self._change(path, tags=frozenset(tags))

    def get_note(self, path: PureSequencePath) -> str:
        return self._get(path).note

    def set_note(self, path: PureSequencePath, note: str) -> None:
        self._change(path, note=note)

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
        shot = Shot(
            shot_start_time,
            shot_end_time,
            check_parameters(shot_parameters),
            _copied(check_data(shot_data)),
        )
        content = self._session.writing()
        sequence = content.get_sequence(path)
        if sequence.state is not State.RUNNING:
            raise state_rules.not_running_error(path, sequence.state)
        expected = sequence.expected_number_of_shots
        index = shot_rules.check_shot_index(path, shot_id.index, expected)
        if index in sequence.shots:
            raise shot_rules.shot_exists_error(path, index, sequence.shots, expected)
        content.paths[path] = evolve(sequence, shots={**sequence.shots, index: shot})

    def get_shots(self, path: PureSequencePath) -> list[ShotId]:
        return [ShotId(path, index) for index in self._get(path).shots]

    def get_shot_parameters(self, path: PureSequencePath, shot_index: int) -> dict[str, Parameter]:
        return dict(self._shot(path, shot_index).parameters)

    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]:
        data: dict[str, Data] = _copied(dict(self._shot(path, shot_index).data))
        return data

    def get_shot_data_by_label(self, data: DataId) -> Data:
        shot, label = data.shot_id, data.data_label
        return self.get_shot_data_by_labels(shot.sequence_path, shot.index, [label])[label]

    def get_shot_data_by_labels(
        self, path: PureSequencePath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]:
        wanted = data_rules.check_labels(labels)
        data = self._shot(path, shot_index).data
        if missing := [label for label in wanted if label not in data]:
            raise data_rules.data_not_found_error(path, shot_index, missing, data)
        found: dict[str, Data] = _copied({label: data[label] for label in wanted})
        return found

    def get_shot_start_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        return self._shot(path, shot_index).start_time

    def get_shot_end_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        return self._shot(path, shot_index).end_time

    def get_parameter_schema(self, path: PureSequencePath) -> ParameterSchema:
        sequence = self._get(path)
        if sequence.shots:
            schema = ParameterSchema()
            for shot in sequence.shots.values():
                schema = schema.merged(ParameterSchema.of(shot.parameters))
            return schema
        launched = sequence.state is not State.DRAFT
        parameters = (
            self.get_global_parameters(path) if launched else self._session.get_global_parameters()
        )
        iteration = self.get_iteration_configuration(path)
        return iteration.get_parameter_schema(parameters.evaluate())

    # Helpers

    def _summary(self, path: PureSequencePath, sequence: Sequence) -> SequenceSummary:
        load = self._session.serializer.load_iteration
        ranges = RangesWhenAsked(lambda: load(sequence.iteration))
        return SequenceSummary(
            path=path,
            created=sequence.created,
            state=sequence.state,
            start_time=sequence.start_time,
            stop_time=sequence.stop_time,
            number_of_shots=len(sequence.shots),
            expected_number_of_shots=sequence.expected_number_of_shots,
            tags=sequence.tags,
            note=sequence.note,
            ranges=ranges,
        )

    def _get(self, path: PureSequencePath) -> Sequence:
        return self._session.reading().get_sequence(path)

    def _launch(self, path: PureSequencePath) -> Launch:
        launch = self._get(path).launch
        if launch is None:
            raise state_rules.not_launched_error(path)
        return launch

    def _shot(self, path: PureSequencePath, index: int) -> Shot:
        shots = self._get(path).shots
        try:
            return shots[operator.index(index)]
        except (TypeError, KeyError):
            raise shot_rules.shot_not_found_error(path, index) from None

    def _change(self, path: PureSequencePath, **changes: Any) -> None:
        content = self._session.writing()
        content.paths[path] = evolve(content.get_sequence(path), **changes)

    def _edit(self, path: PureSequencePath, **changes: Any) -> None:
        content = self._session.writing()
        sequence = content.get_sequence(path)
        if not sequence.state.is_editable():
            raise state_rules.not_editable_error(path, sequence.state)
        content.paths[path] = evolve(sequence, **changes)

    def _transit(self, path: PureSequencePath, state: State, **changes: Any) -> None:
        content = self._session.writing()
        sequence = content.get_sequence(path)
        state_rules.check_transition(path, sequence.state, state)
        content.paths[path] = evolve(sequence, state=state, **changes)

    def _end(
        self,
        path: PureSequencePath,
        state: State,
        stop_time: datetime | Literal["now"],
        **changes: Any,
    ) -> None:
        stop = times.stop_time(path, stop_time)
        sequence = self._session.writing().get_sequence(path)
        state_rules.check_transition(path, sequence.state, state)
        self._transit(path, state, stop_time=stop(sequence.start_time), **changes)


def _copied(value: Any) -> Any:
    """A copy of data that shares nothing with it."""
    if isinstance(value, list):
        return [_copied(item) for item in value]
    if isinstance(value, tuple):
        return tuple(_copied(item) for item in value)
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, np.ndarray) and value.itemsize:
        return value.copy()
    # Of an array without room for its items a copy would have some.
    return value
