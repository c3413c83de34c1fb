"""Texts of a fixed length, in datasets and attributes.

HDF5 keeps what is of variable length in a heap without checksums, where one flipped bit can hang it
for ever.
"""

from typing import Any

import h5py
import numpy as np


def write_texts(file: h5py.File, name: str, texts: list[bytes], size: int) -> h5py.Dataset:
    """Create a dataset of UTF-8 texts that never grows, ``size`` bytes each."""
    return file.create_dataset(
        name,
        data=np.array(texts, text_dtype(size)),
        chunks=(len(texts),),
        fletcher32=True,
    )


def text_dtype(size: int) -> np.dtype[Any]:
    """The type of UTF-8 text of a fixed length in bytes, padded with NUL."""
    dtype: np.dtype[Any] = h5py.string_dtype("utf-8", size)
    return dtype


def write_attribute(target: h5py.HLObject, name: str, value: str | int) -> None:
    """Set an attribute: an integer, or a text of a fixed length."""
    if isinstance(value, str):
        text = value.encode()
        target.attrs.create(name, np.bytes_(text), dtype=text_dtype(max(1, len(text))))
    else:
        target.attrs.create(name, value, dtype=np.int64)
