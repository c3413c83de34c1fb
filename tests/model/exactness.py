"""Whether two values are the same to the last bit: type, sign of zero, unit, dtype and order."""

import math

import numpy as np
import pint


def exactly_equal(left: object, right: object) -> bool:
    """Compare parameters, data, and lists and dicts of them. A NaN equals a NaN."""
    if isinstance(left, pint.Quantity) and isinstance(right, pint.Quantity):
        return exactly_equal(left.magnitude, right.magnitude) and left.units == right.units
    if type(left) is not type(right):
        return False
    if isinstance(left, np.ndarray):
        return (
            left.dtype == right.dtype
            and left.shape == right.shape
            and left.tobytes() == right.tobytes()
        )
    if isinstance(left, float):
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return left == right and math.copysign(1, left) == math.copysign(1, right)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(exactly_equal, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(map(exactly_equal, left.values(), right.values()))
    return left == right
