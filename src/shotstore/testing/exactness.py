"""Whether two values are the same to the last bit: type, sign of zero, unit, dtype and order."""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import numpy as np

from shotstore.model.quantities import is_quantity


def exactly_equal(left: Any, right: Any) -> bool:
    """Compare parameters, data, attrs objects, and lists and dicts of these. A NaN equals a NaN."""
    if is_quantity(left) and is_quantity(right):
        return exactly_equal(left.magnitude, right.magnitude) and bool(left.units == right.units)
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        if left.dtype != right.dtype or left.shape != right.shape:
            return False
        if left.dtype.hasobject:
            return exactly_equal(left.tolist(), right.tolist())
        if left.dtype.names is None:
            return bool(left.tobytes() == right.tobytes())
        # Between the fields may be bytes that mean nothing.
        return all(exactly_equal(left[name], right[name]) for name in left.dtype.names)
    if isinstance(left, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, complex):
        return exactly_equal((left.real, left.imag), (right.real, right.imag))
    if isinstance(left, datetime):
        return (left, left.utcoffset()) == (right, right.utcoffset())
    if attrs.has(type(left)) and not isinstance(left, Mapping):
        fields = [field for field in attrs.fields(type(left)) if field.eq]
        return all(
            exactly_equal(_compared(left, field), _compared(right, field)) for field in fields
        )
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(exactly_equal, left, right))
    if isinstance(left, Mapping) and not attrs.has(type(left)):
        return list(left) == list(right) and all(map(exactly_equal, left.values(), right.values()))
    return bool(left == right)


def _compared(value: Any, field: "attrs.Attribute[Any]") -> Any:
    """What counts of a field where the class compares two of its objects."""
    found = getattr(value, field.name)
    key = field.eq_key  # type: ignore[attr-defined]  # attrs' own types lack it
    return found if key is None else key(found)
