"""Objects as strict JSON, by cattrs or by the functions of whoever wrote their class."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from shotstore.model.data import data_from_json, data_to_json
from shotstore.model.scalars import JSON, has_lone_surrogate, plain_scalar

_T = TypeVar("_T")


def to_json(value: object, dump: Callable[[Any], object] | None = None) -> JSON:
    """Return strict JSON for a value of the model, or an instance of an attrs class.

    Args:
        dump: Makes the value into what ``json.dumps`` takes, in place of cattrs.

    Raises:
        TypeError: the value holds something that has no JSON form.
        ValueError: a text holds a lone surrogate.
    """
    if dump is None:
        # cattrs costs a tenth of the time to import shotstore, and many programs never need it.
        from shotstore.model.converter import model_converter

        dump = model_converter().unstructure
    try:
        # Through text: tuples become lists, and no part is shared with the value.
        text = json.dumps(dump(value), ensure_ascii=False, default=_numpy_scalar)
    except Exception as error:  # whatever a class or function of others raises
        raise TypeError(f"A {type(value).__name__} cannot be stored: {error}") from error
    if has_lone_surrogate(text):
        raise ValueError(f"A {type(value).__name__} cannot be stored: it holds a lone surrogate.")
    return data_to_json(json.loads(text))


def from_json(content: JSON, cls: type[_T], load: Callable[[Any], _T] | None = None) -> _T:
    """Return the value of which :func:`to_json` made ``content``.

    Args:
        load: Takes what ``dump`` has returned, in place of cattrs.

    Raises:
        ValueError: the content does not fit the class. The message says where.
    """
    from shotstore.model.converter import model_converter, reasons

    try:
        plain = data_from_json(content)
        return model_converter().structure(plain, cls) if load is None else load(plain)
    except Exception as error:  # whatever a class or function of others raises
        raise ValueError(
            f"The stored {cls.__name__} cannot be read: {reasons(error, cls.__name__).rstrip('.')}."
        ) from error


def strict_json(content: JSON) -> JSON:
    """A copy of what a serializer made, as it will be read.

    Raises:
        ValueError: it is not strict JSON: a NaN, a lone surrogate, too deeply nested.
        TypeError: it holds objects that are not JSON.
    """
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        text.encode()
        copy: JSON = json.loads(text)
    except RecursionError:
        raise ValueError("It is nested too deeply to be stored as JSON.") from None
    return copy


def _numpy_scalar(value: object) -> object:
    plain = plain_scalar(value)
    if plain is value:
        raise TypeError(f"a {type(value).__name__} has no JSON form")
    return plain
