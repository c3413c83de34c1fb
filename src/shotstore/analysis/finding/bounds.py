"""Which ranges of values a condition asks for, and whether those of a parameter meet them."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs

from shotstore.analysis.tables.names import FIXED
from shotstore.errors import IncompatibleUnitsError, InvalidConditionError
from shotstore.model.conditions import (
    EXAMPLE,
    PRECISION,
    And,
    Comparison,
    Condition,
    Not,
    Or,
    Value,
    looks_like_a_name,
)
from shotstore.model.parameters import Parameter, check_parameter
from shotstore.model.quantities import is_quantity, unit_to_text
from shotstore.model.ranges import in_units

if TYPE_CHECKING:
    import pint

Bound: TypeAlias = Union[int, float, str, "pint.Quantity[Any]", None]
"""A number, a quantity, a text such as ``"5 MHz"``, or None for no bound."""


_MOST_ALTERNATIVES = 256


@attrs.frozen
class _Number:
    magnitude: int | float
    units: str | None


@attrs.frozen
class _Limit:
    """One end of a range; an open one is not in it."""

    number: _Number
    is_low: bool
    is_open: bool = False


@attrs.frozen
class Bounds:
    """A range of values: what is on the right side of each limit."""

    limits: tuple[_Limit, ...]

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
            low, high = (_number(name, bound) for bound in value)
        else:
            low = high = _number(name, value)  # type: ignore[arg-type]
        limits = ((low, True), (high, False))
        bounds = cls(tuple(_Limit(end, is_low) for end, is_low in limits if end is not None))
        if bounds.is_empty(f"The bounds of {name}, {value!r}, are of different dimensions."):
            raise ValueError(f"The bounds of {name} are (low, high), so not {value!r}.")
        return bounds

    def meet(self, first: int | float, last: int | float, units: str | None) -> bool | None:
        """Return whether a range from one value to the other overlaps this one.

        None if the units cannot be compared.
        """
        lowest, highest = min(first, last), max(first, last)
        tolerance = PRECISION * max(abs(lowest), abs(highest))
        is_met = True
        # Ranges of which any two overlap have a value in common, so that each is looked at alone.
        for limit in self.limits:
            number = _converted(limit.number, units)
            if number is None:
                return None
            end = highest if limit.is_low else lowest
            inside = end - number if limit.is_low else number - end
            if limit.is_open:
                # As a shot is compared: the tolerance of a range over many decades is larger than
                # its lowest values.
                is_met &= inside > 0 and not math.isclose(end, number, rel_tol=PRECISION)
            else:
                is_met &= inside >= -tolerance
        return is_met

    def is_empty(self, if_incompatible: str) -> bool:
        """Whether no value is on the right side of all limits.

        Raises:
            IncompatibleUnitsError: two of them are of different dimensions.
        """
        is_empty = False
        for one, other in itertools.combinations(self.limits, 2):
            numbers = _comparable(one.number, other.number)
            if numbers is None:
                raise IncompatibleUnitsError(if_incompatible)
            if one.is_low != other.is_low:
                low, high = numbers if one.is_low else reversed(numbers)
                is_point = one.is_open or other.is_open
                is_same = math.isclose(low, high, rel_tol=PRECISION)
                is_empty |= is_point if is_same else high < low
        return is_empty


Alternative: TypeAlias = Mapping[str, Bounds]
"""Ranges by the name of a parameter, all of which are to be met."""


def alternatives(condition: Condition) -> list[Alternative]:
    """Return of what ranges one or the other is to be met, where a condition is met by some shot.

    Raises:
        InvalidConditionError: it is of something else than parameters and their numbers, no value
            meets it, or it has too many alternatives.
        ValueError: a value cannot be evaluated.
        IncompatibleUnitsError: a parameter is compared with values of different dimensions.
    """
    found: list[Alternative] = []
    for limits in _joined_limits(condition, is_negated=False):
        by_name: dict[str, tuple[_Limit, ...]] = {}
        for name, several in limits:
            by_name[name] = by_name.get(name, ()) + several
        ranges = {name: Bounds(several) for name, several in by_name.items()}
        empty = [
            name
            for name, bounds in ranges.items()
            if bounds.is_empty(
                f"The values that {name} is compared with are of different dimensions."
            )
        ]
        if not empty:
            found.append(ranges)
    if not found:
        raise InvalidConditionError(f"No value meets {_text(condition)!r}.")
    return found


_Limits: TypeAlias = tuple[tuple[str, tuple[_Limit, ...]], ...]
"""Of the parameters by name"""


def _joined_limits(condition: Condition, *, is_negated: bool) -> list[_Limits]:
    match condition:
        case Comparison():
            return _limits(condition, is_negated=is_negated)
        case Not(part):
            return _joined_limits(part, is_negated=not is_negated)
        case And(parts) | Or(parts):
            joined = [_joined_limits(part, is_negated=is_negated) for part in parts]
            if isinstance(condition, Or) != is_negated:
                return list(itertools.chain.from_iterable(joined))
            if math.prod(map(len, joined)) > _MOST_ALTERNATIVES:
                raise InvalidConditionError(
                    f"The condition has more than {_MOST_ALTERNATIVES} alternatives: ask for some "
                    "of them at a time, and take what is found together."
                )
            return [
                tuple(itertools.chain.from_iterable(each)) for each in itertools.product(*joined)
            ]


def _limits(comparison: Comparison, *, is_negated: bool) -> list[_Limits]:
    name, value = comparison.name, comparison.value
    if not looks_like_a_name(name):
        raise InvalidConditionError(
            f"{_text(comparison)!r} names no parameter where there is {name!r}: {EXAMPLE}."
        )
    if name in FIXED or value.is_quoted:
        raise InvalidConditionError(
            f"{_text(comparison)!r} cannot be answered: sequences are found by the numbers that "
            "their parameters take, by times with since and until, and by texts with text."
        )
    low, high = (_number_of(end) for end in _ends(name, value))
    below, above = _Limit(low, is_low=False, is_open=True), _Limit(high, is_low=True, is_open=True)
    from_low, to_high = _Limit(low, is_low=True), _Limit(high, is_low=False)
    met: dict[str, list[tuple[_Limit, ...]]] = {
        "<": [(below,)],
        "<=": [(to_high,)],
        ">": [(above,)],
        ">=": [(from_low,)],
        "=": [(from_low, to_high)],
        "!=": [(below,), (above,)],
    }
    symbol = _NEGATED[comparison.symbol] if is_negated else comparison.symbol
    return [((name, limits),) for limits in met[symbol]]


_NEGATED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


def _text(condition: Condition) -> str:
    match condition:
        case Comparison(name, symbol, value):
            return f"{name} {symbol} {value}"
        case Not(part):
            return f"not ({_text(part)})"
        case And(parts):
            return " and ".join(map(_text, parts))
        case Or(parts):
            return f"({' or '.join(map(_text, parts))})"


def _ends(name: str, value: Value) -> tuple[Parameter, Parameter]:
    try:
        return value.ends()
    except ValueError as error:
        raise ValueError(f"The bound {str(value)!r} of {name} is not a value: {error}") from error


def _number(name: str, bound: Bound) -> _Number | None:
    if bound is None:
        return None
    return _number_of(
        _ends(name, Value(bound))[0] if isinstance(bound, str) else check_parameter(name, bound)
    )


def _number_of(value: Parameter) -> _Number:
    if is_quantity(value):
        return _Number(value.magnitude, unit_to_text(value.units))
    return _Number(value, None)


def _comparable(one: _Number, other: _Number) -> tuple[int | float, int | float] | None:
    """Both in the unit of the second one, or of the first one where the second is a plain 0; None
    if they are of different dimensions."""
    converted = _converted(one, other.units)
    if converted is not None:
        return converted, other.magnitude
    converted = _converted(other, one.units)
    return None if converted is None else (one.magnitude, converted)


def _converted(number: _Number, units: str | None) -> int | float | None:
    if number.units is None and number.magnitude == 0:
        return 0  # of whatever unit
    return in_units(number.magnitude, number.units, units)
