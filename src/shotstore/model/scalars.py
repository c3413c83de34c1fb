"""Single values: what subclasses and numpy scalars become, and how they are written in strict JSON.

Strict JSON has no NaN and no infinities, and other programs read its numbers as 64 bits. A number
that would not survive is written as a small object: ``{"float": "nan"}``, ``{"int": "0x400..."}``.
"""

import math
from typing import TypeAlias

import numpy as np

JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None

_SMALLEST_PLAIN_INT = -(2**63)
_LARGEST_PLAIN_INT = 2**64 - 1
_PLAIN = frozenset({bool, int, float, str, type(None)})


def plain_scalar(value: object) -> object:
    """Return a bool, int, float or str of exactly that type for anything that is one.

    Subclasses (enums, ``numpy.float64``) and numpy scalars lose their class and keep their value.
    Anything else is returned as it is, among it what would change on the way: ``numpy.longdouble``,
    ``datetime64``, ``timedelta64``, ``bytes_`` and complex numbers.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.generic):
        # A timedelta64 is an integer to numpy, and item() makes a bare int of it, without the unit.
        if isinstance(value, np.timedelta64 | np.longdouble):
            return value
        if isinstance(value, np.bool_ | np.integer | np.floating | np.str_):
            return value.item()
        return value
    # Called on the base class: an enum's own __str__ returns the name of its member.
    if isinstance(value, int):
        return int.__int__(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    return value


def has_lone_surrogate(text: str) -> bool:
    """Whether the text holds half of a surrogate pair, which no Unicode file can hold."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def check_text(text: str, what: str) -> str:
    """Return the text, a plain ``str``; ``what`` begins the message of an error.

    Raises:
        TypeError: it is not a ``str``.
        ValueError: it holds a lone surrogate.
    """
    if type(text) is str and text.isascii():
        return text
    plain = plain_scalar(text)
    if not isinstance(plain, str):
        raise TypeError(f"{what} must be a str, not of type {type(text).__name__}.")
    if has_lone_surrogate(plain):
        raise ValueError(f"{what} must not hold a lone surrogate: {plain!r}.")
    return plain


def check_positive(value: int, what: str) -> int:
    """Return the value, a plain ``int``; ``what`` begins the message of an error.

    Raises:
        TypeError: the value is not an integer.
        ValueError: the value is less than 1.
    """
    plain = plain_scalar(value)
    if isinstance(plain, bool) or not isinstance(plain, int):
        raise TypeError(f"{what} must be an integer, not of type {type(value).__name__}.")
    if plain < 1:
        raise ValueError(f"{what} must be 1 or more, not {plain}.")
    return plain


def copy_json(json: JSON) -> JSON:
    """Return a copy that shares no list or dict with the original."""
    if isinstance(json, dict):
        return {key: copy_json(value) for key, value in json.items()}
    return [copy_json(item) for item in json] if isinstance(json, list) else json


def number_to_json(value: int | float) -> JSON:
    """Return what stands for an int or float in strict JSON; :func:`number_from_json` undoes it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if _SMALLEST_PLAIN_INT <= value <= _LARGEST_PLAIN_INT:
        return value
    # Hexadecimal has no limit on the number of digits, decimal has one of 4300 in Python.
    return {"int": hex(value)}


def number_from_json(json: JSON) -> int | float:
    """Return the number that :func:`number_to_json` has written.

    Raises:
        ValueError: ``json`` is not one of its results.
    """
    match json:
        case bool():
            pass
        case int() | float():
            return json
        case {"float": "nan" | "inf" | "-inf" as text, **rest} if not rest:
            return float(text)
        case {"int": str(text), **rest} if not rest:
            return int(text, 16)
    raise ValueError(f"{json!r} is not a stored number.")
