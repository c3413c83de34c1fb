"""What data is made of, whatever its values are: many lists and dicts have few structures."""

from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from shotstore.model.data import Data
from shotstore.model.quantities import InUnit

Structure: TypeAlias = str | tuple[Any, ...]
"""``"none"``, ``"bool"``, ``"int"``, ``"float"``, ``"text"``, ``"bytes"``, ``"time"``;
``"wide int"`` beyond 64 bits and ``"huge int"`` beyond 128; or ``("array", dtype, ndim)``, also for
complex numbers, ``("list", structures of the items, each once)``, also for tuples, and ``("dict",
pairs of a key and a structure)``."""

_PLAIN = {
    type(None): "none",
    bool: "bool",
    float: "float",
    str: "text",
    bytes: "bytes",
    datetime: "time",
}
_COMPLEX = ("array", np.dtype(np.complex128), 0)
_INT64 = 2**63
_INT128 = 2**127


def structure_of(value: Data) -> Structure:
    """Return the structure of data, as `shotstore.model.check_data` returns it."""
    plain = _PLAIN.get(type(value))
    if plain is not None:
        return plain
    if isinstance(value, complex):
        return _COMPLEX
    if isinstance(value, list | tuple):
        return "list", tuple(dict.fromkeys(map(structure_of, value)))
    if isinstance(value, dict):
        return "dict", tuple([(key, structure_of(item)) for key, item in value.items()])
    if isinstance(value, np.ndarray):
        return "array", value.dtype, value.ndim
    if isinstance(value, InUnit):
        return structure_with_unit(structure_of(value.magnitude))
    assert isinstance(value, int)
    if -_INT64 <= value < _INT64:
        return "int"
    return "wide int" if -_INT128 <= value < _INT128 else "huge int"


def structure_with_unit(magnitude: Structure) -> Structure:
    """Return the structure of a quantity where its unit is not that of the label: that of a dict of
    its magnitude and its units."""
    return "dict", (("magnitude", magnitude), ("units", "text"))
