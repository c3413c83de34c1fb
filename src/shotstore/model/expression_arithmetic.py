"""What expressions can do with their values: operators and functions.

A value is a bool, int, float or pint quantity. Every operation takes bounded time: an integer that
would need more than 65536 bits is an error instead of minutes of work.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from shotstore.model.parameters import NumberOrQuantity
from shotstore.model.quantities import is_quantity, unit_exponents

if TYPE_CHECKING:
    import pint

_MAXIMUM_BITS = 65536
_MAXIMUM_UNIT_EXPONENT = 1000
_OF_SEVERAL = ("min", "max")


def call(function: str, arguments: Sequence[NumberOrQuantity]) -> NumberOrQuantity:
    """Return what one of :data:`FUNCTIONS` makes of the arguments.

    Raises:
        ValueError: there are too many arguments, or the result is not defined.
        TypeError: an argument has the wrong dimension.
    """
    if len(arguments) > 1 and function not in _OF_SEVERAL:
        raise ValueError(f"{function}() takes one argument, not {len(arguments)}")
    return FUNCTIONS[function](*arguments)


def _multiply(left: NumberOrQuantity, right: NumberOrQuantity) -> NumberOrQuantity:
    _check_size(_bits(left) + _bits(right))
    return left * right


def _power(base: NumberOrQuantity, exponent: NumberOrQuantity) -> NumberOrQuantity:
    number = _number(exponent)
    if is_quantity(base):
        _check_unit_exponents(base, number)
    if isinstance(number, int):
        _check_size((_bits(base) - 1) * number)
    elif _magnitude(base) < 0 and not number.is_integer():
        raise ValueError("a negative number has no real root")
    result: NumberOrQuantity = base**number
    return result


def _number(value: NumberOrQuantity, unit: str = "") -> int | float:
    """Return the value in a dimensionless unit, as a plain number."""
    if is_quantity(value):
        magnitude: int | float = value.to(unit).magnitude
        return magnitude
    return value


def _magnitude(value: NumberOrQuantity) -> int | float:
    return value.magnitude if is_quantity(value) else value


def _bits(value: NumberOrQuantity) -> int:
    magnitude = _magnitude(value)
    return magnitude.bit_length() if isinstance(magnitude, int) else 1


def _check_size(bits: int) -> None:
    if bits > _MAXIMUM_BITS:
        raise ValueError("the result is an integer too large to compute")


def _check_unit_exponents(base: "pint.Quantity[Any]", exponent: int | float) -> None:
    # To convert hour ** 9999999, pint would compute 3600 to that power, with all digits.
    largest = max((abs(own) for _, own in unit_exponents(base)), default=0)
    if not largest * abs(exponent) <= _MAXIMUM_UNIT_EXPONENT:
        raise ValueError(f"a unit can have no exponent above {_MAXIMUM_UNIT_EXPONENT}")


def _of_number(
    function: Callable[[float], float],
) -> Callable[[NumberOrQuantity], NumberOrQuantity]:
    return lambda value: function(_number(value))


def _of_angle(function: Callable[[float], float]) -> Callable[[NumberOrQuantity], NumberOrQuantity]:
    return lambda value: function(_number(value, "radian"))


def _square_root(value: NumberOrQuantity) -> NumberOrQuantity:
    if is_quantity(value):
        return _power(value, 0.5)
    return math.sqrt(value)


OPERATIONS: Mapping[str, Callable[[Any, Any], NumberOrQuantity]] = MappingProxyType(
    {
        "+": operator.add,
        "-": operator.sub,
        "*": _multiply,
        "/": operator.truediv,
        "**": _power,
    }
)
"""By operator.

They raise ``ValueError`` if the result is too large or not real, and ``TypeError`` if the
dimensions do not fit.
"""

FUNCTIONS: Mapping[str, Callable[..., NumberOrQuantity]] = MappingProxyType(
    {
        "abs": abs,
        "sqrt": _square_root,
        "exp": _of_number(math.exp),
        "log": _of_number(math.log),
        "log2": _of_number(math.log2),
        "log10": _of_number(math.log10),
        "sin": _of_angle(math.sin),
        "cos": _of_angle(math.cos),
        "tan": _of_angle(math.tan),
        "arcsin": _of_number(math.asin),
        "arccos": _of_number(math.acos),
        "arctan": _of_number(math.atan),
        "sinh": _of_number(math.sinh),
        "cosh": _of_number(math.cosh),
        "tanh": _of_number(math.tanh),
        "floor": _of_number(math.floor),
        "ceil": _of_number(math.ceil),
        "round": _of_number(round),
        "min": lambda *values: min(values),
        "max": lambda *values: max(values),
    }
)
"""By name. Angles are plain numbers in radians or quantities (``sin(90 deg)``), results are plain
numbers; ``abs``, ``sqrt``, ``min`` and ``max`` keep units, the others take what has none."""

CONSTANTS: Mapping[str, NumberOrQuantity] = MappingProxyType(
    {"True": True, "False": False, "pi": math.pi, "inf": math.inf, "nan": math.nan}
)
"""By name. ``e`` is not a constant but pint's elementary charge: write ``exp(1)``."""
