"""What is read of one sequence, and of all sequences of a storage.

A reader belongs to a session, and reads when it is asked. People hand over a `Sequence`, or a
storage; each gives its reader by a method called ``_reader_``, so that analysis need not know them.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

import attrs
import numpy as np

from shotstore.errors import UnknownUnitError
from shotstore.model import (
    JSON,
    Data,
    DataSchema,
    DeviceConfiguration,
    IterationConfiguration,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    Serializer,
    TimeLanes,
)
from shotstore.model.iteration import with_stored_number
from shotstore.model.parameters import PlainParameter, from_plain
from shotstore.model.quantities import quantities_in
from shotstore.model.structures import Structure
from shotstore.paths import PureSequencePath
from shotstore.records import (
    configurations,
    data_rules,
    path_rules,
    settings,
    shot_rules,
    state_rules,
)
from shotstore.records.columns import ShotColumns, ShotRows, columns_of, joined, places_for
from shotstore.records.content import LaunchRecord, SequenceRecord
from shotstore.records.result_reader import ResultReader
from shotstore.records.stored_records import AnyRecords, RowNumbers
from shotstore.records.stored_shot import StoredShot
from shotstore.records.summaries import SequenceSummary
from shotstore.records.values import Attempt, Interruption, SequenceStats
from shotstore.state import State
from shotstore.tracebacks import TracebackSummary

_T = TypeVar("_T")


@attrs.frozen(eq=False)
class SequenceReader:
    """One sequence of a session.

    Each method does what that of :class:`~shotstore.SequenceCollection` says, and what it is given
    has been checked.
    """

    path: PureSequencePath
    _records: AnyRecords
    _serializer: Serializer

    def get_record(self) -> SequenceRecord:
        """Return its record."""
        records = self._records
        return records.known_record(self.path) or records.transaction.read(
            lambda: records.read_record(records.tree.get_sequence(self.path))
        )

    def get_stats(self) -> SequenceStats:
        records = self._records

        def read() -> SequenceStats:
            node = records.tree.get_sequence(self.path)
            record = records.read_record(node)
            return SequenceStats(
                record.state,
                record.start_time,
                record.stop_time,
                records.count_shots(node),
                record.expected_number_of_shots,
                records.recorder_of(record),
            )

        return records.transaction.read(read)

    def get_summary(self) -> SequenceSummary:
        for summary in self._records.summaries(self.path, self._serializer):
            if summary.path == self.path:
                return summary
        raise path_rules.path_is_not_sequence_error(self.path)

    def get_exception(self) -> TracebackSummary:
        records = self._records

        def read() -> TracebackSummary:
            node = records.tree.get_sequence(self.path)
            record = records.read_record(node)
            if record.state is not State.CRASHED:
                raise state_rules.not_crashed_error(self.path, record.state)
            return self._load_exception(node, record.exception)

        return records.transaction.read(read)

    def get_interruptions(self) -> tuple[Interruption, ...]:
        records = self._records

        def read() -> tuple[Interruption, ...]:
            node = records.tree.get_sequence(self.path)
            return tuple(
                Interruption(
                    each.state,
                    each.stop_time,
                    self._load_exception(node, each.exception)
                    if each.state is State.CRASHED
                    else None,
                    each.resume_time,
                )
                for each in records.read_record(node).interruptions
            )

        return records.transaction.read(read)

    def _load_exception(self, node: Any, content: JSON) -> TracebackSummary:
        try:
            return TracebackSummary.from_json(content)
        except UnknownUnitError:
            raise  # a definition is missing, and the record is as it was
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise self._records.damaged_error(node, str(error)) from error

    # The recipe, and what it was launched with

    def get_iteration_configuration(self) -> IterationConfiguration:
        record = self.get_record()
        iteration = configurations.load_iteration(self._serializer, record.iteration, self.path)
        return with_stored_number(iteration, record.expected_number_of_shots)

    def get_time_lanes(self) -> TimeLanes:
        content = self.get_record().time_lanes
        return configurations.load_time_lanes(self._serializer, content, self.path)

    def get_global_parameters(self) -> ParameterNamespace:
        content = self._get_launch().global_parameters
        return configurations.load_global_parameters(self._serializer, content, self.path)

    def get_device_configurations(self) -> Mapping[str, DeviceConfiguration]:
        return {
            name: configurations.load_device(self._serializer, name, tag, content, self.path)
            for name, (tag, content) in self._get_launch().device_configurations.items()
        }

    def _get_launch(self) -> LaunchRecord:
        records = self._records

        def read() -> LaunchRecord:
            node = records.tree.get_sequence(self.path)
            if records.read_record(node).state is State.DRAFT:
                raise state_rules.not_launched_error(self.path)
            return records.read_launch(node)

        return records.transaction.read(read)

    @property
    def results(self) -> ResultReader:
        """What was added to its shots later."""
        return ResultReader(self.path, self._records)

    # One shot

    def get_shot_start_time(self, index: int) -> datetime:
        return self._read_shot(index, lambda shot: shot.times()[0])

    def get_shot_end_time(self, index: int) -> datetime:
        return self._read_shot(index, lambda shot: shot.times()[1])

    def get_shot_parameters(self, index: int) -> dict[str, Parameter]:
        return _with_units(self._read_shot(index, lambda shot: shot.parameters()))

    def get_all_shot_data(self, index: int) -> dict[str, Data]:
        found = self._read_shot(index, lambda shot: shot.data(shot.labels()))
        return quantities_in(found)

    def get_shot_data_it_has(self, index: int, labels: Collection[str]) -> dict[str, Data]:
        """Return the data of a shot under those of some labels that it has."""
        found = self._read_shot(
            index, lambda shot: shot.data([label for label in labels if label in shot.labels()])
        )
        return quantities_in(found)

    def count_attempts(self, index: int) -> int:
        """Return how many times a shot was recorded."""
        records = self._records
        return len(
            records.transaction.read(
                lambda: records.find_attempts(records.tree.get_sequence(self.path), index)
            )
        )

    def get_shot_data_by_labels(self, index: int, labels: Collection[str]) -> dict[str, Data]:
        def read(shot: StoredShot) -> dict[str, Data]:
            has = shot.labels()
            if missing := [label for label in labels if label not in has]:
                raise data_rules.data_not_found_error(self.path, index, missing, has)
            return shot.data(labels)

        found = self._records.known_data(self.path, index, labels)
        if found is None:
            found = self._read_shot(index, read)
        return quantities_in({label: found[label] for label in labels})

    def _read_shot(self, index: int, read: Callable[[StoredShot], _T]) -> _T:
        records = self._records

        def read_shot() -> _T:
            node = records.tree.get_sequence(self.path)
            shot = records.find_shot(node, index) if shot_rules.is_countable(index) else None
            if shot is None:
                raise shot_rules.shot_not_found_error(self.path, index)
            return read(shot)

        return records.transaction.read(read_shot)

    def get_attempts(self, index: int) -> list[Attempt]:
        records = self._records

        def read() -> list[Attempt]:
            node = records.tree.get_sequence(self.path)
            found = records.find_attempts(node, index) if shot_rules.is_countable(index) else []
            if not found:
                raise shot_rules.shot_not_found_error(self.path, index)
            return [
                Attempt(
                    *shot.times(),
                    _with_units(shot.parameters()),
                    quantities_in(shot.data(shot.labels())),
                )
                for shot in found[:-1]
            ]

        return records.transaction.read(read)

    # All shots

    def get_shot_indices(self) -> Sequence[int]:
        """Return the indices of its shots, in the order of the rows that count."""
        records = self._records
        return records.transaction.read(
            lambda: records.shot_indices(records.tree.get_sequence(self.path))
        )

    def get_recorded_indices(self, first: int = 0) -> Sequence[int]:
        """Return the index of the shot in each of its rows from the ``first`` on."""
        records = self._records
        return records.transaction.read(
            lambda: records.recorded_indices(records.tree.get_sequence(self.path), first)
        )

    def get_parameter_schema(self) -> ParameterSchema:
        look = self._look()
        if look.number_of_shots:
            return look.parameters
        is_draft = self.get_record().state is State.DRAFT
        parameters = (
            settings.get_global_parameters(self._records, self._serializer)
            if is_draft
            else self.get_global_parameters()
        )
        return self.get_iteration_configuration().get_parameter_schema(parameters.evaluate())

    def get_data_schema(self) -> DataSchema:
        return self._look().data

    def has_wide_integers(self) -> bool:
        """Return whether an integer beyond 64 bits is among the parameters and numbers."""
        records, look = self._records, self._look()
        if not look.number_of_shots or not records.transaction.read(
            lambda: records.may_have_wide_integers(records.tree.get_sequence(self.path))
        ):
            return False
        found = self.get_columns(
            parameters=[name for name, kind in look.parameters.items() if kind.type == "int"],
            labels=[label for label, kind in look.data.items() if kind.kind == "int"],
        )
        columns = [*found.parameters.values(), *found.data.values()]
        return any(column.values.dtype.kind == "O" for column in columns)

    def get_structures(self, labels: Collection[str]) -> dict[str, list[Structure]]:
        """Return the structures that the data under some labels has, each once, by label.

        They are in the order of the shots that have them. Shots without data under a label count
        for nothing.
        """
        look = self._look(labels)
        wanted = data_rules.check_data_labels(self.path, labels, look.data)
        found: dict[str, dict[Structure, None]] = {label: {} for label in wanted}
        if not wanted:
            return {}
        for part in self._in_parts(
            look.number_of_shots,
            look.shots_at_once,
            lambda node, part: self._records.structures(
                node, look.rows_at(np.arange(part.start, part.stop)), wanted
            ),
        ):
            for label, structures in part.items():
                found[label].update(dict.fromkeys(structures))
        return {label: list(structures) for label, structures in found.items()}

    def get_columns(
        self,
        *,
        parameters: Collection[str] = (),
        labels: Collection[str] = (),
        rows: ShotRows | None = None,
    ) -> ShotColumns:
        look = self._look(labels)
        wanted = data_rules.check_rows(self.path, rows, look.number_of_shots)
        kinds = data_rules.check_parameter_names(self.path, parameters, look.parameters)
        types = data_rules.check_data_labels(self.path, labels, look.data)
        if not look.number_of_shots:
            return columns_of((), (), {}, {})
        count, places = len(wanted), places_for(types, len(wanted))

        def read(node: Any, part: slice) -> ShotColumns:
            some = {label: place[part] for label, place in places.items()}
            rows = look.rows_at(wanted[part])
            return self._records.read_columns(node, rows, kinds, types, some)

        return joined(self._in_parts(count, look.shots_at_once, read), count, places)

    def _look(self, labels: Collection[str] = ()) -> "_Look":
        records = self._records

        def look() -> _Look:
            node = records.tree.get_sequence(self.path)
            number_of_shots, parameters, data = records.schemas(node)
            if not number_of_shots:
                return _Look(0, parameters, data)
            return _Look(
                number_of_shots,
                parameters,
                data,
                records.counting_rows(node),
                records.shots_at_once(node, {each: data[each] for each in labels if each in data}),
            )

        return records.transaction.read(look)

    def _in_parts(
        self, count: int, shots_at_once: int, read: Callable[[Any, slice], _T]
    ) -> Iterator[_T]:
        """What is read of some of so many shots after the other, and of none where there are
        none."""
        records = self._records

        def read_part(part: slice) -> _T:
            return read(records.tree.get_sequence(self.path), part)

        for start in range(0, max(1, count), shots_at_once):
            part = slice(start, min(start + shots_at_once, count))
            yield records.transaction.read(partial(read_part, part))


def _with_units(parameters: Mapping[str, PlainParameter]) -> dict[str, Parameter]:
    return {name: from_plain(*parameter) for name, parameter in parameters.items()}


@attrs.frozen
class _Look:
    """What is to be known of all shots before some of them are read."""

    number_of_shots: int
    parameters: ParameterSchema
    data: DataSchema
    rows: RowNumbers | None = None
    """Those that count; None if all do."""
    shots_at_once: int = 1

    def rows_at(self, places: RowNumbers) -> RowNumbers:
        """Return the rows of the shots at some places among those that count."""
        return places if self.rows is None else self.rows[places]


class ReadableSequence(Protocol):
    """A :class:`~shotstore.Sequence`."""

    def _reader_(self) -> SequenceReader:
        """Return its reader.

        Raises:
            PathNotFoundError: nothing is at the path; a note names the closest sequence.
            PathIsNotSequenceError: a folder is.
        """
        ...
