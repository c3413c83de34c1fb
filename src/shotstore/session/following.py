"""The shots of a run, as they are committed."""

import time
from collections.abc import Callable, Hashable, Iterator
from datetime import datetime

from shotstore.errors import PathError, RunDeletedError, TransactionConflictError
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import as_count, as_seconds
from shotstore.records.values import SequenceStats
from shotstore.session.closest import naming_closest_sequence
from shotstore.session.experiment_session import ExperimentSession
from shotstore.session.sequence import Sequence
from shotstore.session.shot import Shot

_LONGEST_SLEEP = 86_400.0  # seconds; systems refuse those of years


class Following:
    """A run, and how far its shots were looked at.

    A run is known by when its path was created and when it began, so that it is found again where
    it was moved to, and not taken for another one that has its path.
    """

    def __init__(
        self,
        path: PureSequencePath,
        last_commit: Callable[[], Hashable],
        *,
        poll: float,
        skip: int,
    ) -> None:
        """
        Args:
            path: Where the run is.
            last_commit: What tells the commits of its storage apart, cheaply.
            poll: Seconds between two looks.
            skip: How many of its first rows are left out: a shot that was taken again has several.

        Raises:
            ValueError: a number is negative.
            TypeError: it is not a number.
        """
        self.poll = as_seconds(poll, "poll")
        if as_count(skip, "skip") < 0:
            raise ValueError(f"skip must not be negative: {skip}")
        self.has_ended = False
        """Whether all its shots were handed out."""
        self._current_commit = last_commit
        self._path = path
        self._seen = skip
        self._created: datetime | None = None
        self._start_time: datetime | None = None
        self._last_commit: Hashable = None

    def is_due(self) -> bool:
        """Whether something may have been committed since this was last asked."""
        last_commit = self._current_commit()
        is_due = last_commit is None or last_commit != self._last_commit
        self._last_commit = last_commit
        return is_due

    def look(self, session: ExperimentSession) -> list[Shot]:
        """Return the shots that were committed since the last look, in the order of recording; one
        that was taken again is among them once more.

        Raises:
            PathNotFoundError, PathIsNotSequenceError: there is no sequence, at the first look.
            RunDeletedError: its shots were deleted.
        """
        try:
            stats = self._find(session)
            sequence = Sequence(self._path, session)
            new = sequence._reader_().get_recorded_indices(self._seen)
        except TransactionConflictError:
            # It was moved while it was looked for.
            self._last_commit = None
            return []
        self._start_time = stats.start_time
        self._seen += len(new)
        self.has_ended = stats.state.has_ended()
        # Of a shot that was taken again meanwhile, there is only the last attempt to be seen.
        indices = reversed(dict.fromkeys(reversed(new)))
        return [Shot(sequence, index) for index in indices]

    def _find(self, session: ExperimentSession) -> SequenceStats:
        if self._created is None:
            with naming_closest_sequence(self._path, session.sequences) as sequences:
                stats = sequences.get_stats(self._path)
            self._created = session.paths.get_path_creation_date(self._path)
            return stats
        try:
            stats = session.sequences.get_stats(self._path)
        except PathError:
            return self._find_elsewhere(session, "deleted")
        if self._start_time not in (None, stats.start_time):
            return self._find_elsewhere(session, "reset to a draft, or replaced by another one")
        created = session.paths.get_path_creation_date(self._path)
        if self._start_time is None and created != self._created:
            # Its date was changed, unless it was moved and another one is here.
            moved = self._find_moved(session)
            self._created = created if moved is None else self._created
            return moved or stats
        return stats

    def _find_elsewhere(self, session: ExperimentSession, fate: str) -> SequenceStats:
        """Find where the run was moved to."""
        moved = self._find_moved(session)
        if moved is not None:
            return moved
        raise RunDeletedError(
            f"Sequence {self._path} was {fate} while it was followed, after {self._seen} shots. "
            "There may have been more. If it is to run again, follow it once more."
        )

    def _find_moved(self, session: ExperimentSession) -> SequenceStats | None:
        for summary in session.sequences.get_summaries(PureSequencePath.root()):
            began_then = self._start_time in (None, summary.start_time)
            if began_then and summary.created == self._created:
                self._path = summary.path
                return session.sequences.get_stats(summary.path)
        return None


def follow(following: Following, open_session: Callable[[], ExperimentSession]) -> Iterator[Shot]:
    """Yield the shots that are new, in a session that lasts until the next one is asked for.

    Args:
        following: Whose shots.
        open_session: What returns a session to look into, one for each look.
    """
    while not following.has_ended:
        found_shots = False
        if following.is_due():
            with open_session() as session:
                for shot in following.look(session):
                    found_shots = True
                    yield shot
        # What has used the shots may have taken longer than a wait.
        if not (found_shots or following.has_ended):
            wait(following.poll)


def wait(poll: float) -> None:
    """Wait until the next look."""
    time.sleep(min(poll, _LONGEST_SLEEP))
