"""Values as JSON that any program reads."""

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def json_text(value: object, indent: int | None = None) -> str:
    """Return a value as JSON: arrays are lists, complex numbers lists of both parts, NaN and
    infinities null, and what JSON does not know a text.

    Args:
        value: The value.
        indent: Of the lines, in spaces; by default all is on one line.
    """
    return json.dumps(_finite(value), ensure_ascii=False, allow_nan=False, indent=indent)


def _finite(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return _finite(value.tolist())
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, complex):
        return [_finite(value.real), _finite(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | None) else str(value)
