"""A sequence and its shots, as objects to work with, awaited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Self, TypeVar

import attrs

from shotstore.model import IterationConfiguration, TimeLanes
from shotstore.paths import PureSequencePath
from shotstore.records.shot_rules import check_shot_index
from shotstore.records.values import Attempt
from shotstore.session.asynchronous.awaited import awaited, takes_docstrings_from
from shotstore.session.sequence import Sequence
from shotstore.session.shot import Shot

if TYPE_CHECKING:
    import polars
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

    async def run_sync(self, function: Callable[[Sequence], _T]) -> _T:
        """Call a function with the sequence as a sync one, in a thread.

        Args:
            function: What to call. It keeps nothing of the sequence for later.
        """
        return await self.session.run_sync(lambda session: function(Sequence(self.path, session)))

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

    async def get_shots(self) -> list[AsyncShot]:
        shots = await self.run_sync(lambda sequence: sequence.get_shots())
        return [AsyncShot(self, shot.index) for shot in shots]

    def get_shot(self, index: int) -> AsyncShot:
        return AsyncShot(self, check_shot_index(self.path, index, None))

    def follow(self, *, poll: float = 0.2, skip: int = 0) -> AsyncIterator[AsyncShot]:
        return self.session.storage.async_follow(self.path, poll=poll, skip=skip)

    get_state = awaited(Sequence.get_state)
    get_stats = awaited(Sequence.get_stats)
    get_start_time = awaited(Sequence.get_start_time)
    get_end_time = awaited(Sequence.get_end_time)
    get_expected_number_of_shots = awaited(Sequence.get_expected_number_of_shots)
    get_traceback_summary = awaited(Sequence.get_traceback_summary)
    get_interruptions = awaited(Sequence.get_interruptions)
    resume = awaited(Sequence.resume)
    get_iteration_configuration = awaited(Sequence.get_iteration_configuration)
    get_time_lanes = awaited(Sequence.get_time_lanes)
    get_global_parameters = awaited(Sequence.get_global_parameters)
    get_device_configurations = awaited(Sequence.get_device_configurations)
    get_tags = awaited(Sequence.get_tags)
    set_tags = awaited(Sequence.set_tags)
    add_tag = awaited(Sequence.add_tag)
    remove_tag = awaited(Sequence.remove_tag)
    get_note = awaited(Sequence.get_note)
    set_note = awaited(Sequence.set_note)
    get_local_parameters = awaited(Sequence.get_local_parameters)
    get_parameter_names = awaited(Sequence.get_parameter_names)
    get_parameter_schema = awaited(Sequence.get_parameter_schema)
    get_data_schema = awaited(Sequence.get_data_schema)
    get_result_schema = awaited(Sequence.get_result_schema)
    set_results = awaited(Sequence.set_results)
    get_results = awaited(Sequence.get_results)
    remove_results = awaited(Sequence.remove_results)
    scan = awaited(Sequence.scan)
    to_arrays = awaited(Sequence.to_arrays)
    to_pandas = awaited(Sequence.to_pandas)
    to_xarray = awaited(Sequence.to_xarray)
    export = awaited(Sequence.export)

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
        from shotstore.analysis.pictures.plots import check_axes, draw_points
        from shotstore.analysis.pictures.points import collect_points

        check_axes(axes)
        points = await self.run_sync(
            lambda sequence: collect_points(sequence, x, y, where=where, by=by)
        )
        return draw_points(points, axes)

    async def plot_image(
        self,
        label: str,
        *,
        mean: bool = False,
        where: str | polars.Expr | None = None,
        axes: Axes | None = None,
    ) -> Axes:
        from shotstore.analysis.pictures.images import draw_images, read_images
        from shotstore.analysis.pictures.plots import check_axes

        check_axes(axes)
        images = await self.run_sync(
            lambda sequence: read_images(sequence, label, mean=mean, where=where)
        )
        return draw_images(images, axes)


@attrs.frozen(repr=False)
class AsyncShot:
    """A :class:`~shotstore.Shot` whose methods are awaited."""

    sequence: AsyncSequence
    index: int
    """The place of the shot in the iteration of its sequence, from 0."""

    async def run_sync(self, function: Callable[[Shot], _T]) -> _T:
        """Call a function with the shot as a sync one, in a thread; it keeps nothing of it."""
        return await self.sequence.run_sync(lambda sequence: function(Shot(sequence, self.index)))

    @property
    def sequence_path(self) -> PureSequencePath:
        """The path of the sequence."""
        return self.sequence.path

    @property
    def attempts(self) -> Awaitable[list[Attempt]]:
        """How the shot was recorded before it was taken again, the first attempt first; empty for
        most shots. All else that is read of the shot is of the last one, which is not among
        these."""
        return self.run_sync(lambda shot: shot.attempts)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.sequence)!r}, {self.index})"

    get_start_time = awaited(Shot.get_start_time)
    get_end_time = awaited(Shot.get_end_time)
    get_parameters = awaited(Shot.get_parameters)
    get_data = awaited(Shot.get_data)
    get_data_by_label = awaited(Shot.get_data_by_label)
    get_data_by_labels = awaited(Shot.get_data_by_labels)
    set_results = awaited(Shot.set_results)
    get_results = awaited(Shot.get_results)
    remove_results = awaited(Shot.remove_results)
    get_tags = awaited(Shot.get_tags)
    set_tags = awaited(Shot.set_tags)
    add_tag = awaited(Shot.add_tag)
    remove_tag = awaited(Shot.remove_tag)
    get_note = awaited(Shot.get_note)
    set_note = awaited(Shot.set_note)
