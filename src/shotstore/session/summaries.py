"""What is known of a sequence without a look at its shots."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Generic, TypeVar

import attrs

from shotstore.model import JSON, IterationConfiguration, ParameterRange, ParameterRanges
from shotstore.paths import PureSequencePath
from shotstore.state import State

_T = TypeVar("_T")


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
    varied: Mapping[str, ParameterRange]
    """What the loops of its recipe vary, by name; empty for an iteration that does not tell."""
    declared: Mapping[str, ParameterRange]
    """What else its recipe sets, by name."""


class Remembered(Generic[_T]):
    """What was made of contents that were met before: thousands of recipes take seconds to load."""

    _MOST = 20_000

    def __init__(self) -> None:
        self._made: dict[bytes, _T] = {}

    def get(self, content: bytes, make: Callable[[], _T]) -> _T:
        """Return what was made of the content, or make it; what fails is not remembered."""
        key = hashlib.blake2b(content, digest_size=16).digest()
        found = self._made.get(key)
        if found is None:
            found = make()
            if len(self._made) >= self._MOST:
                self._made.clear()
            self._made[key] = found
        return found


def ranges_of(load: Callable[[], IterationConfiguration]) -> ParameterRanges:
    """Return what a stored iteration tells of its parameters: nothing, if it cannot be loaded.

    No parameter is known from outside of it: the global ones of a launch are with the shots.
    """
    try:
        return load().get_parameter_ranges({})
    except Exception:  # code of the lab, on content that may not be its own
        return ParameterRanges()


def holds_text(text: str, *contents: JSON) -> bool:
    """Return whether a text is found in what people have written into a recipe, an error or a note.

    Upper and lower case are the same. What JSON calls the parts and types of a recipe is no text
    of it; the names of its lanes are.
    """
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
