"""The structures of the lists and dicts in a dataset of JSON texts.

Texts are parsed once in a process: what they were made of is remembered by what they are. So it
does not matter from which file they come, who has written them, or whether that was committed.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from shotstore.model import structured_from_json
from shotstore.model.structures import Structure, structure_of

Structures: TypeAlias = Mapping[Structure, int]
"""The places at which each is found first."""

_BLOCK = 256
"""Shots whose texts are remembered together; of a run that goes on, the last ones are parsed
again."""
_MOST_BLOCKS = 10_000
_MOST_STRUCTURES = 64
"""Of a block that is remembered."""

_known: dict[tuple[int, bytes], Structures] = {}


def structures_of_texts(texts: npt.NDArray[np.bytes_], rows: npt.NDArray[np.int64]) -> Structures:
    """Return what the values in JSON texts are made of.

    Args:
        texts: One for each row.
        rows: The rows of shots that they belong to, increasing.

    Raises:
        ValueError: one of the texts is not stored data.
    """
    found: dict[Structure, int] = {}
    breaks = np.flatnonzero(np.diff(rows // _BLOCK)) + 1
    for start, block in zip(
        [0, *breaks.tolist()], np.split(np.ascontiguousarray(texts), breaks), strict=True
    ):
        for structure, place in _structures_of_block(block).items():
            found.setdefault(structure, start + place)
    return found


def _structures_of_block(texts: npt.NDArray[Any]) -> Structures:
    key = texts.itemsize, blake2b(texts.data, digest_size=32).digest()
    found = _known.get(key)
    if found is None:
        parsed: dict[Structure, int] = {}
        for place, text in enumerate(texts.tolist()):
            parsed.setdefault(structure_of(structured_from_json(text.decode())), place)
        found = parsed
        if len(found) <= _MOST_STRUCTURES:
            if len(_known) >= _MOST_BLOCKS:
                _known.clear()
            _known[key] = found
    return found
