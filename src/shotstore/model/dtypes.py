"""The types of arrays as text."""

import json
import re
from typing import Any

import numpy as np


def dump_dtype(dtype: np.dtype[Any]) -> str:
    """The type as text: numpy's array protocol (``"<u2"``), or for a structured type the JSON of
    its list of fields, as in the header of a .npy file."""
    found = _DTYPES.get(dtype)
    if found is None:
        description = np.lib.format.dtype_to_descr(dtype)
        found = description if isinstance(description, str) else json.dumps(description)
        _DTYPES[dtype] = found
    return found


def load_dtype(text: str | None) -> np.dtype[Any]:
    """The inverse of `dump_dtype`.

    Raises:
        ValueError, TypeError: it has not made this text.
    """
    description = json.loads(text) if text and text.startswith("[") else text
    return np.lib.format.descr_to_dtype(_fields(description))


_PLAIN_DTYPE = re.compile(r"[<>|=][biufcSUVmM]\d{1,10}(?:\[\d{0,10}[A-Za-zμ]{1,2}\])?")
_DTYPES: dict[np.dtype[Any], str] = {}


def _fields(description: Any) -> Any:
    """The list of fields with the tuples that JSON has no notion of."""
    if not isinstance(description, list):
        # numpy reads much more as a type, Python objects and lists of types among it.
        if not isinstance(description, str) or not _PLAIN_DTYPE.fullmatch(description):
            raise ValueError(f"{description!r} is no type of an array")
        return description
    return [
        (tuple(name) if isinstance(name, list) else name, _fields(dtype), *map(tuple, shape))
        for name, dtype, *shape in description
    ]
