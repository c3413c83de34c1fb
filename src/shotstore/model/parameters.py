"""Parameters: the named numbers and quantities with which a shot is made."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union

from shotstore.model.quantities import (
    is_quantity,
    quantity,
    unit_text_of,
    with_magnitude,
)
from shotstore.model.scalars import JSON, number_from_json, number_to_json, plain_scalar

if TYPE_CHECKING:
    from typing import Any

    import pint

Parameter: TypeAlias = Union[bool, int, float, "pint.Quantity[Any]"]

Number: TypeAlias = tuple[bool | int | float, str | None]
"""A parameter as its magnitude, and the text of its unit or None for a plain number."""

_T = TypeVar("_T")

_PLAIN = (bool, int, float)
"""Not as a union, which is made anew for each look at a parameter, and takes longer to look at."""


@lru_cache(maxsize=65536)
def _is_parameter_name(name: str) -> bool:
    return all(part.isidentifier() for part in name.split("."))


def check_parameter_name(name: str) -> str:
    """Return the name, a plain ``str``.

    Raises:
        ValueError: the name is not made of identifiers joined by dots, as ``mot.detuning`` is.
    """
    plain = name if type(name) is str else plain_scalar(name)
    if isinstance(plain, str) and _is_parameter_name(plain):
        return plain
    raise ValueError(
        f"{name!r} is not a parameter name: identifiers joined by dots are, like 'mot.detuning'."
    )


def as_number(parameter: Parameter) -> Number:
    """Return the magnitude and the unit of a parameter."""
    if is_quantity(parameter):
        return parameter.magnitude, unit_text_of(parameter)
    return parameter, None


def check_parameter(name: str, value: object) -> Parameter:
    """Return the value as a bool, int, float or quantity of the application registry.

    Args:
        name: For the message of an error only.
        value: One of these, or a numpy scalar that equals one. The magnitude of a quantity is a
            real number, not a bool or an array.

    Raises:
        TypeError: the value is none of these.
        ValueError: the unit is not defined in pint's application registry.
    """
    plain = plain_scalar(value)
    if isinstance(plain, _PLAIN):
        return plain
    return _of_quantity(name, value, with_magnitude)


def check_parameters(parameters: Mapping[str, object]) -> dict[str, Parameter]:
    """Return the parameters of one shot, in their order, with plain names and values.

    Raises:
        ValueError: a name is not a parameter name, or a unit is unknown.
        TypeError: a value is not a parameter; see :func:`check_parameter`.
    """
    return {
        check_parameter_name(name): check_parameter(name, value)
        for name, value in parameters.items()
    }


def check_numbers(parameters: Mapping[str, object]) -> dict[str, Number]:
    """Return the parameters of one shot as magnitudes and texts of units, None for a plain number.

    It is what :func:`check_parameters` returns, and raises the same, without the time that it takes
    to make quantities.
    """
    return {
        check_parameter_name(name): _check_number(name, value) for name, value in parameters.items()
    }


def _check_number(name: str, value: object) -> Number:
    plain = plain_scalar(value)
    if isinstance(plain, _PLAIN):
        return plain, None
    return _of_quantity(name, value, _with_unit_text)


def _with_unit_text(magnitude: int | float, given: "pint.Quantity[Any]") -> Number:
    return magnitude, unit_text_of(given)


def _of_quantity(
    name: str, value: object, make: "Callable[[int | float, pint.Quantity[Any]], _T]"
) -> _T:
    """What is made of the magnitude of a quantity and the quantity itself."""
    if not is_quantity(value):
        raise TypeError(
            f"Parameter '{name}' is of type {type(value).__name__}: "
            "it must be a bool, int, float or pint quantity with a single real magnitude."
        )
    magnitude = plain_scalar(value.magnitude)
    if isinstance(magnitude, bool) or not isinstance(magnitude, _PLAIN):
        raise TypeError(
            f"Parameter '{name}' has a magnitude of type {type(magnitude).__name__}: "
            "it must be a single real number."
        )
    try:
        return make(magnitude, value)
    except ValueError as error:
        raise ValueError(f"Parameter '{name}': {error}") from error


def parameter_text(parameter: Parameter) -> str:
    """Return a parameter as people write it in a recipe: ``-5.0 MHz``."""
    number, unit = as_number(parameter)
    return f"{number} {unit}" if unit else str(number)


def parameter_to_json(value: Parameter) -> JSON:
    """Return strict JSON that stands for exactly this value.

    A bool, int or float is itself, or an object where JSON has no such number; a quantity is
    ``{"magnitude": 12.0, "unit": "MHz"}``.
    """
    number, unit = as_number(value)
    if unit is not None:
        return {"magnitude": number_to_json(number), "unit": unit}
    return number if isinstance(number, bool) else number_to_json(number)


def parameter_from_json(json: JSON) -> Parameter:
    """Return the parameter that :func:`parameter_to_json` has written.

    Raises:
        ValueError: ``json`` is not one of its results, or its unit is not defined in pint's
            application registry.
    """
    if isinstance(json, bool):
        return json
    match json:
        case {"magnitude": magnitude, "unit": str(unit), **rest} if not rest:
            return quantity(number_from_json(magnitude), unit)
    return number_from_json(json)
