"""What stands in a dataset where nothing was written."""

from typing import Any

import numpy as np


def fill_value(dtype: np.dtype[Any]) -> Any:
    """What stands where nothing was written: NaN, 0, False or the empty text; the smallest int64 in
    a table, since viewers show it and a 0 would read as a value."""
    filled = np.zeros((), dtype)
    if dtype.names is not None:
        for name in dtype.names:
            is_int64 = dtype[name] == np.int64
            filled[name] = np.iinfo(np.int64).min if is_int64 else fill_value(dtype[name])
    elif dtype.kind in "fc":
        filled[()] = np.nan
    return filled[()]


def can_have_fill_value(dtype: np.dtype[Any]) -> bool:
    """Whether a dataset of this type says what stands there, and it is not HDF5's own zeros."""
    # It lies in the header of the dataset, which a text of 64 KiB would not fit.
    return dtype.kind not in "SUV" or (dtype.names is not None and dtype.itemsize <= 16 * 1024)
