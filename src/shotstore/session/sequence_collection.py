"""The sequences: their recipes, states and shots."""

import abc
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import attrs
import numpy as np

from shotstore.model import (
    Data,
    DataSchema,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    TimeLanes,
)
from shotstore.model.structures import Structure, structure_of
from shotstore.paths import PureSequencePath
from shotstore.session import data_rules
from shotstore.session.columns import (
    ShotColumns,
    ShotRows,
    as_number,
    data_column,
    parameter_column,
    row_size,
    time_column,
)
from shotstore.session.summaries import SequenceSummary
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

if TYPE_CHECKING:
    import polars

_LARGEST_BATCH = 16 * 2**20  # bytes


@attrs.frozen(order=True)
class ShotId:
    """Which shot."""

    sequence_path: PureSequencePath
    index: int
    """The place of the shot in the iteration of its sequence, from 0."""


@attrs.frozen(order=True)
class DataId:
    """Which data of which shot."""

    shot_id: ShotId
    data_label: str


@attrs.frozen
class SequenceStats:
    """How far a sequence is."""

    state: State
    start_time: datetime | None
    """When it began to run, in UTC; None before, and for one that crashed while preparing."""
    stop_time: datetime | None
    """When it ended, in UTC; None before."""
    number_completed_shots: int
    expected_number_shots: int | None
    """How many shots its iteration makes; None if that cannot be known before."""


class SequenceCollection(abc.ABC):
    """The sequences of a session, ``session.sequences``.

    Every method that takes the path of a sequence, except :meth:`create`, raises
    :class:`~shotstore.PathNotFoundError` if nothing is there and
    :class:`~shotstore.PathIsNotSequenceError` if a folder is, unless its own documentation says
    otherwise. All times that are returned are in UTC. What is returned belongs to the caller:
    changing it changes nothing here.
    """

    # The tree

    @abc.abstractmethod
    def is_sequence(self, path: PureSequencePath) -> bool:
        """Return whether the path is a sequence, and not a folder.

        Raises:
            PathNotFoundError: nothing is at the path.
        """

    @abc.abstractmethod
    def get_contained_sequences(self, path: PureSequencePath) -> set[PureSequencePath]:
        """Return all sequences inside a folder at any depth; of a sequence, the path itself.

        Raises:
            PathNotFoundError: nothing is at the path.
        """

    @abc.abstractmethod
    def get_sequences_in_state(self, state: State) -> set[PureSequencePath]:
        """Return all sequences of the storage that are in the state."""

    @abc.abstractmethod
    def get_sequences_with_text(self, path: PureSequencePath, text: str) -> set[PureSequencePath]:
        """Return the sequences at or inside a path whose recipe, note or exception holds a text.

        Upper and lower case are the same.

        Raises:
            PathNotFoundError: nothing is at the path.
        """

    @abc.abstractmethod
    def get_summaries(self, path: PureSequencePath) -> list[SequenceSummary]:
        """Return what is known of all sequences at or inside a path, sorted by path.

        This is fast for thousands of sequences: no shots are read, but for the number of those of
        a sequence that is running. One that is damaged is left out, unless it is at the path.

        Raises:
            PathNotFoundError: nothing is at the path.
        """

    @abc.abstractmethod
    def create(
        self,
        path: PureSequencePath,
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
            PathExistsError: the storage cannot hold two names that differ only in case.
            TypeError: the storage's serializer does not know the class of the recipe.
            ValueError: the number of shots that the iteration makes is negative or beyond 64 bits.
        """

    # The recipe

    @abc.abstractmethod
    def get_iteration_configuration(self, path: PureSequencePath) -> IterationConfiguration:
        """Return what the sequence varies."""

    @abc.abstractmethod
    def set_iteration_configuration(
        self, path: PureSequencePath, iteration_configuration: IterationConfiguration
    ) -> None:
        """Change what the sequence varies, and with it the expected number of shots.

        Raises:
            SequenceNotEditableError: it is not a draft.
            TypeError: the storage's serializer does not know the class.
            ValueError: the number of shots that it makes is negative or beyond 64 bits.
        """

    @abc.abstractmethod
    def get_time_lanes(self, path: PureSequencePath) -> TimeLanes:
        """Return what the sequence plays in each shot."""

    @abc.abstractmethod
    def set_time_lanes(self, path: PureSequencePath, time_lanes: TimeLanes) -> None:
        """Change what the sequence plays in each shot.

        Raises:
            SequenceNotEditableError: it is not a draft.
            TypeError: the storage's serializer does not know the class.
        """

    # The state

    @abc.abstractmethod
    def get_state(self, path: PureSequencePath) -> State:
        """Return what the sequence is doing."""

    @abc.abstractmethod
    def get_stats(self, path: PureSequencePath) -> SequenceStats:
        """Return how far the sequence is; its values belong to one moment."""

    @abc.abstractmethod
    def set_preparing(
        self,
        path: PureSequencePath,
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

    @abc.abstractmethod
    def set_running(self, path: PureSequencePath, start_time: datetime | Literal["now"]) -> None:
        """Let a sequence that is preparing take shots.

        Args:
            path: The sequence.
            start_time: An aware time in any zone.

        Raises:
            InvalidStateTransitionError: it is not preparing.
            ValueError: the time has no time zone.
        """

    @abc.abstractmethod
    def set_finished(self, path: PureSequencePath, stop_time: datetime | Literal["now"]) -> None:
        """End a running sequence that has done its work.

        Args:
            path: The sequence.
            stop_time: An aware time in any zone; "now" is never before the start.

        Raises:
            InvalidStateTransitionError: it is not running.
            ValueError: the time has no time zone, or is before the start.
        """

    @abc.abstractmethod
    def set_interrupted(self, path: PureSequencePath, stop_time: datetime | Literal["now"]) -> None:
        """End a running sequence that was stopped by its user.

        Args:
            path: The sequence.
            stop_time: An aware time in any zone; "now" is never before the start.

        Raises:
            InvalidStateTransitionError: it is not running.
            ValueError: the time has no time zone, or is before the start.
        """

    @abc.abstractmethod
    def set_crashed(
        self,
        path: PureSequencePath,
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

    @abc.abstractmethod
    def reset_to_draft(self, path: PureSequencePath) -> None:
        """Make a sequence that has ended a draft again.

        Its recipe is kept. Its shots, its times, its error, and the parameters and devices of its
        launch are deleted.

        Raises:
            InvalidStateTransitionError: it has not ended.
        """

    @abc.abstractmethod
    def get_exception(self, path: PureSequencePath) -> TracebackSummary:
        """Return the error that the sequence crashed with.

        Raises:
            SequenceNotCrashedError: it has not crashed.
        """

    @abc.abstractmethod
    def get_global_parameters(self, path: PureSequencePath) -> ParameterNamespace:
        """Return the global parameters as they were when the sequence was launched.

        Raises:
            SequenceNotLaunchedError: it is a draft.
        """

    @abc.abstractmethod
    def get_device_configurations(
        self, path: PureSequencePath
    ) -> Mapping[str, DeviceConfiguration]:
        """Return the devices as they were when the sequence was launched, by name.

        A configuration whose class is not known here is an ``UnknownDeviceConfiguration``.

        Raises:
            SequenceNotLaunchedError: it is a draft.
        """

    # Tags and notes

    @abc.abstractmethod
    def get_tags(self, path: PureSequencePath) -> set[str]:
        """Return the tags of the sequence."""

    @abc.abstractmethod
    def set_tags(self, path: PureSequencePath, tags: Collection[str]) -> None:
        """Replace the tags of the sequence, in any state, also when it runs or has ended.

        They stay when it is reset, and come along when it is moved or copied.

        Args:
            path: The sequence.
            tags: Texts of 1 to 100 characters, without commas, control characters and line breaks,
                and without spaces at both ends.

        Raises:
            ValueError: one of them is no tag.
            TypeError: one is no text, or they are a single text.
        """

    @abc.abstractmethod
    def get_note(self, path: PureSequencePath) -> str:
        """Return the note on the sequence; empty if there is none."""

    @abc.abstractmethod
    def set_note(self, path: PureSequencePath, note: str) -> None:
        """Replace the note on the sequence, in any state, also when it runs or has ended.

        It stays when the sequence is reset, and comes along when it is moved or copied.

        Args:
            path: The sequence.
            note: Any text, of any number of lines; an empty one for no note.

        Raises:
            ValueError: it holds a lone surrogate.
            TypeError: it is no text.
        """

    # The shots

    @abc.abstractmethod
    def create_shot(
        self,
        shot_id: ShotId,
        shot_parameters: Mapping[str, Parameter],
        shot_data: Mapping[str, Data],
        shot_start_time: datetime,
        shot_end_time: datetime,
    ) -> None:
        """Record a shot of a running sequence.

        Args:
            shot_id: The sequence, and an index that it has no shot of; any order, gaps allowed.
            shot_parameters: The parameters of the shot, by name.
            shot_data: What was measured, by label. An array is stored with its type and shape.
            shot_start_time: An aware time in any zone.
            shot_end_time: An aware time in any zone, not before the start.

        Raises:
            SequenceNotRunningError: the sequence is not running.
            ShotExistsError: it has a shot of this index.
            ValueError: the index is negative or not below the expected number of shots, a time
                has no time zone, the shot ends before it starts, or a name, label or text cannot be
                stored.
            TypeError: the index is not an integer, or a parameter or data (the message names
                its label) is of a type that cannot be stored, such as an array of objects.
        """

    @abc.abstractmethod
    def get_shots(self, path: PureSequencePath) -> list[ShotId]:
        """Return the shots that the sequence has, in the order they were recorded."""

    @abc.abstractmethod
    def get_shot_parameters(self, path: PureSequencePath, shot_index: int) -> dict[str, Parameter]:
        """Return the parameters of a shot, by name.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """

    @abc.abstractmethod
    def get_all_shot_data(self, path: PureSequencePath, shot_index: int) -> dict[str, Data]:
        """Return all data of a shot, by label, in the types and shapes that were stored.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """

    @abc.abstractmethod
    def get_shot_data_by_label(self, data: DataId) -> Data:
        """Return the data of a shot under one label.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            DataNotFoundError: the shot has no data under the label; the message names close
                ones.
        """

    @abc.abstractmethod
    def get_shot_data_by_labels(
        self, path: PureSequencePath, shot_index: int, labels: Collection[str]
    ) -> dict[str, Data]:
        """Return the data of a shot under some labels, by label; the rest is not read.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
            DataNotFoundError: the shot has no data under one or more of the labels; the message
                names them all, and close ones.
            TypeError: ``labels`` is a single text.
        """

    @abc.abstractmethod
    def get_shot_start_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        """Return when the shot began, in UTC.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """

    @abc.abstractmethod
    def get_shot_end_time(self, path: PureSequencePath, shot_index: int) -> datetime:
        """Return when the shot ended, in UTC.

        Raises:
            ShotNotFoundError: the sequence has no shot of this index.
        """

    @abc.abstractmethod
    def get_parameter_schema(self, path: PureSequencePath) -> ParameterSchema:
        """Return the types and units of the parameters that the shots have.

        Of a sequence with shots it is read off the shots. Before that it is computed from the
        iteration and the global parameters: those of the launch or, for a draft, the session's.

        Raises:
            ValueError: it has no shots, and its recipe cannot be evaluated.
        """

    # Many shots at once

    def get_data_schema(self, path: PureSequencePath) -> DataSchema:
        """Return the type and shape of the data that the shots have, by label."""
        schema = DataSchema()
        for shot in self.get_shots(path):
            schema = schema.merged(DataSchema.of(self.get_all_shot_data(path, shot.index)))
        return schema

    def has_wide_integers(self, path: PureSequencePath) -> bool:
        """Return whether an integer beyond 64 bits is among the parameters and numbers of the
        shots."""
        if not self.get_shots(path):
            return False
        parameters, data = self.get_parameter_schema(path), self.get_data_schema(path)
        found = self.get_columns(
            path,
            parameters=[name for name, kind in parameters.items() if kind.type == "int"],
            labels=[label for label, kind in data.items() if kind.kind == "int"],
        )
        columns = [*found.parameters.values(), *found.data.values()]
        return any(column.values.dtype.kind == "O" for column in columns)

    def get_structures(
        self, path: PureSequencePath, labels: Collection[str]
    ) -> dict[str, list[Structure]]:
        """Return the structures that the data under some labels has, each once, by label.

        They are in the order of the shots that have them. Shots without data under a label count
        for nothing.

        Raises:
            DataNotFoundError: no shot has data under one of the labels.
            TypeError: ``labels`` is a single text.
        """
        kinds = data_rules.check_data_labels(path, labels, self.get_data_schema(path))
        found: dict[str, dict[Structure, None]] = {label: {} for label in kinds}
        count = len(self.get_shots(path))
        step = max(1, _LARGEST_BATCH // row_size(kinds.values()))
        for start in range(0, count, step):
            rows = range(start, min(start + step, count))
            for label, column in self.get_columns(path, labels=list(kinds), rows=rows).data.items():
                values = column.values[column.is_present]
                is_array = kinds[label].kind == "array"
                items = map(np.asarray, values) if is_array else values.tolist()
                found[label].update(dict.fromkeys(map(structure_of, items)))
        return {label: list(structures) for label, structures in found.items()}

    def scan(self, path: PureSequencePath) -> "polars.LazyFrame":
        """Return the shots as a polars LazyFrame, which reads what a query asks for and no more.

        Its columns are ``sequence``, ``shot_index``, ``shot_start_time``, ``shot_end_time`` (in
        UTC), then one a parameter, in the unit of :meth:`get_parameter_schema`, and one a label. A
        label that is called like one of the others is ``data.<label>``. Missing values are null.
        Conditions on parameters are applied before any array is read.

        It has the shots that the session sees when it is collected, by increasing index, and is to
        be collected before the session ends, after which it raises
        :class:`~shotstore.ExperimentSessionNotActiveError`.

        Raises:
            MissingPackageError: polars is not installed.
        """
        from shotstore.analysis.scan import scan_sequence

        return scan_sequence(self, path)

    def get_columns(
        self,
        path: PureSequencePath,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        """Return some parameters and labels of many shots as arrays; the rest is not read.

        A parameter comes in the type and unit of :meth:`get_parameter_schema`, data in the type of
        :meth:`get_data_schema`.

        Args:
            path: The sequence.
            parameters: Names of parameters, without those that are not asked for.
            labels: Labels of data.
            rows: Which shots, by their places in :meth:`get_shots`; by default all.

        Raises:
            DataNotFoundError: no shot has such a parameter, or data under such a label.
            IndexError: a row is not there.
            IncompatibleUnitsError: a parameter has units that cannot be converted.
            TypeError: ``parameters`` or ``labels`` is a single text.
        """
        shots = self.get_shots(path)
        wanted = data_rules.check_rows(path, rows, len(shots)).tolist()
        has_shots = bool(shots)
        kinds = data_rules.check_parameter_names(
            path, parameters, self.get_parameter_schema(path) if has_shots else {}
        )
        types = data_rules.check_data_labels(path, labels, self.get_data_schema(path))
        indices = [shots[row].index for row in wanted]
        numbers = [self.get_shot_parameters(path, index) for index in indices]
        data = [self.get_all_shot_data(path, index) for index in indices]
        starts = [self.get_shot_start_time(path, index) for index in indices]
        ends = [self.get_shot_end_time(path, index) for index in indices]
        return ShotColumns(
            shot_index=np.array(indices, np.int64),
            start_time=time_column(starts),
            end_time=time_column(ends),
            parameters={
                name: parameter_column(name, kind, [as_number(shot.get(name)) for shot in numbers])
                for name, kind in kinds.items()
            },
            data={
                label: data_column(kind, [shot.get(label) for shot in data])
                for label, kind in types.items()
            },
        )
