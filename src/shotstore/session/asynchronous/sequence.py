"""A sequence, as an object to work with, awaited."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import attrs
import numpy.typing as npt

from shotstore.model import (
    DataSchema,
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
)
from shotstore.paths import PureSequencePath
from shotstore.records.shot_rules import check_shot_index
from shotstore.records.values import SequenceStats
from shotstore.session.asynchronous.docstrings import takes_docstrings_from
from shotstore.session.asynchronous.shot import AsyncShot
from shotstore.session.sequence import Sequence
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    import pandas
    import polars
    import xarray
    from matplotlib.axes import Axes

    from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession

_T = TypeVar("_T")


@takes_docstrings_from(Sequence)
@attrs.frozen(repr=False)
class AsyncSequence:
    """A :class:`~shotstore.Sequence` whose methods are awaited.

    ``async for shot in sequence`` gives its shots by increasing index, and
    ``(await sequence.get_stats()).number_completed_shots`` their number.
    """

    path: PureSequencePath = attrs.field(converter=PureSequencePath)
    session: AsyncExperimentSession

    @classmethod
    async def create(
        cls,
        path: PureSequencePath | str,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
        session: AsyncExperimentSession,
    ) -> Self:
        sequence = cls(path, session)
        await session.sequences.create(sequence.path, iteration_configuration, time_lanes)
        return sequence

    async def duplicate(self, target: PureSequencePath | str) -> Self:
        copy = await self.run_sync(lambda sequence: sequence.duplicate(target).path)
        return type(self)(copy, self.session)

    async def __aiter__(self) -> AsyncIterator[AsyncShot]:
        """Iterate over the shots that the sequence has, by increasing index."""
        for shot in await self.get_shots():
            yield shot

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    async def get_state(self) -> State:
        return await self.run_sync(lambda sequence: sequence.get_state())

    async def get_stats(self) -> SequenceStats:
        return await self.run_sync(lambda sequence: sequence.get_stats())

    async def get_start_time(self) -> datetime | None:
        return await self.run_sync(lambda sequence: sequence.get_start_time())

    async def get_end_time(self) -> datetime | None:
        return await self.run_sync(lambda sequence: sequence.get_end_time())

    async def get_expected_number_of_shots(self) -> int | None:
        return await self.run_sync(lambda sequence: sequence.get_expected_number_of_shots())

    async def get_traceback_summary(self) -> TracebackSummary:
        return await self.run_sync(lambda sequence: sequence.get_traceback_summary())

    async def get_shots(self) -> list[AsyncShot]:
        shots = await self.run_sync(lambda sequence: sequence.get_shots())
        return [AsyncShot(self, shot.index) for shot in shots]

    def get_shot(self, index: int) -> AsyncShot:
        return AsyncShot(self, check_shot_index(self.path, index, None))

    async def get_iteration_configuration(self) -> IterationConfiguration:
        return await self.run_sync(lambda sequence: sequence.get_iteration_configuration())

    async def get_time_lanes(self) -> TimeLanes:
        return await self.run_sync(lambda sequence: sequence.get_time_lanes())

    async def get_global_parameters(self) -> ParameterNamespace:
        return await self.run_sync(lambda sequence: sequence.get_global_parameters())

    async def get_device_configurations(self) -> Mapping[str, DeviceConfiguration]:
        return await self.run_sync(lambda sequence: sequence.get_device_configurations())

    async def get_tags(self) -> set[str]:
        return await self.run_sync(lambda sequence: sequence.get_tags())

    async def set_tags(self, tags: Collection[str]) -> None:
        return await self.run_sync(lambda sequence: sequence.set_tags(tags))

    async def add_tag(self, tag: str) -> None:
        return await self.run_sync(lambda sequence: sequence.add_tag(tag))

    async def remove_tag(self, tag: str) -> None:
        return await self.run_sync(lambda sequence: sequence.remove_tag(tag))

    async def get_note(self) -> str:
        return await self.run_sync(lambda sequence: sequence.get_note())

    async def set_note(self, note: str) -> None:
        return await self.run_sync(lambda sequence: sequence.set_note(note))

    async def get_local_parameters(self) -> set[str]:
        return await self.run_sync(lambda sequence: sequence.get_local_parameters())

    async def get_parameter_names(self, which: Literal["all", "sequence"] = "all") -> set[str]:
        return await self.run_sync(lambda sequence: sequence.get_parameter_names(which))

    async def get_parameter_schema(self) -> ParameterSchema:
        return await self.run_sync(lambda sequence: sequence.get_parameter_schema())

    def follow(self, *, poll: float = 0.2, skip: int = 0) -> AsyncIterator[AsyncShot]:
        return self.session.storage.async_follow(self.path, poll=poll, skip=skip)

    # Many shots at once

    async def get_data_schema(self) -> DataSchema:
        return await self.run_sync(lambda sequence: sequence.get_data_schema())

    async def scan(self) -> polars.LazyFrame:
        return await self.run_sync(lambda sequence: sequence.scan())

    async def to_arrays(self, names: Collection[str] | None = None) -> dict[str, npt.NDArray[Any]]:
        return await self.run_sync(lambda sequence: sequence.to_arrays(names))

    async def to_pandas(self, names: Collection[str] | None = None) -> pandas.DataFrame:
        return await self.run_sync(lambda sequence: sequence.to_pandas(names))

    async def to_xarray(self, names: Collection[str] | None = None) -> xarray.Dataset:
        return await self.run_sync(lambda sequence: sequence.to_xarray(names))

    # Pictures and files
    # The session reads in a thread. Matplotlib is for one thread, so it draws in this one.

    async def plot(
        self,
        x: str | None = None,
        y: str | Iterable[str] | None = None,
        *,
        where: str | polars.Expr | None = None,
        by: str | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        from shotstore.analysis.plots import draw_points
        from shotstore.analysis.points import collect_points

        return draw_points(
            await self.run_sync(
                lambda sequence: collect_points(sequence, x, y, where=where, by=by)
            ),
            axes,
        )

    async def plot_image(
        self,
        label: str,
        *,
        mean: bool = False,
        where: str | polars.Expr | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        from shotstore.analysis import images

        if mean:
            return images.draw_mean(
                await self.run_sync(
                    lambda sequence: images.mean_image(sequence, label, where=where)
                ),
                axes,
            )
        return images.draw_contact_sheet(
            await self.run_sync(
                lambda sequence: images.contact_sheet(sequence, label, where=where)
            ),
            axes,
        )

    async def export(
        self,
        file: str | os.PathLike[str],
        *,
        to: str | None = None,
        columns: Collection[str] | None = None,
        where: str | polars.Expr | None = None,
        force: bool = False,
    ) -> Path:
        return await self.run_sync(
            lambda sequence: sequence.export(file, to=to, columns=columns, where=where, force=force)
        )

    async def run_sync(self, function: Callable[[Sequence], _T]) -> _T:
        """Call a function with the sequence as a sync one, in a thread.

        Args:
            function: What to call. It keeps nothing of the sequence for later.
        """
        return await self.session.run_sync(lambda session: function(Sequence(self.path, session)))
