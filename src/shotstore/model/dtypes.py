"""The types of arrays as text."""

import json
import re
from functools import lru_cache
from typing import Any

import numpy as np

MOST_DIMENSIONS = 30
"""Of what is stored as an array: HDF5 has 32, of which one is for the shots, and one for the bytes
of an item. What has more is stored as JSON."""


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
    if text and text.startswith("["):
        # Made anew each time: whoever gets one may change the names of its fields in place.
        return np.lib.format.descr_to_dtype(_fields(json.loads(text)))
    return _load_plain_dtype(text)


@lru_cache(maxsize=256)
def _load_plain_dtype(text: str | None) -> np.dtype[Any]:
    return np.lib.format.descr_to_dtype(_fields(text))


def without_metadata(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type without the notes that other packages leave in it, as h5py does in those of texts
    and truth values; numpy warns of them when it writes a type down."""
    if not _has_metadata(dtype):
        return dtype
    if dtype.subdtype is not None:
        return np.dtype((without_metadata(dtype.subdtype[0]), dtype.shape))
    if dtype.names is None:
        return np.dtype(dtype.str)
    assert dtype.fields is not None
    fields = [dtype.fields[name] for name in dtype.names]
    titles = [field[2] if len(field) > 2 else None for field in fields]
    plain: Any = {
        "names": list(dtype.names),
        "formats": [without_metadata(field[0]) for field in fields],
        "offsets": [field[1] for field in fields],
        "itemsize": dtype.itemsize,
        **({"titles": titles} if any(titles) else {}),
    }
    made: np.dtype[Any] = np.dtype(plain, align=dtype.isalignedstruct)
    return made


def _has_metadata(dtype: np.dtype[Any]) -> bool:
    if dtype.metadata is not None:
        return True
    if dtype.subdtype is not None:
        return _has_metadata(dtype.subdtype[0])
    return any(_has_metadata(field[0]) for field in (dtype.fields or {}).values())


_PLAIN_DTYPE = re.compile(r"[<>|=][biufcSUVmM]\d{1,10}(?:\[\d{0,10}[A-Za-zμ]{1,2}\])?")
_DTYPES: dict[np.dtype[Any], str] = {}


def _fields(description: Any) -> Any:
    """The list of fields with the tuples that JSON has no notion of."""
    if not isinstance(description, list):
        # numpy reads much more as a type, Python objects and lists of types among it.
        if not isinstance(description, str) or not _PLAIN_DTYPE.fullmatch(description):
            raise ValueError(f"{description!r} is not a type of an array")
        return description
    return [
        (tuple(name) if isinstance(name, list) else name, _fields(dtype), *map(tuple, shape))
        for name, dtype, *shape in description
    ]
