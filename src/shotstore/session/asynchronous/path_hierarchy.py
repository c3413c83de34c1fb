"""The tree of folders and sequences, awaited."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from shotstore.paths import AnyPath, PureSequencePath
from shotstore.session.asynchronous.docstrings import takes_docstrings_from
from shotstore.session.path_hierarchy import PathHierarchy

if TYPE_CHECKING:
    from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession

_T = TypeVar("_T")


@takes_docstrings_from(PathHierarchy)
class AsyncPathHierarchy:
    """A :class:`~shotstore.PathHierarchy` whose methods are awaited."""

    def __init__(self, session: AsyncExperimentSession) -> None:
        self._session = session

    async def does_path_exists(self, path: AnyPath) -> bool:
        return await self._run(lambda paths: paths.does_path_exists(path))

    async def create_path(self, path: AnyPath) -> list[PureSequencePath]:
        return await self._run(lambda paths: paths.create_path(path))

    async def delete_path(self, path: AnyPath, delete_sequences: bool = False) -> None:
        return await self._run(lambda paths: paths.delete_path(path, delete_sequences))

    async def get_children(self, path: AnyPath) -> set[PureSequencePath]:
        return await self._run(lambda paths: paths.get_children(path))

    async def get_all_paths(self) -> set[PureSequencePath]:
        return await self._run(lambda paths: paths.get_all_paths())

    async def get_path_creation_date(self, path: AnyPath) -> datetime:
        return await self._run(lambda paths: paths.get_path_creation_date(path))

    async def update_creation_date(self, path: AnyPath, date: datetime) -> None:
        return await self._run(lambda paths: paths.update_creation_date(path, date))

    async def move(self, source: AnyPath, destination: AnyPath) -> None:
        return await self._run(lambda paths: paths.move(source, destination))

    async def _run(self, function: Callable[[PathHierarchy], _T]) -> _T:
        return await self._session.run_sync(lambda session: function(session.paths))
