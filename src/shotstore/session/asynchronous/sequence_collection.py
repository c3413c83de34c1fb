"""The sequences, awaited: their recipes, states and shots."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeVar

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
from shotstore.paths import AnyPath, PureSequencePath
from shotstore.records.columns import ShotColumns, ShotRows
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import DataId, SequenceStats, ShotId
from shotstore.session.asynchronous.docstrings import takes_docstrings_from
from shotstore.session.sequence_collection import SequenceCollection
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    import polars

    from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession

_T = TypeVar("_T")


@takes_docstrings_from(SequenceCollection)
class AsyncSequenceCollection:
    """A :class:`~shotstore.SequenceCollection` whose methods are awaited."""

    def __init__(self, session: AsyncExperimentSession) -> None:
        self._session = session

    # The tree

    async def is_sequence(self, path: AnyPath) -> bool:
        return await self._run(lambda sequences: sequences.is_sequence(path))

    async def get_contained_sequences(self, path: AnyPath) -> set[PureSequencePath]:
        return await self._run(lambda sequences: sequences.get_contained_sequences(path))

    async def get_sequences_in_state(self, state: State | str) -> set[PureSequencePath]:
        return await self._run(lambda sequences: sequences.get_sequences_in_state(state))

    async def get_sequences_with_text(self, path: AnyPath, text: str) -> set[PureSequencePath]:
        return await self._run(lambda sequences: sequences.get_sequences_with_text(path, text))

    async def get_summaries(self, path: AnyPath) -> list[SequenceSummary]:
        return await self._run(lambda sequences: sequences.get_summaries(path))

    async def create(
        self,
        path: AnyPath,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
    ) -> None:
        return await self._run(
            lambda sequences: sequences.create(path, iteration_configuration, time_lanes)
        )

    # The recipe

    async def get_iteration_configuration(self, path: AnyPath) -> IterationConfiguration:
        return await self._run(lambda sequences: sequences.get_iteration_configuration(path))

    async def set_iteration_configuration(
        self, path: AnyPath, iteration_configuration: IterationConfiguration
    ) -> None:
        return await self._run(
            lambda sequences: sequences.set_iteration_configuration(path, iteration_configuration)
        )

    async def get_time_lanes(self, path: AnyPath) -> TimeLanes:
        return await self._run(lambda sequences: sequences.get_time_lanes(path))

    async def set_time_lanes(self, path: AnyPath, time_lanes: TimeLanes) -> None:
        return await self._run(lambda sequences: sequences.set_time_lanes(path, time_lanes))

    # The state

    async def get_state(self, path: AnyPath) -> State:
        return await self._run(lambda sequences: sequences.get_state(path))

    async def get_stats(self, path: AnyPath) -> SequenceStats:
        return await self._run(lambda sequences: sequences.get_stats(path))

    async def set_preparing(
        self,
        path: AnyPath,
        device_configurations: Mapping[str, DeviceConfiguration],
        global_parameters: ParameterNamespace,
    ) -> None:
        return await self._run(
            lambda sequences: sequences.set_preparing(
                path, device_configurations, global_parameters
            )
        )

    async def set_running(self, path: AnyPath, start_time: datetime | Literal["now"]) -> None:
        return await self._run(lambda sequences: sequences.set_running(path, start_time))

    async def set_finished(self, path: AnyPath, stop_time: datetime | Literal["now"]) -> None:
        return await self._run(lambda sequences: sequences.set_finished(path, stop_time))

    async def set_interrupted(self, path: AnyPath, stop_time: datetime | Literal["now"]) -> None:
        return await self._run(lambda sequences: sequences.set_interrupted(path, stop_time))

    async def set_crashed(
        self,
        path: AnyPath,
        tb_summary: TracebackSummary,
        stop_time: datetime | Literal["now"],
    ) -> None:
        return await self._run(lambda sequences: sequences.set_crashed(path, tb_summary, stop_time))

    async def reset_to_draft(self, path: AnyPath) -> None:
        return await self._run(lambda sequences: sequences.reset_to_draft(path))

    async def get_exception(self, path: AnyPath) -> TracebackSummary:
        return await self._run(lambda sequences: sequences.get_exception(path))

    async def get_global_parameters(self, path: AnyPath) -> ParameterNamespace:
        return await self._run(lambda sequences: sequences.get_global_parameters(path))

    async def get_device_configurations(self, path: AnyPath) -> Mapping[str, DeviceConfiguration]:
        return await self._run(lambda sequences: sequences.get_device_configurations(path))

    # Tags and notes

    async def get_tags(self, path: AnyPath) -> set[str]:
        return await self._run(lambda sequences: sequences.get_tags(path))

    async def set_tags(self, path: AnyPath, tags: Collection[str]) -> None:
        return await self._run(lambda sequences: sequences.set_tags(path, tags))

    async def get_note(self, path: AnyPath) -> str:
        return await self._run(lambda sequences: sequences.get_note(path))

    async def set_note(self, path: AnyPath, note: str) -> None:
        return await self._run(lambda sequences: sequences.set_note(path, note))

    # The shots

    async def create_shot(
        self,
        shot_id: ShotId,
        shot_parameters: Mapping[str, Parameter],
        shot_data: Mapping[str, Data],
        shot_start_time: datetime,
        shot_end_time: datetime,
    ) -> None:
        return await self._run(
            lambda sequences: sequences.create_shot(
                shot_id, shot_parameters, shot_data, shot_start_time, shot_end_time
            )
        )

    async def get_shots(self, path: AnyPath) -> list[ShotId]:
        return await self._run(lambda sequences: sequences.get_shots(path))

    async def get_shot_parameters(self, path: AnyPath, shot_index: int) -> dict[str, Parameter]:
        return await self._run(lambda sequences: sequences.get_shot_parameters(path, shot_index))

    async def get_all_shot_data(self, path: AnyPath, shot_index: int) -> dict[str, Data]:
        return await self._run(lambda sequences: sequences.get_all_shot_data(path, shot_index))

    async def get_shot_data_by_label(self, data: DataId) -> Data:
        return await self._run(lambda sequences: sequences.get_shot_data_by_label(data))

    async def get_shot_data_by_labels(
        self, path: AnyPath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]:
        return await self._run(
            lambda sequences: sequences.get_shot_data_by_labels(path, shot_index, labels)
        )

    async def get_shot_start_time(self, path: AnyPath, shot_index: int) -> datetime:
        return await self._run(lambda sequences: sequences.get_shot_start_time(path, shot_index))

    async def get_shot_end_time(self, path: AnyPath, shot_index: int) -> datetime:
        return await self._run(lambda sequences: sequences.get_shot_end_time(path, shot_index))

    async def get_parameter_schema(self, path: AnyPath) -> ParameterSchema:
        return await self._run(lambda sequences: sequences.get_parameter_schema(path))

    async def get_data_schema(self, path: AnyPath) -> DataSchema:
        return await self._run(lambda sequences: sequences.get_data_schema(path))

    async def has_wide_integers(self, path: AnyPath) -> bool:
        return await self._run(lambda sequences: sequences.has_wide_integers(path))

    async def get_structures(
        self, path: AnyPath, labels: Collection[str]
    ) -> dict[str, list[Structure]]:
        return await self._run(lambda sequences: sequences.get_structures(path, labels))

    async def scan(self, path: AnyPath) -> polars.LazyFrame:
        return await self._run(lambda sequences: sequences.scan(path))

    async def get_columns(
        self,
        path: AnyPath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        return await self._run(
            lambda sequences: sequences.get_columns(
                path, parameters=parameters, labels=labels, rows=rows
            )
        )

    async def _run(self, function: Callable[[SequenceCollection], _T]) -> _T:
        return await self._session.run_sync(lambda session: function(session.sequences))
