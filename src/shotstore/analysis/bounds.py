"""Whether the values of a parameter meet bounds, in whatever unit both are."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs

from shotstore.analysis.comparisons import (
    EXAMPLE,
    PRECISION,
    Comparison,
    looks_like_a_name,
    number_of,
    parse_condition,
)
from shotstore.errors import IncompatibleUnitsError, InvalidConditionError
from shotstore.model.parameters import check_parameter
from shotstore.model.quantities import is_quantity, unit_to_text
from shotstore.model.ranges import in_units

if TYPE_CHECKING:
    import pint

Bound: TypeAlias = Union[int, float, str, "pint.Quantity[Any]", None]
"""A number, a quantity, a text such as ``"5 MHz"``, or None for no bound."""


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
    def of(cls, name: str, value: "Bound | Sequence[Bound] | Bounds") -> "Bounds":
        """Return the bounds that are meant.

        Args:
            name: The parameter, for messages.
            value: Two bounds, both included, or the one value that is asked for; or what
                :func:`bounds_of_conditions` has made.

        Raises:
            ValueError: a text cannot be evaluated, there are not two bounds, or the lower one is
                above the upper one.
            TypeError: a bound is something else.
            IncompatibleUnitsError: the bounds are of different dimensions.
        """
        if isinstance(value, Bounds):
            return value
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
        if bounds._is_empty(f"The bounds of {name}, {value!r}, are of different dimensions."):
            raise ValueError(f"The bounds of {name} are (low, high), so not {value!r}.")
        return bounds

    @classmethod
    def of_comparisons(cls, name: str, comparisons: Iterable[Comparison]) -> "Bounds":
        """Return the range in which all comparisons with a parameter hold.

        Raises:
            InvalidConditionError: it is no range, or no value is in it.
            ValueError: a text cannot be evaluated.
            IncompatibleUnitsError: the values are of different dimensions.
        """
        comparisons = tuple(comparisons)
        text = " and ".join(f"{name} {each.symbol} {each.value}" for each in comparisons)
        limits: list[_Limit] = []
        for comparison in comparisons:
            number = _number(name, comparison.value)
            assert number is not None
            match comparison.symbol:
                case ">" | ">=":
                    limits.append(_Limit(number, is_low=True, is_open=comparison.symbol == ">"))
                case "<" | "<=":
                    limits.append(_Limit(number, is_low=False, is_open=comparison.symbol == "<"))
                case "=" | "==":
                    limits += _Limit(number, is_low=True), _Limit(number, is_low=False)
                case _:
                    raise InvalidConditionError(
                        f"{text!r} is not a range: sequences are found by the range of values that "
                        "a parameter takes, so compare it with <, <=, =, >= or >."
                    )
        bounds = cls(tuple(limits))
        if bounds._is_empty(f"The values in {text!r} are of different dimensions."):
            raise InvalidConditionError(f"No value meets {text!r}.")
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

    def _is_empty(self, if_incompatible: str) -> bool:
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


def bounds_of_conditions(texts: Iterable[str]) -> dict[str, Bounds]:
    """Return the ranges that conditions ask for, by the name of the parameter.

    Args:
        texts: Conditions as on shots, ``detuning > 5 MHz and hold_time <= 2 s``.

    Raises:
        InvalidConditionError: a text is no condition, names no parameter, asks for what is no range
            of values, or for one without values.
        ValueError: a value cannot be evaluated.
        IncompatibleUnitsError: a parameter is compared with values of different dimensions.
    """
    found: dict[str, list[Comparison]] = {}
    for text in texts:
        for comparison in parse_condition(text, lambda _: False):
            if not looks_like_a_name(comparison.name):
                raise InvalidConditionError(
                    f"{text!r} names no parameter where there is {comparison.name!r}: {EXAMPLE}."
                )
            found.setdefault(comparison.name, []).append(comparison)
    return {name: Bounds.of_comparisons(name, each) for name, each in found.items()}


def _number(name: str, bound: Bound) -> _Number | None:
    if bound is None:
        return None
    try:
        value = number_of(bound) if isinstance(bound, str) else bound
    except ValueError as error:
        raise ValueError(f"The bound {bound!r} of {name} is no value: {error}") from error
    parameter = check_parameter(name, value)
    if is_quantity(parameter):
        return _Number(parameter.magnitude, unit_to_text(parameter.units))
    return _Number(parameter, None)


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
