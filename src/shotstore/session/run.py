"""A run that is being recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import NoReturn, Self

from shotstore.model import Data, Parameter
from shotstore.paths import PureSequencePath
from shotstore.records import session_errors
from shotstore.records.values import ShotId
from shotstore.session.recording import Recording
from shotstore.session.termination import taking_termination_for_ctrl_c


class Run:
    """A run that is being recorded, as :meth:`~shotstore.StorageManager.record` returns it.

    It is an iterator over the parameters of each shot that is still to be taken. It is used in one
    block, and by the thread that has entered it.
    """

    def __init__(self, recording: Recording) -> None:
        """``recording`` makes the steps."""
        self._recording = recording
        self._stack = ExitStack()

    @property
    def path(self) -> PureSequencePath:
        """Where it is recorded."""
        return self._recording.path

    def __enter__(self) -> Self:
        """Launch the run, or go on with it. It raises what `StorageManager.record` says."""
        self._recording.begin()
        self._stack.enter_context(taking_termination_for_ctrl_c())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        """End the run: finished; interrupted, if shots are missing because its loop was left early,
        or by Ctrl-C; crashed by any other exception, which goes on.

        Raises:
            StorageError: its end could not be recorded, and there is no exception.
        """
        with self._stack:
            self._recording.end(exc_value)

    def __iter__(self) -> Iterator[dict[str, Parameter]]:
        """Begin with the first shot that is still to be taken.

        Raises:
            TypeError: the recipe does not tell the parameters of its shots.
        """
        self._recording.begin_loop()
        return self

    def __next__(self) -> dict[str, Parameter]:
        """Return the parameters of the next shot that is still to be taken, which starts now."""
        parameters = self._recording.advance()
        if parameters is None:
            raise StopIteration
        return parameters

    def save(
        self,
        data: Mapping[str, Data] | None = None,
        /,
        *,
        parameters: Mapping[str, Parameter] | None = None,
        index: int | None = None,
        **labels: Data,
    ) -> ShotId:
        """Store a shot, in one durable commit.

        ``run.save(atoms=frame, brightness=frame.mean())``

        In a loop over the run it is the one whose parameters were handed out, and has begun then;
        else it is the next one that is missing. If this raises, nothing was stored, and the same
        shot can be saved again.

        Args:
            data: What was measured, by label.
            parameters: Those of the shot, where the recipe does not say them.
            index: A shot to be taken once more: the last one counts, and the earlier ones stay
                readable; or one that the loop has not come to.
            labels: Further data, by label.

        Returns:
            Which shot it was.

        Raises:
            RuntimeError: the shot of this turn of the loop is saved already, there is none left,
                the block has ended, or another thread calls.
            SequenceNotRunningError: the run had finished before, or somebody has ended it.
            ValueError, TypeError: as for :meth:`SequenceCollection.create_shot`.
            StorageError: it cannot be stored, as on a full disk.
        """
        return self._recording.save(data, parameters, index, labels)

    def __reduce__(self) -> NoReturn:
        raise session_errors.session_pickled_error()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"
