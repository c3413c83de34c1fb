"""Camera frames as pictures: made smaller, and the range of values that is shown."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from shotstore.records.columns import Column

Frame = npt.NDArray[Any]

_DARKEST, _BRIGHTEST = 0.2, 99.8
"""Percentiles: a hot pixel, or a dead one, is not to decide how all others are shown."""
_MOST_PIXELS = 2_000_000
_MAGMA = "000004 140e36 3b0f70 641a80 8c2981 b73779 de4968 f7705c fe9f6d fecf92 fcfdbf"


def spread(count: int, most: int) -> npt.NDArray[np.int64]:
    """Return up to so many of the shots, the first and the last among them, at equal distances."""
    return np.linspace(0, count - 1, min(most, count)).round().astype(np.int64)


def places_of_frames(column: Column) -> list[int]:
    """Return which of the values of a column are frames with pixels in them."""
    places = np.flatnonzero(column.is_present).tolist()
    return [place for place in places if column.values[place].size]


def reduced(frame: Frame, edge: int) -> npt.NDArray[np.float64]:
    """Return a frame of at most ``edge`` pixels in both directions: the means of square blocks.

    Args:
        frame: Real numbers, shape (height, width).
        edge: Pixels.
    """
    frame = frame.astype(np.float64)
    factor = -(-max(frame.shape) // edge)
    if factor <= 1:
        return frame
    # The blocks at the end are smaller, rather than lost.
    starts = [np.arange(0, length, factor) for length in frame.shape]
    sums = np.add.reduceat(np.add.reduceat(frame, starts[0], axis=0), starts[1], axis=1)
    rows, columns = (
        np.diff(np.append(start, length)) for start, length in zip(starts, frame.shape, strict=True)
    )
    return np.asarray(sums / np.outer(rows, columns))


def shown_range(frames: Iterable[Frame]) -> tuple[float, float]:
    """Return the values that are to be black and white; outliers are left out."""
    parts = [frame[np.isfinite(frame)].astype(np.float64) for frame in frames]
    values = np.concatenate(parts) if parts else np.empty(0)
    if not values.size:
        return 0.0, 1.0
    values = values[:: 1 + values.size // _MOST_PIXELS]
    low, high = (float(value) for value in np.percentile(values, [_DARKEST, _BRIGHTEST]))
    if low == high:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


def as_bytes(frame: Frame, low: float, high: float) -> npt.NDArray[np.uint8]:
    """Return a frame in 256 levels from ``low`` to ``high``; NaN is dark."""
    levels = (frame.astype(np.float64) - low) * (255 / (high - low))
    clipped = np.clip(np.nan_to_num(levels, nan=0.0, posinf=255, neginf=0), 0, 255)
    return np.asarray(np.rint(clipped), dtype=np.uint8)


def colours() -> npt.NDArray[np.uint8]:
    """Return 256 colours from dark to bright, shape (256, 3): those of "magma", nearly."""
    anchors = np.array([list(bytes.fromhex(text)) for text in _MAGMA.split()], dtype=np.float64)
    places = np.linspace(0, len(anchors) - 1, 256)
    channels = [np.interp(places, np.arange(len(anchors)), anchors[:, k]) for k in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)
