"""Whether the values of a parameter meet bounds, in whatever unit both are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs

from shotstore.errors import IncompatibleUnitsError
from shotstore.model import Expression
from shotstore.model.parameters import check_parameter
from shotstore.model.quantities import is_quantity, unit_to_text
from shotstore.model.ranges import in_units

if TYPE_CHECKING:
    import pint

Bound: TypeAlias = Union[int, float, str, "pint.Quantity[Any]", None]
"""A number, a quantity, a text such as ``"5 MHz"``, or None for no bound."""

_PRECISION = 1e-9
"""Relative; loops and conversions of units make 0.30000000000000004 where 0.3 is meant."""


@attrs.frozen
class _Number:
    magnitude: int | float
    units: str | None


@attrs.frozen
class Bounds:
    """A range of values, both ends included."""

    low: _Number | None
    high: _Number | None

    @classmethod
    def of(cls, name: str, value: "Bound | Sequence[Bound]") -> "Bounds":
        """Return the bounds that are meant.

        Args:
            name: The parameter, for messages.
            value: Two bounds, or the one value that is asked for.

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
        if low is not None and high is not None:
            in_units_of_high = _converted(low, high.units)
            if in_units_of_high is None:
                raise IncompatibleUnitsError(
                    f"The bounds of {name}, {value!r}, are of different dimensions."
                )
            if in_units_of_high > high.magnitude:
                raise ValueError(f"The bounds of {name} are (low, high), so not {value!r}.")
        return cls(low, high)

    def meet(self, first: int | float, last: int | float, units: str | None) -> bool | None:
        """Return whether a range from one value to the other overlaps this one.

        None if the units cannot be compared.
        """
        lowest, highest = min(first, last), max(first, last)
        tolerance = _PRECISION * max(abs(lowest), abs(highest))
        is_met = True
        for bound, is_low in ((self.low, True), (self.high, False)):
            if bound is None:
                continue
            limit = _converted(bound, units)
            if limit is None:
                return None
            if is_low:
                is_met &= bool(highest >= limit - tolerance)
            else:
                is_met &= bool(lowest <= limit + tolerance)
        return is_met


def _number(name: str, bound: Bound) -> _Number | None:
    if bound is None:
        return None
    try:
        value = Expression(bound).evaluate({}) if isinstance(bound, str) else bound
    except ValueError as error:
        raise ValueError(f"The bound {bound!r} of {name} is no value: {error}") from error
    parameter = check_parameter(name, value)
    if is_quantity(parameter):
        return _Number(parameter.magnitude, unit_to_text(parameter.units))
    return _Number(parameter, None)


def _converted(number: _Number, units: str | None) -> int | float | None:
    if number.units is None and number.magnitude == 0:
        return 0  # of whatever unit
    return in_units(number.magnitude, number.units, units)
