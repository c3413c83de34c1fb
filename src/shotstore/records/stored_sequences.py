"""What a backend does with sequences."""

import abc
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from shotstore.model import (
    Data,
    DataSchema,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
)
from shotstore.model.structures import Structure
from shotstore.paths import PureSequencePath
from shotstore.records import shot_by_shot
from shotstore.records.columns import ShotColumns, ShotRows
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import DataId, SequenceStats, ShotId
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary


class StoredSequences(abc.ABC):
    """The sequences of a session, as a backend stores them.

    Each method does what that of :class:`~shotstore.SequenceCollection` says. What it is given has
    been checked there: paths are paths, times are in UTC, texts and their collections are what they
    are called. What only the storage can tell is checked here; so is a stop time, which depends on
    the start time.
    """

    # The tree

    @abc.abstractmethod
    def is_sequence(self, path: PureSequencePath) -> bool: ...

    @abc.abstractmethod
    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]: ...

    @abc.abstractmethod
    def get_sequences_in_state(self, state: State) -> set[PureSequencePath]: ...

    @abc.abstractmethod
    def get_sequences_with_text(
        self, path: PureSequencePath, text: str
    ) -> set[PureSequencePath]: ...

    @abc.abstractmethod
    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]: ...

    @abc.abstractmethod
    def create(
        self,
        path: PureSequencePath,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
    ) -> None: ...

    # The recipe

    @abc.abstractmethod
    def get_iteration_configuration(self, path: PureSequencePath) -> IterationConfiguration: ...

    @abc.abstractmethod
    def set_iteration_configuration(
        self, path: PureSequencePath, iteration_configuration: IterationConfiguration
    ) -> None: ...

    @abc.abstractmethod
    def get_time_lanes(self, path: PureSequencePath) -> TimeLanes: ...

    @abc.abstractmethod
    def set_time_lanes(self, path: PureSequencePath, time_lanes: TimeLanes) -> None: ...

    # The state

    @abc.abstractmethod
    def get_state(self, path: PureSequencePath) -> State: ...

    @abc.abstractmethod
    def get_stats(self, path: PureSequencePath) -> SequenceStats: ...

    @abc.abstractmethod
    def set_preparing(
        self,
        path: PureSequencePath,
        device_configurations: Mapping[str, DeviceConfiguration],
        global_parameters: ParameterNamespace,
    ) -> None: ...

    @abc.abstractmethod
    def set_running(self, path: PureSequencePath, start_time: datetime) -> None: ...

    @abc.abstractmethod
    def set_finished(
        self, path: PureSequencePath, stop_time: datetime | Literal["now"]
    ) -> None: ...

    @abc.abstractmethod
    def set_interrupted(
        self, path: PureSequencePath, stop_time: datetime | Literal["now"]
    ) -> None: ...

    @abc.abstractmethod
    def set_crashed(
        self,
        path: PureSequencePath,
        tb_summary: TracebackSummary,
        stop_time: datetime | Literal["now"],
    ) -> None: ...

    @abc.abstractmethod
    def reset_to_draft(self, path: PureSequencePath) -> None: ...

    @abc.abstractmethod
    def get_exception(self, path: PureSequencePath) -> TracebackSummary: ...

    @abc.abstractmethod
    def get_global_parameters(self, path: PureSequencePath) -> ParameterNamespace: ...

    @abc.abstractmethod
    def get_device_configurations(
        self, path: PureSequencePath
    ) -> Mapping[str, DeviceConfiguration]: ...

    # Tags and notes

    @abc.abstractmethod
    def get_tags(self, path: PureSequencePath) -> set[str]: ...

    @abc.abstractmethod
    def set_tags(self, path: PureSequencePath, tags: Collection[str]) -> None: ...

    @abc.abstractmethod
    def get_note(self, path: PureSequencePath) -> str: ...

    @abc.abstractmethod
    def set_note(self, path: PureSequencePath, note: str) -> None: ...

    # The shots

    @abc.abstractmethod
    def create_shot(
        self,
        shot_id: ShotId,
        shot_parameters: Mapping[str, Parameter],
        shot_data: Mapping[str, Data],
        shot_start_time: datetime,
        shot_end_time: datetime,
    ) -> None: ...

    @abc.abstractmethod
    def get_shots(self, path: PureSequencePath) -> list[ShotId]: ...

    @abc.abstractmethod
    def get_shot_parameters(
        self, path: PureSequencePath, shot_index: int
    ) -> dict[str, Parameter]: ...

    @abc.abstractmethod
    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]: ...

    @abc.abstractmethod
    def get_shot_data_by_label(self, data: DataId) -> Data: ...

    @abc.abstractmethod
    def get_shot_data_by_labels(
        self, path: PureSequencePath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]: ...

    @abc.abstractmethod
    def get_shot_start_time(self, path: PureSequencePath, shot_index: int) -> datetime: ...

    @abc.abstractmethod
    def get_shot_end_time(self, path: PureSequencePath, shot_index: int) -> datetime: ...

    @abc.abstractmethod
    def get_parameter_schema(self, path: PureSequencePath) -> ParameterSchema: ...

    # Many shots at once, by reading shot after shot where a backend knows nothing better

    def get_data_schema(self, path: PureSequencePath) -> DataSchema:
        return shot_by_shot.data_schema(self, path)

    def has_wide_integers(self, path: PureSequencePath) -> bool:
        return shot_by_shot.has_wide_integers(self, path)

    def get_structures(
        self, path: PureSequencePath, labels: Collection[str]
    ) -> dict[str, list[Structure]]:
        return shot_by_shot.structures(self, path, labels)

    def get_columns(
        self,
        path: PureSequencePath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        return shot_by_shot.columns(self, path, parameters, labels, rows)
