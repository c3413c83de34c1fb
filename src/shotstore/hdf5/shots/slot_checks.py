"""What a slot must not make its reader do.

A schema comes from a file, and names units and types that are then used. That of a file which was
made to harm its reader may say what it likes, as long as it does not hang or crash the interpreter
(docs/reliability.md).
"""

import math
from typing import Any

import numpy as np

from shotstore.hdf5.shots.stored_values import (
    ARRAY_TYPES,
    COLUMN_DTYPES,
    COLUMN_TYPES,
    Slot,
    encode_array,
)
from shotstore.model.dtypes import load_dtype
from shotstore.model.unit_texts import is_safe_unit


def check_slot(slot: Slot) -> Slot:
    """Return a slot that has a name, and takes neither for ever nor all of the memory.

    Raises:
        ValueError: it is not such a one.
    """
    if not isinstance(slot.name, str):
        raise ValueError(f"{slot.name!r} is not a text, as names are")
    if slot.unit is not None and not is_safe_unit(slot.unit):
        raise ValueError(f"{slot.name!r} is said to have the unit {slot.unit[:80]!r}")
    if slot.type == "empty" and load_dtype(slot.dtype).itemsize and math.prod(slot.shape or ()):
        raise ValueError(f"{slot.name!r} is said to be empty, and to have the shape {slot.shape}")
    return slot


def check_fits(slot: Slot, dtype: np.dtype[Any], row_shape: tuple[int, ...]) -> None:
    """Compare a slot with the type and the shape of the rows of its dataset.

    Raises:
        ValueError, TypeError: the one does not fit the other.
    """
    if slot.column is not None or slot.type in COLUMN_TYPES:
        found = dtype if slot.column is None else _column_of(dtype, slot.column)
        expected = COLUMN_DTYPES.get(slot.type)
        is_right = found is not None and (found == expected if expected else found.kind == "S")
        fits = is_right and row_shape == ()
    elif slot.type in ARRAY_TYPES:
        one = encode_array(np.zeros((0, *(slot.shape or ())), load_dtype(slot.dtype)))
        fits = one.dtype == dtype and one.shape[1:] == row_shape
    else:
        fits = dtype.kind == "S" and row_shape == ()
    if not fits:
        raise ValueError(f"{slot.dataset} does not hold what the schema says of {slot.name!r}")


def _column_of(dtype: np.dtype[Any], name: str) -> np.dtype[Any] | None:
    return dtype[name] if name in (dtype.names or ()) else None
