"""Parameters: the named numbers, quantities and texts with which a shot is made."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias, TypeVar, Union, overload

from shotstore.model.quantities import (
    is_quantity,
    quantity,
    unit_text_of,
    with_magnitude,
    without_unit,
)
from shotstore.model.scalars import (
    JSON,
    check_text,
    number_from_json,
    number_to_json,
    plain_scalar,
)

if TYPE_CHECKING:
    from typing import Any

    import pint

NumberOrQuantity: TypeAlias = Union[bool, int, float, "pint.Quantity[Any]"]
Parameter: TypeAlias = NumberOrQuantity | str

PlainNumber: TypeAlias = tuple[bool | int | float, str | None]
PlainParameter: TypeAlias = tuple[bool | int | float | str, str | None]
"""A parameter as its magnitude and the text of its unit; a plain number, or a text, and None."""

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


@overload
def as_plain(parameter: NumberOrQuantity) -> PlainNumber: ...


@overload
def as_plain(parameter: Parameter) -> PlainParameter: ...


def as_plain(parameter: Parameter) -> PlainParameter:
    """Return the magnitude and the unit of a parameter."""
    plain: PlainParameter = without_unit(parameter)
    return plain


def from_plain(plain: bool | int | float | str, unit: str | None) -> Parameter:
    """Return the parameter of which :func:`as_plain` has made these.

    Raises:
        ValueError: the unit is not defined in pint's application registry.
    """
    if unit is None or isinstance(plain, str):
        return plain
    return quantity(plain, unit)


def check_parameter(name: str, value: object) -> Parameter:
    """Return the value as a bool, int, float, str or quantity of the application registry.

    Args:
        name: For the message of an error only.
        value: One of these, or a numpy scalar that equals one. The magnitude of a quantity is a
            real number, not a bool or an array.

    Raises:
        TypeError: the value is none of these.
        ValueError: the unit is not defined in pint's application registry, or a text holds a lone
            surrogate.
    """
    plain = _plain(name, value)
    if plain is not None:
        return plain
    return _of_quantity(name, value, with_magnitude)


def check_parameters(parameters: Mapping[str, object]) -> dict[str, Parameter]:
    """Return the parameters of one shot, in their order, with plain names and values.

    Raises:
        ValueError: a name is not a parameter name, a unit is unknown, or a text is not one.
        TypeError: a value is not a parameter; see :func:`check_parameter`.
    """
    return {
        check_parameter_name(name): check_parameter(name, value)
        for name, value in parameters.items()
    }


def check_plain_parameters(parameters: Mapping[str, object]) -> dict[str, PlainParameter]:
    """Return the parameters of one shot as magnitudes and texts of units.

    It is what :func:`check_parameters` returns, and raises the same, without the time that it takes
    to make quantities.
    """
    return {
        check_parameter_name(name): _check_plain(name, value) for name, value in parameters.items()
    }


def _check_plain(name: str, value: object) -> PlainParameter:
    plain = _plain(name, value)
    if plain is not None:
        return plain, None
    return _of_quantity(name, value, _with_unit_text)


def _with_unit_text(magnitude: int | float, given: "pint.Quantity[Any]") -> PlainNumber:
    return magnitude, unit_text_of(given)


def _plain(name: str, value: object) -> bool | int | float | str | None:
    """What has no unit as it is stored; None if it may be a quantity."""
    plain = plain_scalar(value)
    if isinstance(plain, _PLAIN):
        return plain
    return check_text(plain, f"Parameter '{name}'") if isinstance(plain, str) else None


def _of_quantity(
    name: str, value: object, make: "Callable[[int | float, pint.Quantity[Any]], _T]"
) -> _T:
    """What is made of the magnitude of a quantity and the quantity itself."""
    if not is_quantity(value):
        raise TypeError(
            f"Parameter '{name}' is of type {type(value).__name__}: "
            "it must be a bool, int, float, str or pint quantity with a single real magnitude."
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
    return plain_parameter_text(*as_plain(parameter))


def plain_parameter_text(plain: bool | int | float | str, unit: str | None) -> str:
    """Return the same for a parameter without pint."""
    if isinstance(plain, str):
        return quoted(plain)
    return f"{plain} {unit}" if unit else str(plain)


def quoted(text: str) -> str:
    """Return a text as it is written in an expression or a condition."""
    return f'"{text}"' if "'" in text else f"'{text}'"


def parameter_to_json(value: Parameter) -> JSON:
    """Return strict JSON that stands for exactly this value.

    A bool, int, float or str is itself, or an object where JSON has no such number; a quantity is
    ``{"magnitude": 12.0, "unit": "MHz"}``.
    """
    return plain_parameter_to_json(*as_plain(value))


def plain_parameter_to_json(plain: bool | int | float | str, unit: str | None) -> JSON:
    """Return the same for a parameter without pint."""
    json = plain if isinstance(plain, bool | str) else number_to_json(plain)
    return json if unit is None else {"magnitude": json, "unit": unit}


def parameter_from_json(json: JSON) -> Parameter:
    """Return the parameter that :func:`parameter_to_json` has written.

    Raises:
        ValueError: ``json`` is not one of its results, or its unit is not defined in pint's
            application registry.
    """
    return from_plain(*plain_parameter_from_json(json))


def plain_parameter_from_json(json: JSON) -> PlainParameter:
    """Return the same without pint, which knows whether there is such a unit."""
    match json:
        case bool() | str():
            return json, None
        case {"magnitude": magnitude, "unit": str(unit), **rest} if not rest:
            return number_from_json(magnitude), unit
    return number_from_json(json), None
