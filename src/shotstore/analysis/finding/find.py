"""Find sequences by what is known of them: most of it without a look at their shots."""

import fnmatch
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TypeAlias, TypeVar

import attrs
import numpy as np

from shotstore.analysis.finding.bounds import (
    TAGS_ARE_OF_SHOTS,
    Alternative,
    Bound,
    Bounds,
    alternatives,
)
from shotstore.analysis.finding.path_patterns import PathPattern
from shotstore.analysis.periods import Period, When, period
from shotstore.analysis.tables.conditions import TAG
from shotstore.errors import (
    DamagedStorageError,
    IncompatibleUnitsError,
    InvalidConditionError,
    PathError,
    PathNotFoundError,
    UnreadableConfigurationError,
)
from shotstore.model import DataType, ParameterRange
from shotstore.model.condition_grammar import parse_condition
from shotstore.model.conditions import And, Comparison, Condition, Not, Or
from shotstore.model.parameters import parameter_text
from shotstore.model.scalars import check_text
from shotstore.model.value_texts import type_text
from shotstore.paths import PureSequencePath
from shotstore.records.arguments import as_count, as_state, as_texts, shown
from shotstore.records.columns import Column
from shotstore.records.conflicts import again_after_conflicts
from shotstore.records.storage_reader import ReadableStorage, StorageReader
from shotstore.records.summaries import SequenceSummary
from shotstore.state import State

_T = TypeVar("_T")

Where: TypeAlias = str | Condition | Mapping[str, Bound | tuple[Bound, Bound]]
"""A condition, as a text or parsed; or, by the name of a parameter, the value or the range that is
looked for."""


def find(
    storage: ReadableStorage,
    pattern: str | PureSequencePath | None = None,
    *,
    state: State | str | Collection[State | str] | None = None,
    since: When | None = None,
    until: When | None = None,
    min_shots: int | None = None,
    max_shots: int | None = None,
    varied: str | Collection[str] | None = None,
    where: Where | None = None,
    label: str | None = None,
    text: str | None = None,
    tag: str | Collection[str] | None = None,
) -> list[SequenceSummary]:
    """Find sequences; see :meth:`shotstore.StorageManager.find`."""
    now = datetime.now(UTC)
    search = _Search(
        storage,
        PathPattern.parse(PureSequencePath.root() if pattern is None else pattern),
        None if state is None else _states(state),
        None if since is None else period(since, now),
        None if until is None else period(until, now),
        None if min_shots is None else as_count(min_shots, "min_shots"),
        None if max_shots is None else as_count(max_shots, "max_shots"),
        _several(varied, "names of parameters"),
        _alternatives(where),
        None if label is None else check_text(label, "label"),
        None if text is None else check_text(text, "text"),
        _several(tag, "tags"),
    )
    return search.run()


def _several(value: str | Collection[str] | None, what: str) -> list[str]:
    if value is None:
        return []
    return as_texts([value] if isinstance(value, str) else value, what)


def _states(value: State | str | Collection[State | str]) -> set[State]:
    if isinstance(value, State | str) or not isinstance(value, Collection):
        return {as_state(value)}
    return {as_state(each) for each in value}


def _alternatives(where: Where | None) -> list[Alternative]:
    if where is None:
        return [{}]
    if isinstance(where, str):
        where = parse_condition(where)
    if isinstance(where, Comparison | Not | And | Or):
        return alternatives(where)
    if not isinstance(where, Mapping):
        raise TypeError(
            'where must be a condition such as "hold > 1 s", or a dict such as '
            f'{{"hold": ("1 s", None)}}, not {shown(where)}.'
        )
    return [{name: Bounds.of(name, value) for name, value in where.items()}]


@attrs.frozen
class _Search:
    _storage: ReadableStorage
    _pattern: PathPattern
    _states: set[State] | None
    _since: Period | None
    _until: Period | None
    _min_shots: int | None
    _max_shots: int | None
    _varied: list[str]
    _alternatives: list[Alternative]
    _label: str | None
    _text: str | None
    _tags: list[str]
    _misfits: list[ValueError] = attrs.field(init=False, factory=list)

    def run(self) -> list[SequenceSummary]:
        found = [
            summary
            for summary in self._read(self._known)
            if self._has_values(summary) and self._has_data(summary)
        ]
        if not found and self._misfits:
            # Nothing was found since values were compared with what they cannot be.
            raise self._misfits[0]
        return found

    def _known(self, sequences: StorageReader) -> list[SequenceSummary]:
        """Those that meet all that can be told from what is known of them at once."""
        base = self._pattern.base
        try:
            found = [each for each in sequences.get_summaries(base) if self._is_known(each)]
            if self._text is not None and found:
                with_text = sequences.get_sequences_with_text(base, self._text)
                found = [summary for summary in found if summary.path in with_text]
        except PathNotFoundError:
            return []
        return found

    def _is_known(self, summary: SequenceSummary) -> bool:
        time = summary.created if summary.start_time is None else summary.start_time
        shots = summary.number_of_shots
        return (
            self._pattern.matches(summary.path)
            and (self._states is None or summary.state in self._states)
            and (self._since is None or time >= self._since.begin)
            and (self._until is None or time < self._until.end)
            and (self._min_shots is None or shots >= self._min_shots)
            and (self._max_shots is None or shots <= self._max_shots)
            and summary.tags.issuperset(self._tags)
            and all(matching_names(name, summary.varied) for name in self._varied)
        )

    # The values of parameters, and of what was measured

    def _has_values(self, summary: SequenceSummary) -> bool:
        """Whether the values overlap ranges that are asked for."""

        @cache
        def recorded(name: str) -> Mapping[str, ParameterRange]:
            try:
                return self._look(lambda storage: _recorded(storage, summary.path, name)) or {}
            except InvalidConditionError as error:
                self._misfits.append(error)
                return {}

        def is_met(name: str, bounds: Bounds) -> bool:
            known = summary.measured or {}
            if name not in known:  # to load the recipes of thousands takes long
                known = {**known, **summary.declared, **summary.varied}
            is_met = self._overlap(summary.path, name, bounds, known)
            if is_met is None:
                is_met = self._overlap(summary.path, name, bounds, recorded(name))
            return is_met is True

        return any(
            all(is_met(name, bounds) for name, bounds in ranges.items())
            for ranges in self._alternatives
        )

    def _overlap(
        self,
        path: PureSequencePath,
        name: str,
        bounds: Bounds,
        ranges: Mapping[str, ParameterRange],
    ) -> bool | None:
        """Whether some of the ranges overlap the bounds; None if these ranges cannot tell."""
        names = matching_names(name, ranges)
        is_known = bool(names)
        for found in (ranges[full] for full in names):
            if found.count == 0:
                continue
            if found.texts:
                is_met = bounds.meet_texts(found.texts)
            elif found.first is None or found.last is None:
                is_known = False
                continue
            else:
                is_met = bounds.meet(found.first, found.last, found.units)
            if is_met:
                return True
            if is_met is None:
                self._misfits.append(_misfit(path, name, found))
        return False if is_known else None

    def _has_data(self, summary: SequenceSummary) -> bool:
        """Whether some shot has data under the label that is asked for."""
        label = self._label
        if label is None or not summary.number_of_shots:
            return label is None
        return bool(self._look(lambda at: label in at.get_sequence(summary.path).get_data_schema()))

    def _look(self, function: Callable[[StorageReader], _T]) -> _T | None:
        """What a function returns that looks at one sequence. None if that is damaged, or was
        moved or deleted meanwhile."""
        try:
            return self._read(function)
        except (PathError, DamagedStorageError, UnreadableConfigurationError):
            return None

    def _read(self, function: Callable[[StorageReader], _T]) -> _T:
        """What a function returns, in a session of its own: one keeps open the files that it has
        read."""

        def read() -> _T:
            with self._storage.session() as session:
                return function(session._reader_())

        return again_after_conflicts(read)


def matching_names(pattern: str, names: Collection[str]) -> list[str]:
    """Return which parameters are meant: by the full name, or the last parts of it; ``*`` and ``?``
    stand for other characters."""
    if pattern in names:
        return [pattern]
    return [
        name for name in names if any(fnmatch.fnmatchcase(end, pattern) for end in _ends_of(name))
    ]


def _ends_of(name: str) -> Iterator[str]:
    """``a.b.c``, ``b.c`` and ``c``."""
    yield name
    while "." in name:
        name = name.partition(".")[2]
        yield name


def _recorded(
    storage: StorageReader, path: PureSequencePath, name: str
) -> dict[str, ParameterRange]:
    """The ranges of a parameter, a label or a result in the shots of a sequence, or in its recipe
    with the global parameters if it has none.

    Raises:
        InvalidConditionError: what has this name in the shots is not compared with values.
    """
    sequence = storage.get_sequence(path)
    stats = sequence.get_stats()
    if stats.number_completed_shots:
        schema, data = sequence.get_parameter_schema(), sequence.get_data_schema()
        names = matching_names(name, schema)
        labels = matching_names(name, _plain(data) - {*schema})
        try:
            columns = sequence.get_columns(parameters=names, labels=labels)
        except IncompatibleUnitsError:
            return {}
        results = sequence.results
        newest = results.get_newest()
        found = matching_names(name, _plain(newest.types) - {*data} - {*schema})
        if not (names or labels or found):
            _check_is_compared(path, name, {**newest.types, **data})
        indices = np.array([*newest.row_of], np.int64)
        return {
            **{
                each: _range_of(column, newest.types[each].units)
                for each, column in results.read_columns(newest, found, indices).items()
            },
            **{label: _range_of(columns.data[label], data[label].units) for label in labels},
            **{full: _range_of(columns.parameters[full], schema[full].units) for full in names},
        }
    is_draft = stats.state is State.DRAFT
    try:
        parameters = (
            storage.get_global_parameters() if is_draft else sequence.get_global_parameters()
        ).evaluate()
    except ValueError:
        return {}
    ranges = sequence.get_iteration_configuration().get_parameter_ranges(parameters)
    outside = {full: ParameterRange.of(value) for full, value in parameters.items()}
    return {**outside, **ranges.declared, **ranges.varied}


def _plain(kinds: Mapping[str, DataType]) -> set[str]:
    """The labels of numbers and texts."""
    return {label for label, kind in kinds.items() if kind.kind in ("bool", "int", "float", "text")}


def _check_is_compared(path: PureSequencePath, name: str, kinds: Mapping[str, DataType]) -> None:
    """Check that nothing but numbers and texts is meant by a name."""
    if name == TAG and TAG not in kinds:
        raise InvalidConditionError(f"Nothing was found by {TAG}: {TAGS_ARE_OF_SHOTS}.")
    for label in matching_names(name, kinds):
        if kinds[label].kind != "none":
            raise InvalidConditionError(
                f"Nothing was found, and {label} of {path} is {type_text(kinds[label])}: sequences "
                "are found by numbers and texts, also by results that an analysis stores."
            )


def _range_of(column: Column, units: str | None) -> ParameterRange:
    values = column.values[column.is_present]
    numbers = [number for number in values.tolist() if number == number]
    if numbers and isinstance(numbers[0], str):
        return ParameterRange("", "", len(numbers), None, None, None, tuple(sorted(set(numbers))))
    if not numbers:
        return ParameterRange("", "", 0, None, None, units)
    return ParameterRange("", "", len(numbers), min(numbers), max(numbers), units)


def _misfit(path: PureSequencePath, name: str, found: ParameterRange) -> IncompatibleUnitsError:
    units = found.units
    if found.texts:
        text = parameter_text(found.texts[0])
        return IncompatibleUnitsError(
            f"Nothing was found, and {name} of {path} is a text: look for one in quotes, like "
            f"{name} = {text}."
        )
    if units is None:
        return IncompatibleUnitsError(
            f"Nothing was found, and {name} of {path} is a plain number: look for a range without "
            "a unit."
        )
    kind = f"in {units}" if units else "a quantity without dimension"
    return IncompatibleUnitsError(
        f"Nothing was found, and {name} of {path} is {kind}: look for a range in such a unit, "
        f"as from 1 {units} to 2 {units}."
    )
