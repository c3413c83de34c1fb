"""The sequences: where they are, their recipes and states, tags and notes."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

from shotstore.model import (
    DeviceConfiguration,
    IterationConfiguration,
    ParameterNamespace,
    TimeLanes,
)
from shotstore.model.scalars import check_text
from shotstore.paths import AnyPath, PureSequencePath, as_path
from shotstore.records.annotations import check_note, check_tags
from shotstore.records.arguments import as_mapping, as_state, as_traceback
from shotstore.records.storage_reader import StorageReader
from shotstore.records.summaries import SequenceSummary
from shotstore.records.times import as_utc
from shotstore.records.values import Interruption, SequenceStats
from shotstore.session.shot_results import ResultCollection
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary


class SequenceCollection(ResultCollection):
    """The sequences of a session, ``session.sequences``.

    Every method that takes the path of a sequence, except :meth:`create`, raises
    :class:`~shotstore.PathNotFoundError` if nothing is there and
    :class:`~shotstore.PathIsNotSequenceError` if a folder is, unless its own documentation says
    otherwise. All times that are returned are in UTC. What is returned belongs to the caller:
    changing it changes nothing here.
    """

    # The tree

    def is_sequence(self, path: AnyPath) -> bool:
        """Return whether the path is a sequence, and not a folder.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        place, tree = as_path(path), self._records.tree
        is_sequence: bool = self._records.transaction.read(lambda: tree.get(place).is_sequence)
        return is_sequence

    def get_contained_sequences(self, path: AnyPath) -> set[PureSequencePath]:
        """Return all sequences inside a folder at any depth; of a sequence, the path itself.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        return self._storage_reader().get_contained_sequences(as_path(path))

    def get_sequences_in_state(self, state: State | str) -> set[PureSequencePath]:
        """Return all sequences of the storage that are in the state."""
        return self._records.sequences_in_state(as_state(state))

    def get_sequences_with_text(self, path: AnyPath, text: str) -> set[PureSequencePath]:
        """Return the sequences at or inside a path whose recipe, note or exception holds a text.

        Upper and lower case are the same.

        Raises:
            PathNotFoundError: nothing is at the path.
        """
        return self._storage_reader().get_sequences_with_text(
            as_path(path), check_text(text, "What to look for")
        )

    def get_summaries(self, path: AnyPath) -> list[SequenceSummary]:
        """Return what is known of all sequences at or inside a path, sorted by path.

        This is fast for thousands of sequences: no shots are read, but for the number of those of
        a sequence that is running. One that is damaged is left out, unless it is at the path.

        Raises:
            PathNotFoundError: nothing is at the path.
            TransactionConflictError: a running sequence was reset or moved away in the midst of it.
        """
        return self._storage_reader().get_summaries(as_path(path))

    def create(
        self,
        path: AnyPath,
        iteration_configuration: IterationConfiguration,
        time_lanes: TimeLanes,
    ) -> None:
        """Create a draft, and the folders above it that do not exist.

        An empty folder at the path becomes the sequence.

        Args:
            path: Where to create it.
            iteration_configuration: What to vary.
            time_lanes: What to play in each shot.

        Raises:
            PathIsRootError: the path is the root.
            PathIsSequenceError: the path or one of its ancestors is a sequence.
            PathHasChildrenError: the path is a folder that holds other paths.
            InvalidPathFormatError: the storage cannot hold a name of this length.
            PathExistsError: a name differs from that of a sibling in upper and lower case only.
            TypeError: the storage's serializer does not know the class of the recipe.
            ValueError: the number of shots that the iteration makes is negative or beyond 64 bits.
        """
        self._writer(path).create(iteration_configuration, time_lanes)

    # The recipe

    def get_iteration_configuration(self, path: AnyPath) -> IterationConfiguration:
        """Return what the sequence varies."""
        return self._reader(path).get_iteration_configuration()

    def set_iteration_configuration(
        self, path: AnyPath, iteration_configuration: IterationConfiguration
    ) -> None:
        """Change what the sequence varies, and with it the expected number of shots.

        Raises:
            SequenceNotEditableError: it is not a draft.
            TypeError: the storage's serializer does not know the class.
            ValueError: the number of shots that it makes is negative or beyond 64 bits.
        """
        self._writer(path).set_iteration(iteration_configuration)

    def get_time_lanes(self, path: AnyPath) -> TimeLanes:
        """Return what the sequence plays in each shot."""
        return self._reader(path).get_time_lanes()

    def set_time_lanes(self, path: AnyPath, time_lanes: TimeLanes) -> None:
        """Change what the sequence plays in each shot.

        Raises:
            SequenceNotEditableError: it is not a draft.
            TypeError: the storage's serializer does not know the class.
        """
        self._writer(path).set_time_lanes(time_lanes)

    # The state

    def get_state(self, path: AnyPath) -> State:
        """Return what the sequence is doing."""
        return self._reader(path).get_record().state

    def get_stats(self, path: AnyPath) -> SequenceStats:
        """Return how far the sequence is; its values belong to one moment."""
        return self._reader(path).get_stats()

    def set_preparing(
        self,
        path: AnyPath,
        device_configurations: Mapping[str, DeviceConfiguration],
        global_parameters: ParameterNamespace,
    ) -> None:
        """Launch a draft: from here on its recipe is fixed.

        Args:
            path: The sequence.
            device_configurations: The devices that it runs with, by name, kept with it.
            global_parameters: The parameters that it runs with, kept with it.

        Raises:
            InvalidStateTransitionError: it is not a draft.
            TypeError: the storage's serializer does not know the class of a configuration.
        """
        devices = as_mapping(device_configurations, "Device configurations")
        self._writer(path).launch(devices, global_parameters)

    def set_running(self, path: AnyPath, start_time: datetime | Literal["now"]) -> None:
        """Let a sequence that is preparing take shots.

        Args:
            path: The sequence.
            start_time: An aware time in any zone.

        Raises:
            InvalidStateTransitionError: it is not preparing.
            ValueError: the time has no time zone.
        """
        self._writer(path).start(as_utc(start_time, "start_time"))

    def set_finished(self, path: AnyPath, stop_time: datetime | Literal["now"]) -> None:
        """End a running sequence that has done its work.

        Args:
            path: The sequence.
            stop_time: An aware time in any zone; "now" is never before the start.

        Raises:
            InvalidStateTransitionError: it is not running.
            ValueError: the time has no time zone, or is before the start.
        """
        self._writer(path).end(State.FINISHED, stop_time)

    def set_interrupted(self, path: AnyPath, stop_time: datetime | Literal["now"]) -> None:
        """End a running sequence that was stopped by its user.

        Args:
            path: The sequence.
            stop_time: An aware time in any zone; "now" is never before the start.

        Raises:
            InvalidStateTransitionError: it is not running.
            ValueError: the time has no time zone, or is before the start.
        """
        self._writer(path).end(State.INTERRUPTED, stop_time)

    def set_crashed(
        self,
        path: AnyPath,
        tb_summary: TracebackSummary,
        stop_time: datetime | Literal["now"],
    ) -> None:
        """End a sequence that is preparing or running, and that an error has stopped.

        Args:
            path: The sequence.
            tb_summary: The error.
            stop_time: An aware time in any zone; "now" is never before the start.

        Raises:
            InvalidStateTransitionError: it is neither preparing nor running.
            ValueError: the time has no time zone, or is before the start.
        """
        self._writer(path).end(State.CRASHED, stop_time, as_traceback(tb_summary))

    def resume(self, path: AnyPath, resume_time: datetime | Literal["now"] = "now") -> None:
        """Let a sequence that was interrupted, or has crashed, run again with the shots it has.

        It takes further shots, and ends again. How it had ended is kept: see
        :meth:`get_interruptions`.

        Args:
            path: The sequence.
            resume_time: An aware time in any zone; "now" is never before the end.

        Raises:
            InvalidStateTransitionError: it is in another state, or crashed before it ran.
            ValueError: the time has no time zone, or is before the end.
        """
        self._writer(path).resume(resume_time)

    def reset_to_draft(self, path: AnyPath) -> None:
        """Make a sequence that has ended a draft again.

        Its recipe is kept. Its shots, its times, its errors and interruptions, and the parameters
        and devices of its launch are deleted.

        Raises:
            InvalidStateTransitionError: it has not ended.
        """
        self._writer(path).reset()

    def get_exception(self, path: AnyPath) -> TracebackSummary:
        """Return the error that the sequence crashed with.

        Raises:
            SequenceNotCrashedError: it has not crashed.
        """
        return self._reader(path).get_exception()

    def get_interruptions(self, path: AnyPath) -> tuple[Interruption, ...]:
        """Return how the sequence had ended each time before it was resumed, the first one first.

        How it has ended since then is in :meth:`get_stats`.
        """
        return self._reader(path).get_interruptions()

    def get_global_parameters(self, path: AnyPath) -> ParameterNamespace:
        """Return the global parameters as they were when the sequence was launched.

        Raises:
            SequenceNotLaunchedError: it is a draft.
            LostConfigurationError: they were lost when the sequence was damaged and recovered.
        """
        return self._reader(path).get_global_parameters()

    def get_device_configurations(self, path: AnyPath) -> Mapping[str, DeviceConfiguration]:
        """Return the devices as they were when the sequence was launched, by name.

        A configuration whose class is not known here is an ``UnknownDeviceConfiguration``.

        Raises:
            SequenceNotLaunchedError: it is a draft.
        """
        return self._reader(path).get_device_configurations()

    # Tags and notes

    def get_tags(self, path: AnyPath) -> set[str]:
        """Return the tags of the sequence."""
        return set(self._reader(path).get_record().tags)

    def set_tags(self, path: AnyPath, tags: Collection[str]) -> None:
        """Replace the tags of the sequence, in any state, also when it runs or has ended.

        They stay when it is reset, and come along when it is moved or copied.

        Args:
            path: The sequence.
            tags: Texts of 1 to 100 characters, without commas, control characters and line breaks,
                and without spaces at both ends.

        Raises:
            ValueError: one of them is not a tag.
            TypeError: one is not a text, or they are a single text.
        """
        self._writer(path).annotate(tags=check_tags(tags))

    def get_note(self, path: AnyPath) -> str:
        """Return the note on the sequence; empty if there is none."""
        return self._reader(path).get_record().note

    def set_note(self, path: AnyPath, note: str) -> None:
        """Replace the note on the sequence, in any state, also when it runs or has ended.

        It stays when the sequence is reset, and comes along when it is moved or copied.

        Args:
            path: The sequence.
            note: Any text, of any number of lines; an empty one for no note.

        Raises:
            ValueError: it holds a lone surrogate.
            TypeError: it is not a text.
        """
        self._writer(path).annotate(note=check_note(note))

    def _storage_reader(self) -> StorageReader:
        return StorageReader(self._records, self._serializer)
