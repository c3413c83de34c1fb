"""The shots of a run, as they are committed, awaited."""

from collections.abc import AsyncIterator, Callable

import anyio.to_thread
from anyio import sleep

from shotstore.session.asynchronous.experiment_session import AsyncExperimentSession
from shotstore.session.asynchronous.sequence import AsyncSequence, AsyncShot
from shotstore.session.following import Following


class AsyncFollowing(AsyncIterator[AsyncShot]):
    """An iterator over the shots of a run, each in a session that lasts until the next one.

    It is not a generator: what a loop has left early need not be closed, and nobody awaits its end.
    """

    def __init__(
        self, following: Following, open_session: Callable[[], AsyncExperimentSession]
    ) -> None:
        """``open_session`` returns a session to look into, one for each look."""
        self._following = following
        self._open_session = open_session
        self._session: AsyncExperimentSession | None = None
        self._shots: list[AsyncShot] = []

    async def __anext__(self) -> AsyncShot:
        """Wait for the next shot.

        Raises:
            StopAsyncIteration: the run has ended.
        """
        while not self._shots:
            await self.aclose()
            if self._following.has_ended:
                raise StopAsyncIteration
            if not await self._look() and not self._following.has_ended:
                await sleep(self._following.poll)
        return self._shots.pop(0)

    async def aclose(self) -> None:
        """End the session of the last shots now, and not when the iterator is dropped."""
        session, self._session = self._session, None
        self._shots.clear()
        if session is not None:
            await session.__aexit__(None, None, None)

    async def _look(self) -> bool:
        """Get the shots that are new; whether there are any."""
        if not await anyio.to_thread.run_sync(self._following.is_due):
            return False
        session = self._open_session()
        inside = await session.__aenter__()
        self._session = session
        try:
            shots = await inside.run_sync(self._following.look)
            self._shots = [
                AsyncShot(AsyncSequence(shot.sequence_path, inside), shot.index) for shot in shots
            ]
        finally:
            if not self._shots:
                await self.aclose()
        return bool(self._shots)
