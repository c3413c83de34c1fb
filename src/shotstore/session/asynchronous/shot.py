"""A shot, as an object to work with, awaited."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import attrs

from shotstore.model import Data, Parameter
from shotstore.paths import PureSequencePath
from shotstore.session.asynchronous.docstrings import takes_docstrings_from
from shotstore.session.shot import Shot

if TYPE_CHECKING:
    from shotstore.session.asynchronous.sequence import AsyncSequence

_T = TypeVar("_T")


@takes_docstrings_from(Shot)
@attrs.frozen(repr=False)
class AsyncShot:
    """A :class:`~shotstore.Shot` whose methods are awaited."""

    sequence: AsyncSequence
    index: int
    """The place of the shot in the iteration of its sequence, from 0."""

    @property
    def sequence_path(self) -> PureSequencePath:
        """The path of the sequence."""
        return self.sequence.path

    async def get_start_time(self) -> datetime:
        return await self._run(lambda shot: shot.get_start_time())

    async def get_end_time(self) -> datetime:
        return await self._run(lambda shot: shot.get_end_time())

    async def get_parameters(self) -> dict[str, Parameter]:
        return await self._run(lambda shot: shot.get_parameters())

    async def get_data(self) -> dict[str, Data]:
        return await self._run(lambda shot: shot.get_data())

    async def get_data_by_label(self, label: str) -> Data:
        return await self._run(lambda shot: shot.get_data_by_label(label))

    async def get_data_by_labels(self, labels: Collection[str]) -> dict[str, Data]:
        return await self._run(lambda shot: shot.get_data_by_labels(labels))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.sequence)!r}, {self.index})"

    async def _run(self, function: Callable[[Shot], _T]) -> _T:
        return await self.sequence.run_sync(lambda sequence: function(Shot(sequence, self.index)))
