"""Chunks of a dataset, read as they lie in the file.

HDF5 copies each chunk twice, and (2.0 at least) takes one that is shorter than it should be for a
whole one, and reads past the end of its memory. Here a chunk goes straight into the array that it
belongs to, once its length and its checksum are right. Anything else about it is left to HDF5.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from h5py import h5d

from shotstore.hdf5.disk import CAN_READ_TOGETHER
from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots.checksums import CHECKSUM_BYTES, checksums_for
from shotstore.hdf5.worker import run_together

_Bytes = npt.NDArray[np.uint8]

_FEW = 64
"""To look up every chunk takes as long as to read one of so many in another way."""
_SMALL = 2**14
"""Bytes in a chunk that HDF5 reads in little time,"""
_FEW_SMALL = 4
"""so that it takes as long for one of so many as a look up of all,"""
_MANY_SMALL = 8
"""and as long for so many as we do."""
_SHARE = 2**21
"""Bytes that a thread reads at once: they should still be in the cache of the processor when their
checksums are computed. Memory that is new may come in pages of as many bytes, and two threads that
begin in the same page would both fill all of it with zeros."""


class Chunks:
    """The chunks of a dataset that have checksums and no other filter, and each hold whole rows."""

    def __init__(
        self, dataset: h5d.DatasetID, file_object: HDF5FileObject, rows: int, size: int
    ) -> None:
        """A chunk has so many rows, and so many bytes."""
        self.rows = rows
        self.size = size
        self.is_small = size <= _SMALL
        self._dataset = dataset
        self._file_object = file_object
        self._checksums = checksums_for(size)
        self._number = -(-dataset.shape[0] // rows)
        self._asked = 0
        self._offsets: list[int] | None = None
        self._is_damaged = False

    def is_worth_while(self, count: int) -> bool:
        """Whether to read so many chunks takes less time in this way than through HDF5."""
        if not self.is_small:
            return True
        self._asked += count
        is_known = self._offsets is not None
        return count >= _MANY_SMALL and (is_known or self._asked * _FEW_SMALL >= self._number)

    def read_into(self, place: _Bytes, numbers: Sequence[int]) -> bool:
        """Read the chunks of these numbers, increasing, into a place, of shape (number of chunks,
        bytes of one); return whether they are all in the file as shotstore writes them."""
        offsets = self._find(numbers)
        if offsets is None:
            pairs = zip(place, numbers, strict=True)
            return all(self._read_one(one, number) for one, number in pairs)
        if min(offsets) < 0:
            return False
        share = max(1, _SHARE // self.size)
        parts = [
            partial(self._read_found, place[at : at + share], offsets[at : at + share])
            for at in range(0, len(offsets), share)
        ]
        return all(run_together(parts) if CAN_READ_TOGETHER else (part() for part in parts))

    def read_known_into(self, place: _Bytes, first: int) -> bool:
        """Do as `read_into`, without HDF5, if all of them were looked up before."""
        offsets = [] if self._offsets is None else self._offsets[first : first + len(place)]
        return bool(offsets) and min(offsets) >= 0 and self._read_found(place, offsets)

    def _read_found(self, place: _Bytes, offsets: list[int]) -> bool:
        read = self._read_small if self.is_small else self._read_large
        return self._checksums.fit(place, read(place, offsets))

    def _read_large(self, place: _Bytes, offsets: list[int]) -> _Bytes:
        """Read chunks straight into a place; return their checksums."""
        checksums = np.empty((len(place), CHECKSUM_BYTES), np.uint8)
        into, beside = place.reshape(-1).data, checksums.reshape(-1).data
        views: list[memoryview] = []
        for at in range(len(place)):
            views.append(into[at * self.size : (at + 1) * self.size])
            views.append(beside[at * CHECKSUM_BYTES : (at + 1) * CHECKSUM_BYTES])
        for begin, end in self._neighbours(offsets):
            self._file_object.read_at(views[2 * begin : 2 * end], offsets[begin])
        return checksums

    def _read_small(self, place: _Bytes, offsets: list[int]) -> _Bytes:
        """Do the same where a copy takes less time than to name the place of each."""
        stored = np.empty((len(place), self.size + CHECKSUM_BYTES), np.uint8)
        for begin, end in self._neighbours(offsets):
            self._file_object.read_at([stored[begin:end].reshape(-1).data], offsets[begin])
        place[:] = stored[:, : self.size]
        return np.ascontiguousarray(stored[:, self.size :])

    def _neighbours(self, offsets: list[int]) -> Iterator[tuple[int, int]]:
        """Which of the chunks follow each other in the file, from each first to behind the last."""
        after = [offset + self.size + CHECKSUM_BYTES for offset in offsets]
        breaks = [at for at in range(1, len(offsets)) if offsets[at] != after[at - 1]]
        return pairwise([0, *breaks, len(offsets)])

    def _find(self, numbers: Sequence[int]) -> list[int] | None:
        """Where the chunks lie, -1 for one that is not as it should be; None if it is not worth
        while to find out."""
        self._asked += len(numbers)
        if self._offsets is None and not self._is_damaged and self._asked * _FEW >= self._number:
            try:
                self._offsets = self._look_up()
            except (RuntimeError, OSError):
                self._is_damaged = True  # many of them can be found all the same, one by one
        known = self._offsets
        return None if known is None else [known[number] for number in numbers]

    def _look_up(self) -> list[int]:
        offsets = [-1] * self._number
        stored = self.size + CHECKSUM_BYTES
        last = self._file_object.end - stored
        rows = self._dataset.shape[0]
        found: list[h5d.StoreInfo] = []
        self._dataset.chunk_iter(found.append)
        for (row, *others), mask, offset, size in found:
            if size == stored and not mask and offset <= last and row < rows and not any(others):
                offsets[row // self.rows] = offset
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
