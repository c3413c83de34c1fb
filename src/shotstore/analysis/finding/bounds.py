"""Which ranges of values a condition asks for, and whether those of a parameter meet them."""

import functools
import itertools
import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs

from shotstore.analysis.tables.conditions import TAG
from shotstore.analysis.tables.names import FIXED
from shotstore.errors import IncompatibleUnitsError, InvalidConditionError
from shotstore.model.condition_grammar import EXAMPLE
from shotstore.model.conditions import (
    PRECISION,
    And,
    Comparison,
    Condition,
    Not,
    Or,
    Value,
    looks_like_a_name,
)
from shotstore.model.parameters import Parameter, as_plain, check_parameter, parameter_text
from shotstore.model.ranges import in_units, is_plain_zero

if TYPE_CHECKING:
    import pint

Bound: TypeAlias = Union[int, float, str, "pint.Quantity[Any]", None]
"""A number, a quantity, an expression such as ``"5 MHz"`` or ``"'Rb87'"``, or None for no bound."""


_MOST_ALTERNATIVES = 256
TAGS_ARE_OF_SHOTS = (
    "the tags of shots are told by conditions on the shots of a sequence; sequences are found by "
    "tags of their own, as find(tag='good') or --tag good"
)
"""Why a condition on tags does not find sequences"""


@attrs.frozen
class _End:
    """One end of a range; an open one is not in it."""

    value: int | float | str
    """A magnitude, or a text."""
    units: str | None
    is_open: bool = False

    @classmethod
    def of(cls, value: Parameter, *, is_open: bool = False) -> "_End":
        """Return the end at a value."""
        return cls(*as_plain(value), is_open)

    def in_units(self, units: str | None) -> int | float | None:
        """Return where it is in another unit; None if it is of another dimension, or a text."""
        if isinstance(self.value, str):
            return None
        if self.units is None and is_plain_zero(self.value, units):
            return 0
        return in_units(self.value, self.units, units)

    def is_at(self, other: "_End") -> bool:
        """Return whether both are at one value, in one unit."""
        if isinstance(self.value, str) or isinstance(other.value, str):
            return self.value == other.value
        return math.isclose(self.value, other.value, rel_tol=PRECISION)

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return parameter_text(self.value)
        return f"{self.value} {self.units or ''}".rstrip()


@attrs.frozen
class Bounds:
    """A range of values."""

    low: _End | None = None
    high: _End | None = None

    @classmethod
    def of(cls, name: str, value: "Bound | Sequence[Bound]") -> "Bounds":
        """Return the bounds that are meant.

        Args:
            name: The parameter, for messages.
            value: Two bounds, both included, or the one value that is asked for.

        Raises:
            ValueError: a text cannot be evaluated, there are not two bounds, or the lower one is
                above the upper one.
            TypeError: a bound is something else.
            IncompatibleUnitsError: the bounds are of different dimensions.
        """
        if isinstance(value, tuple | list):
            if len(value) != 2:
                raise ValueError(
                    f"{name} is looked for in a range, (low, high) with None for an open end, "
                    f"not in {value!r}."
                )
            bounds = cls(*(_end(name, bound) for bound in value))
        else:
            end = _end(name, value)  # type: ignore[arg-type]
            bounds = cls(end, end)
        if bounds.is_empty():
            raise ValueError(f"The bounds of {name} are (low, high), so not {value!r}.")
        return bounds

    def meet(self, first: int | float, last: int | float, units: str | None) -> bool | None:
        """Return whether a range from one value to the other overlaps this one.

        None if the units cannot be compared.
        """
        lowest, highest = min(first, last), max(first, last)
        tolerance = PRECISION * max(abs(lowest), abs(highest))
        is_met = True
        for end, value, sign in ((self.low, highest, 1), (self.high, lowest, -1)):
            if end is None:
                continue
            number = end.in_units(units)
            if number is None:
                return None
            inside = sign * (value - number)
            if end.is_open:
                # As a shot is compared: the tolerance of a range over many decades is larger than
                # its lowest values.
                is_met &= inside > 0 and not math.isclose(value, number, rel_tol=PRECISION)
            else:
                is_met &= inside >= -tolerance
        return is_met

    def meet_texts(self, texts: Collection[str]) -> bool | None:
        """Return whether one of the texts is in the range; None if its ends are not texts."""
        ends = [(end, sign) for end, sign in ((self.low, 1), (self.high, -1)) if end is not None]
        if not all(isinstance(end.value, str) for end, _ in ends):
            return None
        return any(
            all(
                (not end.is_open) if text == end.value else (text > str(end.value)) == (sign > 0)
                for end, sign in ends
            )
            for text in texts
        )

    def narrowed(self, other: "Bounds") -> "Bounds":
        """Return the range of the values that are in both.

        Raises:
            IncompatibleUnitsError: they are of different dimensions.
        """
        return Bounds(
            _inner(self.low, other.low, operator.gt), _inner(self.high, other.high, operator.lt)
        )

    def is_empty(self) -> bool:
        """Return whether no value is in the range.

        Raises:
            IncompatibleUnitsError: its ends are of different dimensions.
        """
        if self.low is None or self.high is None:
            return False
        low, high = _aligned(self.low, self.high)
        if low.is_at(high):
            return low.is_open or high.is_open
        return bool(high.value < low.value)  # type: ignore[operator]  # both are texts or numbers


def _inner(
    one: _End | None, other: _End | None, is_inner: Callable[[Any, Any], bool]
) -> _End | None:
    """Of two ends at the same side, the one that leaves fewer values."""
    if one is None or other is None:
        return one or other
    one, other = _aligned(one, other)
    if one.is_at(other):
        return one if one.is_open else other
    return one if is_inner(one.value, other.value) else other


def _aligned(one: _End, other: _End) -> tuple[_End, _End]:
    """Both in one unit, or both of them texts.

    Raises:
        IncompatibleUnitsError: they are of different dimensions.
    """
    if isinstance(one.value, str) and isinstance(other.value, str):
        return one, other
    units = other.units if one.units is None else one.units
    first, second = one.in_units(units), other.in_units(units)
    if first is None or second is None:
        raise IncompatibleUnitsError(
            f"{one} and {other} have no unit in common: no value can be compared with both."
        )
    return (
        attrs.evolve(one, value=first, units=units),
        attrs.evolve(other, value=second, units=units),
    )


Alternative: TypeAlias = Mapping[str, Bounds]
"""Ranges by the name of a parameter, all of which are to be met."""


def alternatives(condition: Condition) -> list[Alternative]:
    """Return of what ranges one or the other is to be met, where a condition is met by some shot.

    Raises:
        InvalidConditionError: it is of something else than parameters and their values, a value
            cannot be evaluated, no value meets it, or it has too many alternatives.
        IncompatibleUnitsError: a parameter is compared with values of different dimensions.
    """
    found = _alternatives(condition, is_negated=False)
    if not found:
        raise InvalidConditionError(f"No value meets '{condition}'.")
    return found


def _alternatives(condition: Condition, *, is_negated: bool) -> list[Alternative]:
    match condition:
        case Comparison():
            return _ranges(condition, is_negated=is_negated)
        case Not(part):
            return _alternatives(part, is_negated=not is_negated)
        case And(parts) | Or(parts):
            each = [_alternatives(part, is_negated=is_negated) for part in parts]
            if isinstance(condition, Or) != is_negated:
                return list(itertools.chain.from_iterable(each))
            return functools.reduce(_both, each, [{}])


def _both(one: list[Alternative], other: list[Alternative]) -> list[Alternative]:
    """All that an alternative of each asks for together, without what no value meets."""
    if len(one) * len(other) > _MOST_ALTERNATIVES:
        raise InvalidConditionError(
            f"The condition has more than {_MOST_ALTERNATIVES} alternatives: ask for some of them "
            "at a time, and take what is found together."
        )
    joined: list[Alternative] = []
    for left, right in itertools.product(one, other):
        common = {name: left[name].narrowed(right[name]) for name in right if name in left}
        if not any(bounds.is_empty() for bounds in common.values()):
            joined.append({**left, **right, **common})
    return joined


def _ranges(comparison: Comparison, *, is_negated: bool) -> list[Alternative]:
    name, value = comparison.name, comparison.value
    if not looks_like_a_name(name):
        raise InvalidConditionError(
            f"'{comparison}' names no parameter where there is {name!r}: {EXAMPLE}."
        )
    if name in FIXED:
        raise InvalidConditionError(
            f"'{comparison}' cannot be answered: sequences are found by the values that their "
            "parameters take, by times with since and until, and by what is written anywhere in "
            "them with text."
        )
    try:
        low, high = _ends(value)
    except ValueError as error:
        reason = TAGS_ARE_OF_SHOTS if name == TAG else str(error).rstrip(".")
        raise InvalidConditionError(f"'{comparison}' cannot be answered: {reason}.") from error
    below, above = Bounds(high=_End.of(low, is_open=True)), Bounds(low=_End.of(high, is_open=True))
    from_low, to_high = Bounds(low=_End.of(low)), Bounds(high=_End.of(high))
    met = {
        "<": [below],
        "<=": [to_high],
        ">": [above],
        ">=": [from_low],
        "=": [Bounds(from_low.low, to_high.high)],
        "!=": [below, above],
    }
    symbol = _NEGATED[comparison.symbol] if is_negated else comparison.symbol
    return [{name: bounds} for bounds in met[symbol]]


def _ends(value: Value) -> tuple[Parameter, Parameter]:
    """The lowest and the highest number, quantity or text that is meant."""
    return (value.text, value.text) if value.is_quoted else value.ends()


_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


def _end(name: str, bound: Bound) -> _End | None:
    if bound is None:
        return None
    if isinstance(bound, str):
        try:
            bound = _ends(Value.of(bound))[0]
        except ValueError as error:
            raise ValueError(f"The bound {bound!r} of {name} is not a value: {error}") from error
    return _End.of(check_parameter(name, bound))
