"""A sequence, as an object to work with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Self

import attrs

from shotstore.model import (
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
)
from shotstore.model.scalars import check_text
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import shown
from shotstore.records.shot_rules import check_shot_index
from shotstore.records.values import Interruption, SequenceStats
from shotstore.session.shot import Shot
from shotstore.session.shots_at_once import ShotsAtOnce
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    from shotstore.session.experiment_session import ExperimentSession


@attrs.frozen(repr=False)
class Sequence(ShotsAtOnce):
    """A sequence of a session.

    To build one reads nothing, and it keeps nothing: each method asks the session. Each raises
    :class:`~shotstore.PathNotFoundError`, with a note naming the closest existing sequence, if
    nothing is at the path, and :class:`~shotstore.PathIsNotSequenceError` if a folder is.

    Two are equal if they have the same path and session.
    """

    path: PureSequencePath = attrs.field(converter=PureSequencePath)
    session: ExperimentSession = attrs.field()

    @session.validator
    def _check_session(self, attribute: object, session: object) -> None:
        del attribute
        if not hasattr(type(session), "sequences"):
            raise TypeError(
                f"A Sequence is of a session, as storage.session() returns it, not of "
                f"{shown(session)}."
            )

    @classmethod
    def create(
        cls,
        path: PureSequencePath | str,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
        session: ExperimentSession,
    ) -> Self:
        """Create a draft, and the folders above it that do not exist.

        Raises:
            PathIsRootError: the path is the root.
            PathIsSequenceError: the path or one of its ancestors is a sequence.
            PathHasChildrenError: the path is a folder that holds other paths.
            InvalidPathFormatError: the path is not valid, or too long for the storage.
        """
        sequence = cls(path, session)
        session.sequences.create(sequence.path, iteration_configuration, time_lanes)
        return sequence

    def duplicate(self, target: PureSequencePath | str) -> Self:
        """Create a draft with the same recipe at another path, and return it.

        Raises:
            PathIsRootError: the target is the root.
            PathIsSequenceError: the target or one of its ancestors is a sequence.
            PathHasChildrenError: the target is a folder that holds other paths.
            InvalidPathFormatError: the target is not valid, or too long for the storage.
        """
        return type(self).create(
            target, self.get_iteration_configuration(), self.get_time_lanes(), self.session
        )

    def __len__(self) -> int:
        """Return the number of shots that the sequence has."""
        return self.get_stats().number_completed_shots

    def __bool__(self) -> bool:
        # Without this, `if sequence:` would read the storage, and be False before the first shot.
        return True

    def __iter__(self) -> Iterator[Shot]:
        """Iterate over the shots that the sequence has, by increasing index."""
        return iter(self.get_shots())

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def get_state(self) -> State:
        """Return what the sequence is doing."""
        with self._sequences() as sequences:
            return sequences.get_state(self.path)

    def get_stats(self) -> SequenceStats:
        """Return how far the sequence is; its values belong to one moment."""
        with self._sequences() as sequences:
            return sequences.get_stats(self.path)

    def get_start_time(self) -> datetime | None:
        """Return when the sequence began to run, in UTC, or None if it has not."""
        return self.get_stats().start_time

    def get_end_time(self) -> datetime | None:
        """Return when the sequence ended, in UTC, or None if it has not."""
        return self.get_stats().stop_time

    def get_expected_number_of_shots(self) -> int | None:
        """Return how many shots the iteration makes, or None if that cannot be known before."""
        return self.get_stats().expected_number_shots

    def get_traceback_summary(self) -> TracebackSummary:
        """Return the error that the sequence crashed with.

        Raises:
            SequenceNotCrashedError: it has not crashed.
        """
        with self._sequences() as sequences:
            return sequences.get_exception(self.path)

    def get_interruptions(self) -> tuple[Interruption, ...]:
        """Return how the sequence had ended each time before it was resumed, the first one first.

        How it has ended since then is in :meth:`get_stats`.
        """
        with self._sequences() as sequences:
            return sequences.get_interruptions(self.path)

    def resume(self, resume_time: datetime | Literal["now"] = "now") -> None:
        """Let the sequence, which was interrupted or has crashed, run again with its shots.

        It takes further shots, and ends again. How it had ended is kept: see
        :meth:`get_interruptions`.

        Args:
            resume_time: An aware time in any zone; "now" is never before the end.

        Raises:
            InvalidStateTransitionError: it is in another state, or crashed before it ran.
            ValueError: the time has no time zone, or is before the end.
        """
        with self._sequences() as sequences:
            sequences.resume(self.path, resume_time)

    def get_shots(self) -> list[Shot]:
        """Return the shots that the sequence has, by increasing index."""
        with self._sequences() as sequences:
            indices = sorted(shot.index for shot in sequences.get_shots(self.path))
        return [Shot(self, index) for index in indices]

    def get_shot(self, index: int) -> Shot:
        """Return the shot of this index.

        This reads nothing: if there is no such shot, its first use raises ``ShotNotFoundError``.

        Raises:
            ValueError: the index is negative; indices have gaps, so none counts from the end.
            TypeError: it is not an integer.
        """
        return Shot(self, check_shot_index(self.path, index, None))

    def get_iteration_configuration(self) -> IterationConfiguration:
        """Return what the sequence varies."""
        with self._sequences() as sequences:
            return sequences.get_iteration_configuration(self.path)

    def get_time_lanes(self) -> TimeLanes:
        """Return what the sequence plays in each shot."""
        with self._sequences() as sequences:
            return sequences.get_time_lanes(self.path)

    def get_global_parameters(self) -> ParameterNamespace:
        """Return the global parameters as they were when the sequence was launched.

        Raises:
            SequenceNotLaunchedError: it is a draft.
            LostConfigurationError: they were lost when the sequence was damaged and recovered.
        """
        with self._sequences() as sequences:
            return sequences.get_global_parameters(self.path)

    def get_device_configurations(self) -> Mapping[str, DeviceConfiguration]:
        """Return the devices as they were when the sequence was launched, by name.

        Raises:
            SequenceNotLaunchedError: it is a draft.
        """
        with self._sequences() as sequences:
            return sequences.get_device_configurations(self.path)

    def get_tags(self) -> set[str]:
        """Return the tags of the sequence."""
        with self._sequences() as sequences:
            return sequences.get_tags(self.path)

    def set_tags(self, tags: Collection[str]) -> None:
        """Replace the tags of the sequence, in any state, also when it runs or has ended.

        Args:
            tags: Texts of 1 to 100 characters, without commas, control characters and line breaks,
                and without spaces at both ends.

        Raises:
            ValueError: one of them is not a tag.
            TypeError: one is not a text, or they are a single text.
        """
        with self._sequences() as sequences:
            sequences.set_tags(self.path, tags)

    def add_tag(self, tag: str) -> None:
        """Give the sequence a tag, which it may have already.

        Raises:
            ValueError: it is not a tag, as :meth:`set_tags` says it.
            TypeError: it is not a text.
        """
        self.set_tags([*self.get_tags(), tag])

    def remove_tag(self, tag: str) -> None:
        """Take a tag from the sequence, if it has it.

        Raises:
            TypeError: it is not a text.
        """
        self.set_tags(self.get_tags() - {check_text(tag, "A tag")})

    def get_note(self) -> str:
        """Return the note on the sequence; empty if there is none."""
        with self._sequences() as sequences:
            return sequences.get_note(self.path)

    def set_note(self, note: str) -> None:
        """Replace the note on the sequence, in any state, also when it runs or has ended.

        Args:
            note: Any text, of any number of lines; an empty one for no note.

        Raises:
            ValueError: it holds a lone surrogate.
            TypeError: it is not a text.
        """
        with self._sequences() as sequences:
            sequences.set_note(self.path, note)

    def get_local_parameters(self) -> set[str]:
        """Return the names of the parameters that the iteration of the sequence sets."""
        return set(self.get_iteration_configuration().get_parameter_names())

    def get_parameter_names(self, which: Literal["all", "sequence"] = "all") -> set[str]:
        """Return the names of the parameters that a shot has.

        Args:
            which: "sequence" for those that the iteration sets, "all" for these and the global
                ones: those of the launch or, for a draft, the session's.

        Raises:
            ValueError: ``which`` is something else.
        """
        if which not in ("all", "sequence"):
            raise ValueError(f'which must be "all" or "sequence", not {which!r}.')
        names = self.get_local_parameters()
        if which == "all":
            draft = self.get_state() is State.DRAFT
            names.update((self.session if draft else self).get_global_parameters().names())
        return names

    def get_parameter_schema(self) -> ParameterSchema:
        """Return the types and units of the parameters that the shots have.

        Of a sequence with shots it is read off the shots. Before that it is computed from the
        iteration and the global parameters: those of the launch or, for a draft, the session's.

        Raises:
            ValueError: it has no shots, and its recipe cannot be evaluated.
        """
        with self._sequences() as sequences:
            return sequences.get_parameter_schema(self.path)

    def follow(self, *, poll: float = 0.2, skip: int = 0) -> Iterator[Shot]:
        """Yield the shots of the sequence as they are committed, until it has ended.

        First come those that it has, then each further one once, in the order of recording; one
        that is taken again comes once more. They are seen in sessions of their own, so this session
        sees none of the new ones, and had better end first: ``storage.follow(path)`` needs none.

        Args:
            poll: Seconds between two looks.
            skip: How many of the first shots are left out. One that was taken again counts each
                time.

        Raises:
            ValueError: a number is negative.
            RunDeletedError: the sequence was reset or deleted before its last shot was yielded.
        """
        return self.session.storage.follow(self.path, poll=poll, skip=skip)
