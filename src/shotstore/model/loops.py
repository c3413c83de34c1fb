"""The values of a loop: numbers and quantities at equal distances."""

import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from shotstore.model.parameters import Parameter
from shotstore.model.quantities import is_quantity, quantity, with_magnitude

if TYPE_CHECKING:
    import pint
    from pint.facets.plain import PlainQuantity


@attrs.frozen
class Values:
    """Parameters ``first + i * step``, computed one at a time when they are asked for.

    Attributes:
        like: A quantity that has the unit of them all, ``None`` for plain numbers.
        last: Replaces the last value, which ``first + i * step`` may miss by a rounding error.
    """

    first: int | float
    step: int | float
    count: int
    like: "pint.Quantity[Any] | None"
    last: float | None = None

    def __iter__(self) -> Iterator[Parameter]:
        for index in range(self.count):
            value = self.first + index * self.step
            if self.last is not None and index == self.count - 1:
                value = self.last
            yield value if self.like is None else with_magnitude(value, self.like)


def linspace(start: Parameter, stop: Parameter, num: int) -> Values:
    """Return ``num`` floats from ``start`` to ``stop``, both included, in the unit of ``start``.

    The numbers are those of ``numpy.linspace``; a single one is ``start``.

    Raises:
        ValueError: the units do not fit, or a bound is not a finite number.
    """
    like = start if is_quantity(start) else None
    first, last = float(_number(start, like, "start")), float(_number(stop, like, "stop"))
    if num == 1:
        return Values(first, 0.0, 1, like)
    return Values(first, (last - first) / (num - 1), num, like, last)


def arange(start: Parameter, stop: Parameter, step: Parameter) -> Values:
    """Return the values from ``start`` in steps of ``step`` to before ``stop``.

    They are in the unit of ``start``, and integers if all three are. A value that misses ``stop``
    by no more than rounding errors is ``stop``, and not included: from 1 to 1.3 in steps of 0.1
    there are three, of which ``numpy.arange`` makes four.

    Raises:
        ValueError: the units do not fit, an argument is not a finite number, or the step is zero
            or too small.
    """
    like = start if is_quantity(start) else None
    first, end = _number(start, like, "start"), _number(stop, like, "stop")
    # The difference of two temperatures in degC is in delta_degC, and so must be the step.
    step_like = start - start if is_quantity(start) else None
    difference = _number(step, step_like, "step")
    if difference == 0:
        raise ValueError("The step of a loop is zero.")
    return Values(first, difference, _count(first, end, difference), like)


def _number(value: Parameter, like: "pint.Quantity[Any] | None", role: str) -> int | float:
    """Return the value in the unit of ``like``; ``role`` is for the message of an error."""
    number: int | float
    if like is not None or is_quantity(value):
        number = _converted(value, quantity(1, "") if like is None else like, role).magnitude
    else:
        number = value
    if isinstance(number, bool) or (isinstance(number, float) and not math.isfinite(number)):
        raise ValueError(f"The {role} of a loop is {value}, not a finite number.")
    return number


def _converted(
    value: Parameter, like: "pint.Quantity[Any]", role: str
) -> "pint.Quantity[Any] | PlainQuantity[Any]":
    own = value if is_quantity(value) else quantity(value, "")
    # A conversion makes floats of integers, so there is none without need.
    if own.units == like.units:
        return own
    try:
        return own.to(like.units)
    except TypeError:  # as pint's errors about dimensions are
        raise ValueError(
            f"The {role} of a loop, {value}, has a unit that does not fit '{like.units}'."
        ) from None


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
