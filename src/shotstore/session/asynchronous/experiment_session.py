"""One transaction on a storage, awaited."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

from shotstore.paths import PureSequencePath
from shotstore.records import session_errors
from shotstore.session.asynchronous.awaited import awaited, takes_docstrings_from
from shotstore.session.asynchronous.collections import AsyncPathHierarchy, AsyncSequenceCollection
from shotstore.session.asynchronous.device_configurations import (
    AsyncDeviceConfigurationCollection,
)
from shotstore.session.asynchronous.sequence import AsyncSequence
from shotstore.session.experiment_session import ExperimentSession

if TYPE_CHECKING:
    from shotstore.session.asynchronous.calls import Calls
    from shotstore.session.storage import StorageManager

_T = TypeVar("_T")


@takes_docstrings_from(ExperimentSession)
class AsyncExperimentSession:
    """A session for programs on asyncio or trio: ``async with storage.async_session() as session``.

    It is an :class:`~shotstore.ExperimentSession` whose methods are awaited; they take, return and
    raise the same. What reads nothing is not awaited: ``session.paths``, ``session.get_sequence``.
    Each call runs in a thread, so the event loop never waits for a disk or a lock. Tasks may share
    a session: their calls are made one after the other.

    A task that is cancelled inside the block discards everything. One that is cancelled at its end
    commits, and is cancelled then. While it waits for the write lock, the cancellation ends the
    waiting. A call that has begun to work is finished first. If its task goes on in the block
    then, the call has changed nothing, except where asyncio itself has cancelled it, as
    ``asyncio.timeout`` does: it may have done its work.

    It belongs to the event loop, and its write lock to the task, that has entered it.
    """

    def __init__(self, session: ExperimentSession) -> None:
        """``session`` has not been entered, and nobody else uses it."""
        self._session = session
        self._calls: Calls | None = None

    async def __aenter__(self) -> Self:
        """Begin the transaction.

        Raises:
            RuntimeError: the session was entered before.
            StorageLockTimeoutError: it is to write from its start, and another session keeps on
                writing for longer than the storage's timeout.
        """
        if self._calls is not None:
            raise session_errors.session_used_twice_error("storage.async_session()")
        from shotstore.session.asynchronous.calls import Calls  # takes long to import

        calls = self._calls = Calls()

        def enter() -> ExperimentSession:
            calls.session = self._session.__enter__()
            return calls.session

        try:
            session = await calls.run(enter)
        except BaseException as error:
            if calls.session is not None:
                await self.__aexit__(type(error), error, error.__traceback__)
            raise
        # The transaction ends when what was entered is dropped, as happens to a task whose loop is
        # closed. So the block gets an object that does not refer to it.
        inside = type(self)(session)
        inside._calls = calls
        return inside

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """Commit, or discard everything if there is an exception, which goes on.

        Raises:
            StorageError: the transaction could not be committed, and nothing has changed.
            CommitUncertainError: it is committed, or will be when the storage is next opened.
        """
        calls = self._entered()

        def leave() -> None:
            calls.session = None
            self._session.__exit__(exc_type, exc_value, traceback)

        if exc_type is GeneratorExit and not calls.can_run():
            leave()  # the loop was closed over the task: nothing can be awaited any more
        else:
            await calls.run(leave, shield=True)

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    async def run_sync(self, function: Callable[[ExperimentSession], _T]) -> _T:
        """Call a function with the session as a sync one, in a thread.

        Many small reads together take less time so, and it is the way to functions that were
        written for an :class:`~shotstore.ExperimentSession`.

        Args:
            function: What to call. It keeps nothing of the session for later.
        """
        calls = self._entered()
        return await calls.run(lambda: function(_active(calls)))

    @property
    def storage(self) -> StorageManager:
        """The storage that this is a session of; also when the block is over."""
        return self._session.storage

    @property
    def paths(self) -> AsyncPathHierarchy:
        """The tree of folders and sequences."""
        _active(self._entered())
        return AsyncPathHierarchy(self)

    @property
    def sequences(self) -> AsyncSequenceCollection:
        """The sequences, with their recipes, states and shots."""
        _active(self._entered())
        return AsyncSequenceCollection(self)

    @property
    def default_device_configurations(self) -> AsyncDeviceConfigurationCollection:
        """The device configurations that the next sequence is to be launched with, by name."""
        _active(self._entered())
        return AsyncDeviceConfigurationCollection(self)

    def get_sequence(self, path: PureSequencePath | str) -> AsyncSequence:
        return AsyncSequence(path, self)

    get_global_parameters = awaited(ExperimentSession.get_global_parameters)
    set_global_parameters = awaited(ExperimentSession.set_global_parameters)
    get_unit_definitions = awaited(ExperimentSession.get_unit_definitions)
    define_unit = awaited(ExperimentSession.define_unit)

    def _entered(self) -> Calls:
        if self._calls is None:
            raise session_errors.session_not_active_error(
                "async with storage.async_session() as session:"
            )
        return self._calls


def _active(calls: Calls) -> ExperimentSession:
    if calls.session is None:
        raise session_errors.session_not_active_error(
            "async with storage.async_session() as session:"
        )
    return calls.session
