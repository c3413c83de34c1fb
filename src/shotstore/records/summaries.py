"""What is known of a sequence without a look at its shots."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Generic, TypeVar

import attrs

from shotstore.model import (
    JSON,
    IterationConfiguration,
    ParameterRange,
    ParameterRanges,
    Serializer,
)
from shotstore.model.scalars import copy_json
from shotstore.paths import PureSequencePath
from shotstore.records.content import SequenceRecord
from shotstore.records.measured import ranges_of
from shotstore.records.recorders import Recorder
from shotstore.state import State

_T = TypeVar("_T")


class RangesWhenAsked:
    """What a stored iteration tells of its parameters: nothing, if it cannot be loaded.

    It is found out when it is first looked at: to evaluate the recipes of many sequences takes
    longer than all else there is to know of them.
    """

    def __init__(self, load: Callable[[], IterationConfiguration]) -> None:
        self._load = load

    @cached_property
    def known(self) -> ParameterRanges:
        """What it tells."""
        try:
            # Nothing is known from outside: the global parameters of a launch are elsewhere.
            return self._load().get_parameter_ranges({})
        except Exception:  # code of the lab, on content that may not be its own
            return ParameterRanges()

    @classmethod
    def of(cls, content: JSON, serializer: Serializer) -> "RangesWhenAsked":
        """Return what the JSON of an iteration tells."""
        return cls(lambda: serializer.load_iteration(copy_json(content)))

    def __getstate__(self) -> dict[str, ParameterRanges]:
        return {"known": self.known}


@attrs.frozen
class SequenceSummary:
    """What is known of a sequence without a look at its shots. Times are in UTC."""

    path: PureSequencePath
    created: datetime
    state: State
    start_time: datetime | None
    """When it began to run; None before, and for one that crashed while preparing."""
    stop_time: datetime | None
    """When it ended; None before."""
    number_of_shots: int
    expected_number_of_shots: int | None
    """How many shots its iteration makes; None if that cannot be known before."""
    tags: frozenset[str]
    note: str
    paused: timedelta
    """How long it lay interrupted, or crashed, until it was resumed; all times together."""
    ranges: RangesWhenAsked = attrs.field(
        eq=lambda ranges: ranges.known, repr=lambda ranges: repr(ranges.known)
    )
    """What its recipe tells of its parameters."""
    recorder: Recorder | None = None
    """Whether the program lives that records it, as in :class:`~shotstore.SequenceStats`."""

    measured: Mapping[str, ParameterRange] | None = None
    """From where to where the numbers under each label lie, by label; None as long as it runs, and
    where that was not kept."""

    @property
    def varied(self) -> Mapping[str, ParameterRange]:
        """What differs between the shots of its recipe, by name; empty for one that does not
        tell."""
        return self.ranges.known.varied

    @property
    def declared(self) -> Mapping[str, ParameterRange]:
        """What else its recipe sets, the same for all shots, by name."""
        return self.ranges.known.declared


def summary_of(
    path: PureSequencePath,
    record: SequenceRecord,
    number_of_shots: int,
    ranges: RangesWhenAsked,
    recorder: Recorder | None = None,
) -> SequenceSummary:
    """Return what is known of a sequence by its record."""
    return SequenceSummary(
        path=path,
        created=record.created,
        state=record.state,
        start_time=record.start_time,
        stop_time=record.stop_time,
        number_of_shots=number_of_shots,
        expected_number_of_shots=record.expected_number_of_shots,
        tags=record.tags,
        note=record.note,
        paused=sum(
            (each.resume_time - each.stop_time for each in record.interruptions), timedelta()
        ),
        ranges=ranges,
        recorder=recorder,
        measured=None if record.measured is None else ranges_of(record.measured),
    )


class Remembered(Generic[_T]):
    """What was made of contents that were met before: thousands of recipes take seconds to load."""

    _MOST_BYTES = 64 * 2**20

    def __init__(self) -> None:
        self._made: dict[bytes, _T] = {}
        self._bytes = 0

    def get(self, content: bytes, make: Callable[[], _T]) -> _T:
        """Return what was made of the content, or make it; what fails is not remembered."""
        found = self._made.get(content)
        if found is None:
            found = make()
            self._bytes += len(content)
            if self._bytes > self._MOST_BYTES:
                self._made.clear()
                self._bytes = len(content)
            self._made[content] = found
        return found


def holds_text(text: str, record: SequenceRecord) -> bool:
    """Return whether a text is in the recipe, the error or the note of a sequence.

    Upper and lower case are the same. What JSON calls the parts and types of a recipe is not a text
    of it; the names of its lanes are.
    """
    errors = [record.exception, *(each.exception for each in record.interruptions)]
    contents = record.iteration, record.time_lanes, *errors, record.note
    wanted = text.casefold()
    return any(wanted in found.casefold() for content in contents for found in _texts(content))


def _texts(content: JSON) -> Iterator[str]:
    match content:
        case str():
            yield content
        case list():
            for item in content:
                yield from _texts(item)
        case dict():
            for key, item in content.items():
                if key == "lanes" and isinstance(item, dict):
                    yield from item
                if key != "type":
                    yield from _texts(item)
