"""Data: what a shot may record under a label, and its exact form as JSON text.

Data is a numpy array, or ``None``, a bool, int, float, complex, str, bytes or aware datetime, or
lists, tuples and dicts of all of these; or a pint quantity of a number or of an array of numbers.
"""

import base64
import io
import json
import reprlib
from collections.abc import Mapping
from datetime import UTC, datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import attrs
import numpy as np
import numpy.typing as npt

from shotstore.model.data_remedies import remedy
from shotstore.model.dtypes import without_metadata
from shotstore.model.quantities import InUnit, is_quantity, unit_text_of
from shotstore.model.scalars import (
    JSON,
    check_text,
    has_lone_surrogate,
    number_from_json,
    number_to_json,
    plain_scalar,
)

if TYPE_CHECKING:
    import pint

Data: TypeAlias = Union[
    npt.NDArray[Any],
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    datetime,
    list["Data"],
    tuple["Data", ...],
    dict[str, "Data"],
    "pint.Quantity[Any]",
    InUnit,
    None,
]
"""Quantities are given and returned, and stored as `InUnit`."""

MAXIMUM_DEPTH = 100
"""How deeply lists, tuples and dicts may be nested: well below what JSON can recurse into."""

# Subclasses that add behaviour and no content. Another one may carry a mask or a unit.
_PLAIN_ARRAY_TYPES = (np.ndarray, np.matrix, np.memmap, np.recarray)

_TAGS = frozenset(
    {"float", "int", "complex", "bytes", "time", "array", "tuple", "dict", "quantity"}
)


def check_data(data: Mapping[str, object]) -> dict[str, Data]:
    """Return the data of one shot by label, with plain types, in the order given.

    Lists, tuples and dicts are copied, arrays are not. Numpy scalars and subclasses of bool, int,
    float, complex, str, bytes, list, tuple and dict become these, and quantities `InUnit`.

    Raises:
        TypeError: a value, or something inside it, is not data. The message names the label and the
            place, and has the expression that makes data of it.
        ValueError: a label is empty; a label, key or text holds a lone surrogate; a unit is not
            defined in pint's application registry; or lists, tuples and dicts are nested more than
            100 deep, as those that contain themselves are.
    """
    try:
        checked = {
            check_text(label, "A data label"): _check(value, label, "", 0)
            for label, value in data.items()
        }
    except _NotDataError as error:
        is_data = partial(_is_data, depth=error.depth)
        raise TypeError(f"{error.found}: {remedy(error.value, is_data)}.") from None
    if "" in checked:
        raise ValueError("A data label must not be empty.")
    return checked


def structured_to_json(value: Data) -> str:
    """Return compact strict JSON text that :func:`structured_from_json` turns into an equal value.

    Args:
        value: As :func:`check_data` returns it.
    """
    return json.dumps(
        data_to_json(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )


def structured_from_json(text: str) -> Data:
    """Return the value that :func:`structured_to_json` has written.

    Raises:
        ValueError: the text is not one of its results.
    """
    try:
        return data_from_json(_DECODER.decode(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The text is not stored data: {error}") from error


def data_to_json(value: Data) -> JSON:
    """Return strict JSON that :func:`data_from_json` turns into an equal value.

    Plain values are themselves. What JSON lacks is an object with a single key:
    ``{"float": "nan"}``, ``{"int": "0x400..."}`` beyond 64 bits, ``{"complex": [1.0, 2.5]}``,
    ``{"bytes": "<base64>"}``, ``{"time": "2026-11-22T12:00:00.000000+01:00"}``,
    ``{"array": "<base64 of a .npy file>"}``, ``{"tuple": [...]}`` and
    ``{"quantity": {"magnitude": ..., "unit": "MHz"}}``. A dict that looks like one of these is
    wrapped: ``{"dict": {"float": "nan"}}``.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return number_to_json(value)
    if isinstance(value, complex):
        return {"complex": [number_to_json(value.real), number_to_json(value.imag)]}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, datetime):
        return {"time": value.isoformat(timespec="microseconds")}
    if isinstance(value, np.ndarray):
        return {"array": _array_to_text(value)}
    if isinstance(value, InUnit):
        return {"quantity": {"magnitude": data_to_json(value.magnitude), "unit": value.unit}}
    assert not is_quantity(value)
    if isinstance(value, list):
        return [data_to_json(item) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [data_to_json(item) for item in value]}
    encoded = {key: data_to_json(item) for key, item in value.items()}
    return {"dict": encoded} if _looks_encoded(encoded) else encoded


def data_from_json(json: JSON) -> Data:
    """Return the value that :func:`data_to_json` has written.

    Arrays are writable and in C order, and of the same type, shape and byte order.

    Raises:
        ValueError: ``json`` is not one of its results.
    """
    if isinstance(json, list):
        return [data_from_json(item) for item in json]
    if not isinstance(json, dict):
        return json
    if not _looks_encoded(json):
        return {key: data_from_json(item) for key, item in json.items()}
    match json:
        case {"dict": dict(content)}:
            return {key: data_from_json(item) for key, item in content.items()}
        case {"array": str(text)}:
            return _array_from_text(text)
        case {"tuple": list(items)}:
            return tuple([data_from_json(item) for item in items])
        case {"bytes": str(text)}:
            return base64.b64decode(text, validate=True)
        case {"complex": [real, imaginary]}:
            return complex(float(number_from_json(real)), float(number_from_json(imaginary)))
        case {"time": str(text)}:
            return _time_from_text(text)
        case {"quantity": {"magnitude": magnitude, "unit": str(unit)}}:
            return InUnit(data_from_json(magnitude), unit)
    return number_from_json(json)


def _check(value: object, label: str, place: str, depth: int) -> Data:
    if isinstance(value, np.ndarray):
        return _check_array(value, label, place, depth)
    if isinstance(value, InUnit) or is_quantity(value):
        return _check_quantity(value, label, place, depth)
    plain = plain_scalar(value)
    if isinstance(plain, str):
        _check_text(plain, label, place)
        return plain
    if plain is None or isinstance(plain, bool | int | float):
        return plain
    if isinstance(plain, complex | np.complexfloating) and not isinstance(plain, np.clongdouble):
        return complex(float(plain.real), float(plain.imag))
    if isinstance(plain, bytes):
        return bytes(plain)
    # One of a subclass may count nanoseconds.
    if type(plain) is datetime and plain.utcoffset() is not None:
        return _with_fixed_offset(plain)
    if isinstance(plain, list | tuple | dict) and depth >= MAXIMUM_DEPTH:
        raise ValueError(
            f"Data '{label}' has lists, tuples or dicts nested more than {MAXIMUM_DEPTH} deep. "
            "Does one of them contain itself?"
        )
    if isinstance(plain, list | tuple):
        items = [
            _check(item, label, f"{place}[{index}]", depth + 1) for index, item in enumerate(plain)
        ]
        return items if isinstance(plain, list) else tuple(items)
    if isinstance(plain, dict):
        _check_keys(plain, label, place, depth)
        return {
            _check_key(key, label, place): _check(item, label, f"{place}[{key!r}]", depth + 1)
            for key, item in plain.items()
        }
    raise _NotDataError(f"{_where(label, place)} is of type {type(value).__name__}", value, depth)


def _check_quantity(
    value: "InUnit | pint.Quantity[Any]", label: str, place: str, depth: int
) -> InUnit:
    where = _where(label, place)
    if depth:
        raise _NotDataError(f"{where} is a quantity inside of other data", value, depth)
    magnitude = _check_magnitude(value, where)
    if isinstance(value, InUnit):
        return attrs.evolve(value, magnitude=magnitude)
    try:
        return InUnit(magnitude, unit_text_of(value))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _check_magnitude(value: "InUnit | pint.Quantity[Any]", where: str) -> Data:
    magnitude = value.magnitude
    if isinstance(magnitude, bool | np.bool_):
        raise _NotDataError(f"{where} is a quantity of a bool", value, 0)
    try:
        checked = _check(magnitude, "", "", 0)
    except _NotDataError:
        checked = None
    if isinstance(checked, np.ndarray):
        is_number = checked.dtype.kind in "iufc"
    else:
        is_number = isinstance(checked, int | float | complex)
    if not is_number:
        kind = getattr(magnitude, "dtype", type(magnitude).__name__)
        raise _NotDataError(f"{where} is a quantity whose magnitude is of type {kind}", value, 0)
    return checked


class _NotDataError(Exception):
    """A value is not data; what to write instead is looked for once, outside of all nesting."""

    def __init__(self, found: str, value: object, depth: int) -> None:
        super().__init__(found)
        self.found = found
        self.value = value
        self.depth = depth


def _is_data(value: object, depth: int) -> bool:
    try:
        _check(value, "", "", depth)
    except (_NotDataError, ValueError):
        return False
    return True


def _with_fixed_offset(time: datetime) -> datetime:
    """The time as it comes back: with its offset from UTC, and without the rules of a zone."""
    offset = time.utcoffset()
    assert offset is not None
    if offset.microseconds:  # which Python does not read in all texts that it writes
        return time.astimezone(UTC)
    return time.replace(tzinfo=timezone(offset) if offset else UTC, fold=0)


def _time_from_text(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.utcoffset() is None:
        raise ValueError(f"the time {text} has no offset from UTC")
    return time


def _check_keys(value: Mapping[object, object], label: str, place: str, depth: int) -> None:
    for key in value:
        if not isinstance(plain_scalar(key), str):
            raise _NotDataError(
                f"{_where(label, place)} has a key of type {type(key).__name__}, and the keys of a "
                "dict must be str",
                value,
                depth,
            )


def _check_key(key: object, label: str, place: str) -> str:
    plain = plain_scalar(key)
    assert isinstance(plain, str)
    _check_text(plain, label, place)
    return plain


def _check_text(text: str, label: str, place: str) -> None:
    if has_lone_surrogate(text):
        raise ValueError(f"{_where(label, place)} holds a lone surrogate: {reprlib.repr(text)}.")


def _check_array(array: npt.NDArray[Any], label: str, place: str, depth: int) -> npt.NDArray[Any]:
    where, dtype = _where(label, place), array.dtype
    reason = None
    if type(array) not in _PLAIN_ARRAY_TYPES:
        reason = f"is a {type(array).__name__}"
    elif dtype.kind == "T":
        reason = "is an array of texts of variable length"
    elif dtype.hasobject:
        reason = f"is an array of type {dtype}, whose items are Python objects"
    elif not _is_numpys_own(dtype):
        reason = f"is an array of type {dtype}, which numpy cannot write down"
    if reason is not None:
        raise _NotDataError(f"{where} {reason}", array, depth)
    if _holds_lone_surrogate(array):
        raise ValueError(f"{where} holds a lone surrogate.")
    plain = without_metadata(dtype)
    return np.asarray(array) if plain is dtype else np.asarray(array).view(plain)


def _is_numpys_own(dtype: np.dtype[Any]) -> bool:
    """Whether the type is known to every numpy, with fields in order and not overlapping."""
    if dtype.subdtype is not None:
        return _is_numpys_own(dtype.subdtype[0])
    if dtype.names is None:
        # 2 marks types that other packages have registered, such as bfloat16.
        return dtype.isbuiltin != 2
    end = 0
    for name in dtype.names:
        field, offset = _field(dtype, name)
        if offset < end or not _is_numpys_own(field):
            return False
        end = offset + field.itemsize
    return True


def _holds_lone_surrogate(array: npt.NDArray[Any]) -> bool:
    dtype = array.dtype
    if dtype.names is not None:
        return any(_holds_lone_surrogate(array[name]) for name in dtype.names)
    if dtype.kind != "U" or array.size == 0 or dtype.itemsize == 0:
        return False
    code_points = np.ascontiguousarray(array).reshape(-1).view(dtype.byteorder + "u4")
    return bool(np.any((code_points >= 0xD800) & (code_points <= 0xDFFF)))


def _field(dtype: np.dtype[Any], name: str) -> tuple[np.dtype[Any], int]:
    assert dtype.fields is not None
    field, offset, *_ = dtype.fields[name]
    return field, offset


def _where(label: str, place: str) -> str:
    return f"Data '{label}'" + (f" at {place}" if place else "")


def _array_to_text(array: npt.NDArray[Any]) -> str:
    file = io.BytesIO()
    # C order, as what comes back; version 3, the first that takes all names of fields.
    np.lib.format.write_array(
        file, np.asarray(array, order="C"), version=(3, 0), allow_pickle=False
    )
    return base64.b64encode(file.getvalue()).decode("ascii")


def _array_from_text(text: str) -> npt.NDArray[Any]:
    content = base64.b64decode(text, validate=True)
    try:
        # numpy's own limit on the header is reached by some hundred fields.
        return np.lib.format.read_array(
            io.BytesIO(content), allow_pickle=False, max_header_size=len(content)
        )
    except (EOFError, OSError) as error:  # of a file that ends too early
        raise ValueError(f"the array is damaged: {error}") from error


def _looks_encoded(value: dict[str, JSON]) -> bool:
    return len(value) == 1 and next(iter(value)) in _TAGS


def _refuse_constant(text: str) -> float:
    raise ValueError(f"{text} is not strict JSON.")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
