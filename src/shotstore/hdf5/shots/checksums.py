"""The checksums of chunks: those of HDF5's filter, computed in numpy.

Fletcher-32 is a sum of 16-bit words and one that is weighted with the distance from the end, both
modulo 65535. To swap the bytes of each word, as HDF5 does, is to multiply by 256.
"""

import threading
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Bytes = npt.NDArray[np.uint8]

CHECKSUM_BYTES = 4
LARGEST = 2**26
"""Bytes in a chunk, at the most, for its sums to be exact."""

_SIDE = 2**8
"""Words in a line, and lines of which sums are taken at once: such sums are exact in 32-bit floats,
in which they are computed fastest."""
_SMALL = 2**13
"""Words in a chunk, at the most, of which both sums are computed at once, in 64-bit floats."""
_EXACT = 2**13
"""Lines of which weighted sums are exact in 64-bit floats as they are."""
_ONES = np.ones(_SIDE, np.float32)
_WEIGHTS = np.arange(_SIDE, 0.0, -1)


def as_stored(chunk: _Array) -> _Bytes:
    """The bytes of a chunk, and its checksum behind them."""
    stored = np.empty(chunk.nbytes + CHECKSUM_BYTES, np.uint8)
    content = stored[:-CHECKSUM_BYTES]
    content[:] = chunk.reshape(-1).view(np.uint8)
    stored[-CHECKSUM_BYTES:] = checksums_for(len(content)).of(content)
    return stored


@lru_cache(maxsize=64)
def checksums_for(size: int) -> "Checksums":
    """Those of chunks of this size in bytes, for all who read or write some."""
    return Checksums(size)


class Checksums:
    """Those of chunks of one size. Threads may share one."""

    def __init__(self, size: int) -> None:
        """``size`` is that of a chunk, in bytes."""
        self._is_odd = size % 2
        self._words = size // 2
        self._lines = max(1, -(-self._words // _SIDE))
        self._after = np.arange(self._lines - 1, -1, -1.0) * _SIDE % 65535
        """How many words come after each line."""
        self._at_once = max(1, _SIDE // self._lines)
        self._weights: _Array | None = None
        if 0 < self._words <= _SMALL and not self._is_odd:
            self._weights = np.stack([np.ones(self._words), np.arange(self._words, 0.0, -1)], 1)
            self._at_once = max(1, _SIDE * _SIDE // self._words)

    def fit(self, chunks: _Bytes, stored: _Bytes) -> bool:
        """Whether chunks, a row each, have these checksums, a row each, and none is of zeros, whose
        sums are zero: that is for others to judge."""
        for first in range(0, len(chunks), self._at_once):
            some = slice(first, first + self._at_once)
            if not self._fit(chunks[some], stored[some]):
                return False
        return True

    def _fit(self, chunks: _Bytes, stored: _Bytes) -> bool:
        if self._weights is not None:
            return self._fit_small(chunks, stored, self._weights)
        found = self._of(chunks)
        return [0, 0] not in found and found == stored.view("<u2").tolist()

    def _fit_small(self, chunks: _Bytes, stored: _Bytes, weights: _Array) -> bool:
        sums = self._small_sums(chunks, weights)
        # 0 is that of nothing but zeros, 65535 that of everything else.
        found = (sums * 256 - 1) % 65535 + 1
        return bool(sums.all() and (found == stored.view("<u2")).all())

    def of(self, chunk: _Bytes) -> _Bytes:
        """Those of a chunk, as they are stored."""
        if self._weights is None:
            [found] = self._of(chunk[np.newaxis])
        else:
            [[plain, weighted]] = self._small_sums(chunk[np.newaxis], self._weights).tolist()
            found = [_as_stored(plain, plain), _as_stored(weighted, plain)]
        return np.array(found, "<u2").view(np.uint8)

    def _small_sums(self, chunks: _Bytes, weights: _Array) -> _Array:
        words = _scratch.doubles[: len(chunks) * self._words].reshape(len(chunks), -1)
        words[:] = chunks.view("<u2")
        sums: _Array = words @ weights
        return sums

    def _of(self, chunks: _Bytes) -> list[list[int]]:
        of_lines, of_columns = self._sums(chunks[:, : 2 * self._words].view("<u2"))
        plain = of_lines.sum(1, np.float64)
        if self._lines > _EXACT:
            of_lines %= 65535
        weighted = of_lines.dot(self._after) + of_columns.dot(_WEIGHTS).sum(1)
        if self._is_odd:  # the last byte is a word of its own, and all others are one further away
            weighted += plain + chunks[:, -1]
            plain += chunks[:, -1]
        return [
            [_as_stored(one, one), _as_stored(other, one)]
            for one, other in zip(plain.tolist(), weighted.tolist(), strict=True)
        ]

    def _sums(self, words: _Array) -> tuple[_Array, _Array]:
        """The sum of each line of each chunk, and of each column of each block of its lines."""
        number = len(words)
        missing = self._lines * _SIDE - self._words  # zeros before the words change nothing
        of_lines = np.empty((number, self._lines), np.float32)
        of_columns = np.empty((number, -(-self._lines // _SIDE), _SIDE), np.float32)
        for block in range(of_columns.shape[1]):
            first = block * _SIDE
            count = min(_SIDE, self._lines - first)
            floats = _scratch.floats[: number * count * _SIDE].reshape(number, -1)
            start, stop = first * _SIDE - missing, (first + count) * _SIDE - missing
            if start < 0:
                floats[:, :missing] = 0
                floats[:, missing:] = words[:, :stop]
            else:
                floats[:] = words[:, start:stop]
            lines = floats.reshape(number, count, _SIDE)
            np.matmul(lines, _ONES, of_lines[:, first : first + count])
            np.matmul(_ONES[:count], lines, of_columns[:, block])
        return of_lines, of_columns


def _as_stored(total: float, plain: float) -> int:
    """A sum as HDF5 stores it: 0 is that of nothing but zeros, 65535 that of everything else."""
    return int(total % 65535 * 256 % 65535) or (65535 if plain else 0)


class _Scratch(threading.local):
    """Used again and again: memory that is new each time would take longer than the sums."""

    def __init__(self) -> None:
        self.floats = np.empty(_SIDE * _SIDE, np.float32)
        self.doubles = np.empty(_SIDE * _SIDE)


_scratch = _Scratch()
