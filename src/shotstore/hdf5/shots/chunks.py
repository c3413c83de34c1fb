"""Chunks of a dataset, read and written as they lie in the file.

HDF5 copies each chunk twice, and (2.0 at least) takes one that is shorter than it should be for a
whole one, and reads past the end of its memory. Here a chunk goes straight into the array that it
belongs to, once its length and its checksum are right. Anything else about it is left to HDF5.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from h5py import h5d

from shotstore.hdf5.overlay import HDF5FileObject

_Bytes = npt.NDArray[np.uint8]

CHECKSUM_BYTES = 4
LARGEST = 2**26
"""Bytes in a chunk here, at the most: the sums of one of 1 GiB are not exact any more."""
_FEW = 16
"""To look up every chunk takes as long as to read one of so many in another way."""
_SIDE = 2**8
"""Words in a line, and lines of which sums are taken at once: such sums are exact in 32-bit floats,
in which they are computed fastest."""
_ONES = np.ones(_SIDE, np.float32)
_WEIGHTS = np.arange(_SIDE, 0.0, -1)


class Chunks:
    """The chunks of a dataset that have checksums and no other filter, and each hold whole rows."""

    def __init__(
        self, dataset: h5d.DatasetID, file_object: HDF5FileObject, rows: int, size: int
    ) -> None:
        """A chunk has so many rows, and so many bytes."""
        self.rows = rows
        self._dataset = dataset
        self._file_object = file_object
        self._size = size
        self._number = -(-dataset.shape[0] // rows)
        self._asked = 0
        self._offsets: list[int] | None = None
        self._is_damaged = False

    def read(self, first: int, count: int) -> _Bytes | None:
        """The bytes of ``count`` chunks from the ``first`` on; None if they are not all in the file
        as shotstore writes them."""
        offsets = self._find(first, count)
        # Each chunk is read with its checksum, over which the next one is read.
        found = np.empty(count * self._size + CHECKSUM_BYTES, np.uint8)
        checksums = _Checksums(self._size)
        view = found.data
        for group in range(0, count, checksums.at_once):
            numbers = range(group, min(group + checksums.at_once, count))
            stored = bytearray()
            for number in numbers:
                start, stop = number * self._size, (number + 1) * self._size
                place = found[start : stop + CHECKSUM_BYTES]
                if offsets is None:
                    if not self._read_one(first + number, place):
                        return None
                elif offsets[number] < 0:
                    return None
                else:
                    self._file_object.read_at(view[start : stop + CHECKSUM_BYTES], offsets[number])
                stored += view[stop : stop + CHECKSUM_BYTES]
            chunks = found[numbers.start * self._size : numbers.stop * self._size]
            if not checksums.fit(chunks.reshape(len(numbers), -1), np.frombuffer(stored, "<u2")):
                return None
        return found[:-CHECKSUM_BYTES]

    def _find(self, first: int, count: int) -> list[int] | None:
        """Where the chunks lie, -1 for one that is not as it should be; None if it is not worth
        while to find out."""
        self._asked += count
        if self._offsets is None and not self._is_damaged and self._asked * _FEW >= self._number:
            try:
                self._offsets = self._look_up()
            except (RuntimeError, OSError):
                self._is_damaged = True  # many of them can be found all the same, one by one
        return None if self._offsets is None else self._offsets[first : first + count]

    def _look_up(self) -> list[int]:
        offsets = [-1] * self._number
        stored = self._size + CHECKSUM_BYTES

        def note(chunk: h5d.StoreInfo) -> None:
            row, *others = chunk.chunk_offset
            is_whole = chunk.size == stored and not chunk.filter_mask
            is_inside = chunk.byte_offset + stored <= self._file_object.end
            if is_whole and is_inside and not any(others) and row < self._dataset.shape[0]:
                offsets[row // self.rows] = chunk.byte_offset

        self._dataset.chunk_iter(note)
        return offsets

    def _read_one(self, number: int, place: _Bytes) -> bool:
        offset = (number * self.rows, *(0 for _ in self._dataset.shape[1:]))
        try:
            mask, stored = self._dataset.read_direct_chunk(offset, out=place)
        except (RuntimeError, OSError, ValueError):  # nothing was written there, or it is larger
            return False
        return not mask and len(stored) == len(place)


def as_stored(chunk: npt.NDArray[Any]) -> _Bytes:
    """The bytes of a chunk, and its checksum behind them."""
    stored = np.empty(chunk.nbytes + CHECKSUM_BYTES, np.uint8)
    stored[:-CHECKSUM_BYTES] = chunk.reshape(-1).view(np.uint8)
    sums = _Checksums(chunk.nbytes).of(stored[np.newaxis, :-CHECKSUM_BYTES])
    stored[-CHECKSUM_BYTES:] = sums.view(np.uint8)
    return stored


class _Checksums:
    """Those of HDF5's filter: Fletcher-32, a sum of 16-bit words and one that is weighted with the
    distance from the end, both modulo 65535. To swap the bytes of each word, as HDF5 does, is to
    multiply by 256."""

    def __init__(self, size: int) -> None:
        """``size`` is that of a chunk, in bytes."""
        self._lines = -(-size // (2 * _SIDE))
        self.at_once = max(1, _SIDE // self._lines)
        """For how many chunks they are best computed at once."""
        # Used again and again: memory that is new each time would take longer than the sums.
        self._floats = np.empty(self.at_once * min(self._lines, _SIDE) * _SIDE, np.float32)
        self._after = np.arange(self._lines - 1, -1, -1.0) * _SIDE % 65535

    def fit(self, chunks: _Bytes, stored: npt.NDArray[np.uint16]) -> bool:
        """Whether chunks, a row each, have these checksums, and are not zeros, of which they are
        zero: that is for others to judge."""
        return bool(stored.all() and (self.of(chunks) == stored).all())

    def of(self, chunks: _Bytes) -> npt.NDArray[np.uint16]:
        """Both sums of each chunk."""
        if chunks.shape[1] % 2:
            chunks = np.pad(chunks, ((0, 0), (0, 1)))
        words = chunks.view("<u2")
        number = len(words)
        missing = self._lines * _SIDE - words.shape[1]  # zeros before the words change nothing
        of_lines, of_columns = np.empty((number, self._lines)), np.zeros((number, _SIDE))
        for first in range(0, self._lines, _SIDE):
            last = min(first + _SIDE, self._lines)
            part = self._floats[: number * (last - first) * _SIDE].reshape(number, -1)
            if not first:
                part[:, :missing] = 0
            start = max(0, first * _SIDE - missing)
            part[:, 0 if first else missing :] = words[:, start : last * _SIDE - missing]
            lines = part.reshape(number, -1, _SIDE)
            of_lines[:, first:last] = lines @ _ONES
            of_columns += _ONES[: last - first] @ lines
        plain = of_lines.sum(axis=1)
        weighted = of_columns @ _WEIGHTS + of_lines % 65535 @ self._after
        sums = np.stack([plain, weighted], axis=1) % 65535 * 256 % 65535
        if not sums.all():  # 0 is the sum of nothing but zeros, 65535 that of everything else
            sums[(sums == 0) & chunks.any(axis=1, keepdims=True)] = 65535
        return sums.astype("<u2").ravel()
