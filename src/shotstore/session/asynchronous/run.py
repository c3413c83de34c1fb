"""A run that is being recorded, awaited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial, wraps
from types import TracebackType
from typing import TYPE_CHECKING, Concatenate, NoReturn, ParamSpec, Self, TypeVar

from shotstore.model import Data, Parameter
from shotstore.paths import PureSequencePath
from shotstore.records import session_errors
from shotstore.records.values import ShotId
from shotstore.session.asynchronous.awaited import takes_docstrings_from
from shotstore.session.recording import Recording
from shotstore.session.run import Run
from shotstore.session.termination import taking_termination_for_ctrl_c

if TYPE_CHECKING:
    from shotstore.session.asynchronous.calls import Calls

_P = ParamSpec("_P")
_S = TypeVar("_S")


@takes_docstrings_from(Run)
class AsyncRun:
    """A :class:`~shotstore.Run` for programs on asyncio or trio:
    ``async with storage.async_record(path, recipe) as run: async for parameters in run: ...``

    The event loop goes on while a shot is stored. A task that is cancelled interrupts the run.
    """

    def __init__(self, recording: Recording) -> None:
        """``recording`` makes the steps."""
        self._recording = recording
        self._calls: Calls | None = None
        self._stack = ExitStack()

    @property
    def path(self) -> PureSequencePath:
        """Where it is recorded."""
        return self._recording.path

    async def __aenter__(self) -> Self:
        """Launch the run, or go on with it. It raises what `StorageManager.record` says."""
        from shotstore.session.asynchronous.calls import Calls  # takes long to import

        if self._calls is None:
            self._calls = Calls()
        await self._calls.run(self._recording.begin)
        self._stack.enter_context(taking_termination_for_ctrl_c())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """End the run: finished; interrupted, if shots are missing because its loop was left early,
        or its task was cancelled; crashed by any other exception, which goes on.

        Raises:
            StorageError: its end could not be recorded, and there is no exception.
        """
        calls, end = self._entered(), partial(self._recording.end, exc_value)
        with self._stack:
            if exc_type is GeneratorExit and not calls.can_run():
                end()  # the loop was closed over the task: nothing can be awaited any more
            else:
                await calls.run(end, shield=True)

    def __aiter__(self) -> Self:
        """Begin with the first shot that is still to be taken.

        Raises:
            TypeError: the recipe does not tell the parameters of its shots.
        """
        self._recording.begin_loop()
        return self

    async def __anext__(self) -> dict[str, Parameter]:
        """Return the parameters of the next shot that is still to be taken, which starts now."""
        parameters = await self._entered().run(self._recording.advance)
        if parameters is None:
            raise StopAsyncIteration
        return parameters

    async def save(
        self,
        data: Mapping[str, Data] | None = None,
        /,
        *,
        parameters: Mapping[str, Parameter] | None = None,
        index: int | None = None,
        **labels: Data,
    ) -> ShotId:
        save = partial(self._recording.save, data, parameters, index, labels)
        return await self._entered().run(save)

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    def _entered(self) -> Calls:
        if self._calls is None:
            raise session_errors.session_not_active_error(
                "async with storage.async_record(path, recipe) as run:"
            )
        return self._calls


def awaited_run(
    record: Callable[Concatenate[_S, _P], Run],
) -> Callable[Concatenate[_S, _P], AsyncRun]:
    """Make what returns a run to be awaited of what returns one that is not."""

    @wraps(record)
    def async_record(storage: _S, /, *arguments: _P.args, **by_name: _P.kwargs) -> AsyncRun:
        return AsyncRun(record(storage, *arguments, **by_name)._recording)

    return async_record
