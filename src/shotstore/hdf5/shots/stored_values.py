"""How a single value is stored: which type it has on disk, and its exact encoding.

A value becomes `Stored`: a type and a payload that a dataset or a table column can hold. A `Slot`
is one place where values of one name and one type go. The slots that a shot uses are its *schema*,
which is kept in the file as JSON, so that every value comes back as it was.
"""

from typing import Any, Literal, NamedTuple, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt
from attrs import frozen

from shotstore.hdf5.shots.fixed_texts import text_dtype
from shotstore.model import Data, structured_from_json, structured_to_json
from shotstore.model.dtypes import MOST_DIMENSIONS, dump_dtype, load_dtype
from shotstore.model.quantities import InUnit

Array: TypeAlias = npt.NDArray[Any]
StoredType: TypeAlias = Literal[
    "bool",
    "int",
    "float",
    "big int",
    "complex",
    "none",
    "text",
    "json",
    "array",
    "ragged",
    "empty",
]

COLUMN_TYPES = frozenset({"bool", "int", "float", "big int"})
"""Types of data that are stored in a column of a table, as all parameters are. The others have a
dataset of their own, except ``none`` and ``empty``, which the schema alone describes."""

COLUMN_DTYPES = {"bool": np.dtype("?"), "int": np.dtype("<i8"), "float": np.dtype("<f8")}
"""Their types; that of a ``big int`` is a text, and so are those of texts among parameters."""
_COMPLEX = np.dtype("<c16")
ARRAY_TYPES = frozenset({"array", "ragged", "empty", "complex"})
"""Types that have a ``dtype`` and a ``shape``; a complex number is an array of no dimensions."""
SPAN = np.dtype([("start", "<u8"), ("length", "<u8")])
"""Where the rows of a shot lie in the dataset of a ``ragged`` slot."""

_INT64 = np.iinfo(np.int64)
_SMALLEST_TEXT = 16  # bytes
_LONGEST_TYPE = 60_000  # bytes; HDF5 limits a header message to 64 KiB


class Stored(NamedTuple):
    """A value as it goes into a file. One is made of each parameter of each shot, and `frozen` of
    attrs takes twice the time."""

    type: StoredType
    payload: Any
    """A bool, int or float; UTF-8 bytes for ``big int``, ``text`` and ``json``; an array."""
    unit: str | None = None

    def fits(self, slot: "Slot") -> bool:
        """Whether it can be stored in a slot."""
        if slot.unit != self.unit:
            return False
        if slot.type == "ragged":
            array = self.payload
            return (
                self.type in ("array", "ragged")
                and array.shape[1:] == slot.shape
                and array.ndim > 0
                and dump_dtype(array.dtype) == slot.dtype
            )
        if slot.type != self.type:
            return False
        if slot.size is not None:
            return len(self.payload) <= slot.size
        if slot.type in ARRAY_TYPES:
            array = self.payload
            return bool(array.shape == slot.shape and dump_dtype(array.dtype) == slot.dtype)
        return True


@frozen(cache_hash=True)
class Slot:
    """Where values of one name and one type are stored."""

    name: str
    type: StoredType
    dataset: str | None = None
    """Path of the table or dataset in the file."""
    column: str | None = None
    index: str | None = None
    """For ``ragged``: the dataset with the first row and the number of rows of each shot."""
    unit: str | None = None
    """None without a unit, the empty text for a dimensionless quantity."""
    size: int | None = None
    """For texts: how many bytes fit."""
    dtype: str | None = None
    shape: tuple[int, ...] | None = None
    """The shape of an array; for ``ragged``, that of one item along the first dimension."""


def store_parameter(value: bool | int | float | str, unit: str | None) -> Stored:
    """Encode a parameter, of which a table has a column."""
    return _store_text(value) if isinstance(value, str) else store_number(value, unit)


def store_number(value: bool | int | float, unit: str | None = None) -> Stored:
    """Encode a number."""
    if isinstance(value, bool):
        return Stored("bool", value, unit)
    if isinstance(value, float):
        return Stored("float", value, unit)
    if _INT64.min <= value <= _INT64.max:
        return Stored("int", value, unit)
    # Hexadecimal, since Python refuses to read decimal numbers of more than 4,300 digits.
    return Stored("big int", hex(value).encode(), unit)


def store_data(value: Data) -> Stored:
    """Encode data as `shotstore.model.check_data` returns it."""
    if isinstance(value, InUnit):
        stored = store_data(value.magnitude)
        return Stored(stored.type, stored.payload, value.unit)
    if value is None:
        return Stored("none", None)
    if isinstance(value, bool | int | float):
        return store_number(value)
    if isinstance(value, complex):
        return Stored("complex", np.array(value, _COMPLEX))
    if isinstance(value, str):
        return _store_text(value)
    if not isinstance(value, np.ndarray) or value.ndim > MOST_DIMENSIONS:
        return Stored("json", structured_to_json(value).encode())
    if value.dtype.itemsize == 0 or 0 in value.shape[1:]:
        return Stored("empty", value)
    return Stored("ragged" if value.ndim and not value.shape[0] else "array", value)


def _store_text(value: str) -> Stored:
    # HDF5 pads fixed-length text with NUL.
    kind: StoredType = "json" if "\0" in value else "text"
    return Stored(kind, (structured_to_json(value) if kind == "json" else value).encode())


def load_parameter(slot: Slot, payload: Any) -> bool | int | float | str:
    """The inverse of `store_parameter`, without the unit."""
    match slot.type:
        case "text":
            return bytes(payload).decode()
        case "json":
            return str(structured_from_json(bytes(payload).decode()))
    return load_number(slot, payload)


def load_number(slot: Slot, payload: Any) -> bool | int | float:
    """The inverse of `store_number`, without the unit."""
    return int(payload, 16) if slot.type == "big int" else payload


def load_data(slot: Slot, payload: Any) -> Data:
    """The inverse of `store_data`; ``payload`` is what was read from the slot."""
    magnitude = _load_magnitude(slot, payload)
    return magnitude if slot.unit is None else InUnit(magnitude, slot.unit)


def _load_magnitude(slot: Slot, payload: Any) -> Data:
    match slot.type:
        case "none":
            return None
        case "text":
            return bytes(payload).decode()
        case "json":
            return structured_from_json(bytes(payload).decode())
        case "array" | "ragged":
            return decode_array(payload, load_dtype(slot.dtype))
        case "complex":
            return complex(payload[()])
        case "empty":
            # Not numpy.zeros, which makes items of one byte where the type has none.
            return np.ndarray(slot.shape or (), load_dtype(slot.dtype))
    return load_number(slot, payload)


def text_size(length: int) -> int:
    """Bytes to reserve for texts of which one has this length: a power of two, since a longer
    text needs a further dataset."""
    return max(_SMALLEST_TEXT, 1 << max(0, length - 1).bit_length())


def encode_array(array: Array) -> Array:
    """The array in a type that HDF5 takes and gives back unchanged, C-contiguous.

    Types that it takes stay. ``U`` becomes UTF-8 of a fixed length, datetime64 and timedelta64
    their 64-bit count, and any other type its bytes, along a further dimension.
    """
    array = np.asarray(array, order="C")
    dtype = array.dtype
    if dtype.kind == "U":
        marked = text_dtype(dtype.itemsize) if dtype.itemsize else np.dtype("S")
        encoded = np.char.encode(array, "utf-8").astype(marked)
        return np.asarray(encoded, order="C").reshape(array.shape)
    if dtype.kind in "mM":
        return array.view(dtype.byteorder + "i8")
    if _is_native(dtype):
        return array
    return array.reshape(*array.shape, 1).view(np.uint8)


def decode_array(encoded: Array, dtype: np.dtype[Any]) -> Array:
    """The inverse of `encode_array`."""
    if dtype.kind == "U":
        return np.char.decode(encoded, "utf-8").astype(dtype).reshape(encoded.shape)
    # What h5py has read may carry its notes on the type, which numpy warns about when it is saved.
    if encoded.dtype == dtype or dtype.kind in "mM" or _is_native(dtype):
        return encoded.view(dtype)
    return np.ascontiguousarray(encoded).view(dtype)[..., 0]


def is_stored_as_it_is(dtype: np.dtype[Any]) -> bool:
    """Whether `encode_array` leaves the bytes of arrays of this type as they are."""
    return dtype.kind != "U"


def _is_native(dtype: np.dtype[Any]) -> bool:
    native = _NATIVE.get(dtype)
    if native is None:
        try:
            kind = h5py.h5t.py_create(dtype, logical=True)
            back = kind.dtype
            native = back == dtype and back.str == dtype.str and len(kind.encode()) < _LONGEST_TYPE
        except (TypeError, ValueError):
            native = False
        _NATIVE[dtype] = native
    return native


_NATIVE: dict[np.dtype[Any], bool] = {}
