"""The checksums of chunks: those of HDF5's filter, computed in numpy.

Fletcher-32 is a sum of 16-bit words and one that is weighted with the distance from the end, both
modulo 65535. To swap the bytes of each word, as HDF5 does, is to multiply by 256.
"""

import struct
import threading
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

_Array = npt.NDArray[Any]
_Bytes = npt.NDArray[np.uint8]

_STORED = struct.Struct("<2H")
CHECKSUM_BYTES = _STORED.size
LARGEST = 2**26
"""Bytes in a chunk, at the most, for its sums to be exact."""

_SIDE = 2**8
"""Words in a line, and lines in a block at the most: the sums of its lines and of its columns are
exact in 32-bit floats, in which they are computed fastest."""
_SCRATCH = 2**18
"""Words of which sums are computed at once, at the most, so that they are still in the cache."""
_SHORT = 2**14
"""Bytes that are copied once more, at the most, since that takes less than the calls of numpy that
it saves."""
_SMALL = 2**13
"""Words in a chunk, at the most, of which both sums are computed at once, in 64-bit floats."""
_EXACT = 2**13
"""Lines of which weighted sums are exact in 64-bit floats as they are."""
_ONES = np.ones(_SIDE, np.float32)


def as_stored(chunk: _Array) -> bytes | _Bytes:
    """The bytes of a chunk, and its checksum behind them."""
    checksums = checksums_for(chunk.nbytes)
    if chunk.nbytes <= _SHORT:
        short = chunk.tobytes()
        return short + checksums.of(np.frombuffer(short, np.uint8))
    stored = np.empty(chunk.nbytes + CHECKSUM_BYTES, np.uint8)
    content = stored[:-CHECKSUM_BYTES]
    content[:] = chunk.reshape(-1).view(np.uint8)
    stored[-CHECKSUM_BYTES:] = np.frombuffer(checksums.of(content), np.uint8)
    return stored


def all_as_stored(chunks: _Array) -> _Bytes:
    """The bytes of chunks, one in each item along the first dimension, and their checksums."""
    content = np.ascontiguousarray(chunks).reshape(len(chunks), -1).view(np.uint8)
    stored = np.empty((len(chunks), content.shape[1] + CHECKSUM_BYTES), np.uint8)
    stored[:, :-CHECKSUM_BYTES] = content
    stored[:, -CHECKSUM_BYTES:] = checksums_for(content.shape[1]).of_all(content)
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
        lines = max(1, -(-self._words // _SIDE))
        self._blocks = -(-lines // _SIDE)
        self._lines = -(-lines // self._blocks)
        """Lines in a block."""
        self._missing = self._blocks * self._lines * _SIDE - self._words
        """How many zeros stand before the words, where they change nothing."""
        self._blocks_at_once = _SCRATCH // (self._lines * _SIDE)
        self._at_once = max(1, self._blocks_at_once // self._blocks)
        self._is_small = 0 < self._words <= _SMALL and not self._is_odd
        self._weights = self._weights_of_words() if self._is_small else self._weights_of_parts()

    def _weights_of_words(self) -> _Array:
        return np.stack([np.ones(self._words), np.arange(self._words, 0.0, -1)], 1)

    def _weights_of_parts(self) -> _Array:
        """Those of the sums of the lines, each with the number of words that come after it, and of
        the columns."""
        lines = np.zeros((self._blocks * self._lines, 2))
        lines[:, 1] = np.arange(len(lines) - 1, -1, -1.0) * _SIDE % 65535
        column = np.stack([np.ones(_SIDE), np.arange(_SIDE, 0.0, -1)], 1)
        return np.concatenate([lines, np.tile(column, (self._blocks, 1))])

    def fit(self, chunks: _Bytes, stored: _Bytes) -> bool:
        """Whether chunks, a row each, have these checksums, a row each, and none is of zeros, whose
        sums are zero: that is for others to judge."""
        sums, words = self._sums(chunks), stored.view("<u2")
        if np.count_nonzero(sums) + np.count_nonzero(words) < 2 * sums.size:
            return False
        return not np.count_nonzero((sums - words * 256.0) % 65535)

    def of(self, chunk: _Bytes) -> bytes:
        """Those of a chunk, as they are stored."""
        if self._is_small:
            plain, weighted = chunk.view("<u2").astype(np.float64).dot(self._weights).tolist()
        else:
            [[plain, weighted]] = self._sums(chunk[np.newaxis]).tolist()
        return _STORED.pack(_as_stored(plain, plain), _as_stored(weighted, plain))

    def of_all(self, chunks: _Bytes) -> _Bytes:
        """Those of chunks, a row each, as they are stored."""
        sums = self._sums(chunks)
        words = sums % 65535 * 256 % 65535
        words[(words == 0) & (sums[:, :1] != 0)] = 65535  # as `_as_stored` says
        return words.astype("<u2").view(np.uint8)

    def _sums(self, chunks: _Bytes) -> _Array:
        """Both sums of each chunk, before they are brought into the form in which they are stored.
        Those of nothing but zeros are zero."""
        if self._is_small:
            return self._sums_of_words(chunks.view("<u2"))
        parts = self._parts(chunks[:, : 2 * self._words].view("<u2"))
        sums: _Array = parts @ self._weights
        if self._is_odd:  # the last byte is a word of its own, and all others are one further away
            sums[:, 1] += sums[:, 0]
            sums += chunks[:, -1:]
        return sums

    def _sums_of_words(self, chunks: _Array) -> _Array:
        sums = np.empty((len(chunks), 2))
        at_once = _SCRATCH // 2 // self._words
        for first in range(0, len(chunks), at_once):
            some = chunks[first : first + at_once]
            words = _scratch.floats[: 2 * some.size].view(np.float64).reshape(some.shape)
            words[:] = some
            np.matmul(words, self._weights, sums[first : first + at_once])
        return sums

    def _parts(self, words: _Array) -> _Array:
        """The sums of all lines of each chunk, and behind them of the columns of its blocks."""
        number, end = len(words), self._blocks * self._lines
        parts = np.empty((number, len(self._weights)), np.float32)
        of_lines = parts[:, :end].reshape(number, self._blocks, self._lines)
        of_columns = parts[:, end:].reshape(number, self._blocks, _SIDE)
        for first in range(0, number, self._at_once):
            some = slice(first, first + self._at_once)
            for block in range(0, self._blocks, self._blocks_at_once):
                place = some, slice(block, block + self._blocks_at_once)
                lines = self._as_floats(words[some], block)
                np.matmul(lines, _ONES, of_lines[place])
                np.matmul(_ONES[: self._lines], lines, of_columns[place])
        if end > _EXACT:
            parts[:, :end] %= 65535
        return parts

    def _as_floats(self, words: _Array, block: int) -> _Array:
        """As many blocks of chunks as are looked at at once, of shape (number of chunks, of blocks,
        of lines, of words)."""
        in_block = self._lines * _SIDE
        count = min(self._blocks_at_once, self._blocks - block)
        floats = _scratch.floats[: len(words) * count * in_block].reshape(len(words), -1)
        start = block * in_block - self._missing
        if start < 0:
            floats[:, :-start] = 0
        floats[:, max(0, -start) :] = words[:, max(0, start) : start + count * in_block]
        return floats.reshape(len(words), count, self._lines, _SIDE)


def _as_stored(total: float, plain: float) -> int:
    """A sum as HDF5 stores it: 0 is that of nothing but zeros, 65535 that of everything else."""
    return int(total % 65535 * 256 % 65535) or (65535 if plain else 0)


class _Scratch(threading.local):
    """Used again and again: memory that is new each time would take longer than the sums."""

    def __init__(self) -> None:
        self.floats = np.empty(_SCRATCH, np.float32)


_scratch = _Scratch()
