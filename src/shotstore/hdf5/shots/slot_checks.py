"""What a slot may say. A schema comes from a file, and names datasets and types that are then used:
one that `shotstore.hdf5.shots.shots_file` does not write is refused before.
"""

import math
import re
from typing import Any, get_args

import numpy as np

from shotstore.hdf5.names import hdf5_name
from shotstore.hdf5.shots.rows import Rows
from shotstore.hdf5.shots.stored_values import (
    ARRAY_TYPES,
    COLUMN_TYPES,
    Slot,
    StoredType,
    encode_array,
    number_dtype,
)
from shotstore.model.dtypes import load_dtype
from shotstore.model.unit_texts import LONGEST_UNIT

_NUMBER = r"(?:#[1-9]\d{0,9})?"
_TABLES = {
    "parameters": re.compile("parameters" + _NUMBER),
    "data": re.compile("scalars" + _NUMBER),
}
_TOWER = re.compile(r"[()^]|\*\*\s*[-+\w.]+\s*\*\*|(?<!\w)[\d.][\w.]*\s*\*\*")
"""Powers of powers, and of numbers. In the units that we write, only names have powers."""

_TYPES = frozenset(get_args(StoredType))
_KINDS = "biufcSUVmM"
_LARGEST_ITEM = 2**31 - 1  # bytes; numpy allows no more


def check_slot(section: str, slot: Slot) -> Slot:
    """Return a slot of the section ``parameters`` or ``data``.

    Raises:
        ValueError: shotstore does not write such a one.
        TypeError: a value in it is of another type.
    """
    texts = (slot.name, *(t for t in (slot.dataset, slot.column, slot.unit) if t is not None))
    if not all(isinstance(text, str) for text in texts) or not slot.name:
        raise TypeError("a schema has a name that is no text")
    if slot.type not in _TYPES or (section == "parameters" and slot.type not in COLUMN_TYPES):
        raise ValueError(f"{slot.name!r} is of the unknown type {slot.type!r}")
    if not _is_in_place(section, slot):
        raise ValueError(f"{slot.name!r} is said to be in {slot.dataset!r}, where it cannot be")
    if slot.unit is not None and (len(slot.unit) > LONGEST_UNIT or _is_endless(slot.unit)):
        raise ValueError(f"{slot.name!r} is said to have the unit {slot.unit[:80]!r}")
    if slot.size is not None and (type(slot.size) is not int or slot.size < 1):
        raise ValueError(f"the texts of {slot.name!r} are said to have {slot.size!r} bytes")
    if slot.type in ARRAY_TYPES:
        _check_array(slot)
    return slot


def check_rows(slot: Slot, rows: Rows) -> None:
    """Compare a slot with its dataset.

    Raises:
        ValueError: the one does not fit the other.
    """
    if slot.type in COLUMN_TYPES:
        assert slot.column is not None
        found = rows.dtype[slot.column] if slot.column in (rows.dtype.names or ()) else None
        expected = number_dtype(slot.type)
        fits = (
            rows.row_shape == ()
            and found is not None
            and (found == expected or (expected is None and found.kind == "S"))
        )
    elif slot.type in ARRAY_TYPES:
        one = encode_array(np.zeros((0, *(slot.shape or ())), load_dtype(slot.dtype)))
        fits = one.dtype == rows.dtype and one.shape[1:] == rows.row_shape
    else:
        fits = rows.dtype.kind == "S" and rows.row_shape == ()
    if not fits:
        raise ValueError(f"{slot.dataset} does not hold what the schema says of {slot.name!r}")


def _is_in_place(section: str, slot: Slot) -> bool:
    if slot.type in ("none", "empty"):
        return slot.dataset is slot.column is slot.index is None
    if slot.dataset is None or (slot.column is None) == (slot.type in COLUMN_TYPES):
        return False
    if slot.index != (f"{slot.dataset}#rows" if slot.type == "ragged" else None):
        return False
    if slot.column is not None:
        is_table = _TABLES[section].fullmatch(slot.dataset) is not None
        return is_table and slot.column == hdf5_name(slot.name)
    own = "data/" + hdf5_name(slot.name)
    return slot.dataset.startswith(own) and bool(
        re.fullmatch(_NUMBER, slot.dataset.removeprefix(own))
    )


def _is_endless(unit: str) -> bool:
    """Whether pint, which computes the powers in a unit, may never be done with it."""
    return "**" in unit and bool(_TOWER.search(unit))


def _check_array(slot: Slot) -> None:
    shape = slot.shape
    if not isinstance(slot.dtype, str) or not isinstance(shape, tuple):
        raise TypeError(f"{slot.name!r} has no type, or no shape")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise ValueError(f"{slot.name!r} is said to have the shape {shape}")
    dtype: np.dtype[Any] = load_dtype(slot.dtype)
    if dtype.hasobject or dtype.kind not in _KINDS or dtype.itemsize > _LARGEST_ITEM:
        raise ValueError(f"{slot.name!r} is said to be an array of type {dtype}")
    if slot.type == "complex" and (dtype.kind != "c" or shape):
        raise ValueError(f"{slot.name!r} is said to be a complex number of type {dtype} {shape}")
    if slot.type == "empty" and dtype.itemsize and math.prod(shape):
        raise ValueError(f"{slot.name!r} is said to be empty, and to have the shape {shape}")
