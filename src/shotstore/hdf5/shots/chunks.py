"""Chunks of a dataset, read as they lie in the file.

HDF5 copies each chunk twice, and (2.0 at least) takes one that is shorter than it should be for a
whole one, and reads past the end of its memory. Here a chunk goes straight into the array that it
belongs to, once its length and its checksum are right. Anything else about it is left to HDF5.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
from h5py import h5d

from shotstore.hdf5.disk import CAN_READ_TOGETHER
from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots.checksums import CHECKSUM_BYTES, Checksums
from shotstore.hdf5.worker import run_together

_Bytes = npt.NDArray[np.uint8]

_FEW = 16
"""To look up every chunk takes as long as to read one of so many in another way."""
_MOST_AT_ONCE = 2**20
"""Bytes of neighbouring chunks that are read at once: what was read should still be in the cache of
the processor when its checksums are computed."""
_SHARE = 2 * 2**20
"""Bytes for which it is worth while to wake another thread."""


class Chunks:
    """The chunks of a dataset that have checksums and no other filter, and each hold whole rows."""

    def __init__(
        self, dataset: h5d.DatasetID, file_object: HDF5FileObject, rows: int, size: int
    ) -> None:
        """A chunk has so many rows, and so many bytes."""
        self.rows = rows
        self.size = size
        self._dataset = dataset
        self._file_object = file_object
        self._checksums = Checksums(size)
        self._number = -(-dataset.shape[0] // rows)
        self._asked = 0
        self._offsets: list[int] | None = None
        self._is_damaged = False

    def read_into(self, place: _Bytes, first: int) -> bool:
        """Read chunks from the ``first`` on into a place, of shape (number of chunks, bytes of
        one); return whether they are all in the file as shotstore writes them."""
        offsets = self._find(first, len(place))
        if offsets is None:
            return all(self._read_one(one, first + at) for at, one in enumerate(place))
        if min(offsets) < 0:
            return False
        share = max(1, _SHARE // self.size) if CAN_READ_TOGETHER else len(offsets)
        return all(
            run_together(
                [
                    partial(self._read_found, place[at : at + share], offsets[at : at + share])
                    for at in range(0, len(offsets), share)
                ]
            )
        )

    def _read_found(self, place: _Bytes, offsets: list[int]) -> bool:
        checksums = np.empty((len(place), CHECKSUM_BYTES), np.uint8)
        for begin, end in self._neighbours(offsets):
            pairs = zip(place[begin:end], checksums[begin:end], strict=True)
            pieces = [piece.data for pair in pairs for piece in pair]
            self._file_object.read_at(pieces, offsets[begin])
            if not self._checksums.fit(place[begin:end], checksums[begin:end]):
                return False
        return True

    def _neighbours(self, offsets: list[int]) -> Iterator[tuple[int, int]]:
        """Which of the chunks follow each other in the file, from each first to behind the last."""
        stored = self.size + CHECKSUM_BYTES
        most = max(1, _MOST_AT_ONCE // stored)
        begin = 0
        for at in range(1, len(offsets)):
            if offsets[at] != offsets[at - 1] + stored or at - begin == most:
                yield begin, at
                begin = at
        yield begin, len(offsets)

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
        stored = self.size + CHECKSUM_BYTES

        def note(chunk: h5d.StoreInfo) -> None:
            row, *others = chunk.chunk_offset
            is_whole = chunk.size == stored and not chunk.filter_mask
            is_inside = chunk.byte_offset + stored <= self._file_object.end
            if is_whole and is_inside and not any(others) and row < self._dataset.shape[0]:
                offsets[row // self.rows] = chunk.byte_offset

        self._dataset.chunk_iter(note)
        return offsets

    def _read_one(self, place: _Bytes, number: int) -> bool:
        offset = (number * self.rows, *(0 for _ in self._dataset.shape[1:]))
        found = np.empty(self.size + CHECKSUM_BYTES, np.uint8)
        try:
            mask, stored = self._dataset.read_direct_chunk(offset, out=found)
        except (RuntimeError, OSError, ValueError):  # nothing was written there, or it is larger
            return False
        if mask or len(stored) != len(found):
            return False
        place[:] = found[: self.size]
        return self._checksums.fit(place[np.newaxis], found[np.newaxis, self.size :])
