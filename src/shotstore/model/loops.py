"""The values of a loop: numbers and quantities at equal distances."""

import math
import sys
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs

from shotstore.model.parameters import NumberOrQuantity, Parameter, parameter_text
from shotstore.model.quantities import is_quantity, quantity, unit_text_of, with_magnitude

if TYPE_CHECKING:
    import pint


@attrs.frozen
class Values:
    """The parameters ``(first + index * step) / denominator``, each computed when it is asked for.

    Bounds and steps are taken as the decimal numbers that a person writes, so that the fourth value
    from 0 on in steps of 0.1 is 0.3, where the sum of floats is 0.30000000000000004.

    Attributes:
        denominator: None where the values are integers; then they are ``first + index * step``.
        like: A quantity that has the unit of them all, ``None`` for plain numbers.
    """

    first: int
    step: int
    denominator: int | None
    count: int
    like: "pint.Quantity[Any] | None"

    def number(self, index: int) -> int | float:
        """Return the value in the unit of ``like``.

        Raises:
            OverflowError: it is too large for a float.
        """
        numerator = self.first + index * self.step
        return numerator if self.denominator is None else numerator / self.denominator

    def __iter__(self) -> Iterator[NumberOrQuantity]:
        for index in range(self.count):
            number = self.number(index)
            yield number if self.like is None else with_magnitude(number, self.like)


def linspace(start: Parameter, stop: Parameter, num: int) -> Values:
    """Return ``num`` floats from ``start`` to ``stop``, both included, in the unit of ``start``.

    A single one is ``start``.

    Raises:
        ValueError: the units do not fit, or a bound is not a finite number.
        OverflowError: a bound is too large for a float.
    """
    like = start if is_quantity(start) else None
    first, last = (
        _decimal(_number(start, like, "The start of a loop")),
        _decimal(_number(stop, like, "The stop of a loop")),
    )
    step = (last - first) / (num - 1) if num > 1 else Fraction(0)
    return _floats(first, step, num, like)


def arange(start: Parameter, stop: Parameter, step: Parameter) -> Values:
    """Return the values from ``start`` in steps of ``step`` to before ``stop``.

    They are in the unit of ``start``, and integers if all three are. A value that misses ``stop``
    by no more than rounding errors is ``stop``, and not included: from 1 to 1.3 in steps of 0.1
    there are three, of which ``numpy.arange`` makes four. A step from a temperature is a
    difference (``5 delta_degC``), from a level in dBm a ratio (``10 dB``).

    Raises:
        ValueError: the units do not fit, an argument is not a finite number, or the step is zero
            or too small.
        OverflowError: an argument is too large for a float where one is needed.
    """
    like = start if is_quantity(start) else None
    first, end = (
        _number(start, like, "The start of a loop"),
        _number(stop, like, "The stop of a loop"),
    )
    difference = increment(step, start, "The step of a loop")
    if difference == 0:
        raise ValueError("The step of a loop is zero.")
    count = _count(first, end, difference)
    if isinstance(first, int) and isinstance(end, int) and isinstance(difference, int):
        return Values(first, difference, None, count, like)
    return _floats(_decimal(first), _decimal(difference), count, like)


def _floats(
    first: Fraction, step: Fraction, count: int, like: "pint.Quantity[Any] | None"
) -> Values:
    denominator = math.lcm(first.denominator, step.denominator)
    values = Values(
        first.numerator * (denominator // first.denominator),
        step.numerator * (denominator // step.denominator),
        denominator,
        count,
        like,
    )
    if count:  # an error for what is too large comes before the first shot
        values.number(0)
        values.number(count - 1)
    return values


def _decimal(number: int | float) -> Fraction:
    """The number that is written so in decimals."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def _number(value: Parameter, like: "pint.Quantity[Any] | None", what: str) -> int | float:
    """Return the value in the unit of ``like``; ``what`` begins the message of an error."""
    number: int | float
    if isinstance(value, str):
        raise ValueError(f"{what} is the text {parameter_text(value)}, not a number.")
    if like is not None or is_quantity(value):
        number = _converted(value, quantity(1, "") if like is None else like, what)
    else:
        number = value
    if isinstance(number, bool) or (isinstance(number, float) and not math.isfinite(number)):
        raise ValueError(f"{what} is {value}, not a finite number.")
    return number


def increment(step: Parameter, start: Parameter, what: str) -> int | float:
    """Return what is added to the number of ``start``, in its unit, to go a step on.

    Args:
        step: From a temperature a difference (``5 delta_degC``), from a level in dBm a ratio
            (``10 dB``), else of the dimension of ``start``.
        start: Where the step begins.
        what: The begin of the message of an error.

    Raises:
        ValueError: the units do not fit, or the step is not a finite number.
        OverflowError: it is too large for a float.
    """
    if not is_quantity(start):
        return _number(step, None, what)
    try:
        # Of two temperatures in degC it is in delta_degC, and so must be the step.
        difference = start - start
        is_level = difference.dimensionless and not start.dimensionless
    except (TypeError, AttributeError):  # as the errors of pint about dBm / Hz are
        raise ValueError(f"There are no steps from {start} in its unit.") from None
    if not is_level:
        return _number(step, difference, what)
    # In dBm, for one. What is added to its number is the number of a ratio, as in dB.
    if not is_quantity(step) or not step.dimensionless or _growth(step) != _growth(start):
        raise ValueError(
            f"{what}, {step}, is not a ratio that fits '{start.units}': write it in dB."
        )
    return _number(step, step, what)


def _growth(value: "pint.Quantity[Any]") -> float:
    """By which factor a quantity in this unit grows from 0 to 1."""
    zero, one = (
        float(quantity(number, unit_text_of(value)).to_root_units().magnitude) for number in (0, 1)
    )
    # The last digits are the rounding of a logarithm.
    return round(one / zero, 12) if zero else math.inf


def _converted(value: NumberOrQuantity, like: "pint.Quantity[Any]", what: str) -> int | float:
    own = value if is_quantity(value) else quantity(value, "")
    number: int | float = own.magnitude
    # A conversion makes floats of integers, so there is none without need.
    if own.units == like.units:
        return number
    try:
        converted = float(own.to(like.units).magnitude)
    except TypeError:  # as pint's errors about dimensions are
        raise ValueError(f"{what}, {value}, has a unit that does not fit '{like.units}'.") from None
    # The last digit is the rounding of the conversion.
    return float(f"{converted:.15g}")


def _count(first: int | float, end: int | float, step: int | float) -> int:
    if isinstance(first, int) and isinstance(end, int) and isinstance(step, int):
        return max(0, -((first - end) // step))
    number = (end - first) / step
    if not math.isfinite(number):
        raise ValueError(f"The step of a loop, {step}, is too small.")
    # Each of the three may be off by the rounding of a computation or a conversion of units.
    error = 4 * sys.float_info.epsilon * (abs(number) + (abs(first) + abs(end)) / abs(step))
    nearest = round(number)
    return max(0, nearest if abs(number - nearest) <= min(error, 0.01) else math.ceil(number))
