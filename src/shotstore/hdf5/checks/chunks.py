"""Datasets of a file that may be damaged, read a stored chunk at a time."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from attrs import frozen
from h5py import h5s

from shotstore.hdf5.shots.checksums import CHECKSUM_BYTES
from shotstore.hdf5.shots.own_objects import open_dataset
from shotstore.hdf5.shots.rows import Rows


@frozen
class Chunk:
    """A stored chunk, as far as it lies inside the dataset."""

    offset: tuple[int, ...]
    shape: tuple[int, ...]
    size: int
    """Bytes in the file."""


class StoredDataset:
    """A dataset that has passed for one of shotstore's."""

    def __init__(self, file: h5py.File, name: str, length: int) -> None:
        """Open a dataset of a file that has ``length`` bytes.

        Raises:
            ValueError: shotstore has not written it so.
            Exception: HDF5 cannot open it.
        """
        opened = open_dataset(file, name, length)
        self._dataset, self._largest = opened.dataset, opened.largest
        self.rows = Rows(opened)
        self._opened = opened
        self._type = opened.type
        self._chunk = opened.chunk
        self._length = length
        self.dtype = opened.dtype
        self.shape = opened.shape
        if not self._bytes((1, *self.shape[1:])):
            raise ValueError(f"a row of {name} has no bytes")

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def rows_in_chunk(self) -> int:
        """How many rows lie in one chunk."""
        return self._chunk[0]

    @property
    def chunks_for_row(self) -> int:
        """How many chunks a row is spread over."""
        sizes = zip(self.shape[1:], self._chunk[1:], strict=True)
        return math.prod(-(-length // chunk) for length, chunk in sizes)

    @property
    def most_rows(self) -> int:
        """How many rows can be stored in as many bytes as its chunks have in the file, or, where
        their index is damaged, in the whole file; unless they are compressed."""
        try:
            stored = int(self._dataset.get_storage_size())
        except RuntimeError:
            stored = self._length
        # Zeros at the end, less than a chunk of them, take no place.
        return stored // self._bytes((1, *self.shape[1:])) + self.rows_in_chunk

    def chunks(self) -> list[Chunk]:
        """Every chunk that is stored.

        Raises:
            ValueError: one of them is not as shotstore writes it.
            Exception: HDF5 cannot read where they are.
        """
        if not self._dataset.get_storage_size():
            return []
        stored: list[Any] = []
        visit: Callable[[Any], None] = stored.append
        self._dataset.chunk_iter(visit)
        return [self._chunk_at(info) for info in stored]

    def read(self, chunk: Chunk) -> npt.NDArray[Any]:
        """Read one of `chunks`.

        Raises:
            ValueError: it is larger than anything the file can hold.
            Exception: HDF5 cannot read it; most often, the checksum is wrong.
        """
        if self._bytes(chunk.shape) > self._largest:
            raise ValueError(f"the chunk at {chunk.offset} is larger than the file")
        self.rows.check_stored(chunk.offset)
        block = np.empty(chunk.shape, self.dtype)
        selection = self._dataset.get_space()
        selection.select_hyperslab(chunk.offset, chunk.shape)
        self._dataset.read(h5s.create_simple(chunk.shape), selection, block, self._type)
        self.rows.check_zeros(chunk.offset, block)
        return block

    def read_leniently(self, count: int) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
        """Read the first ``count`` rows of a table; return them, with zeros in the place of those
        that cannot be read, and which ones could."""
        rows = np.zeros((count, *self.shape[1:]), self.dtype)
        readable = np.zeros(count, np.bool_)
        for start in range(0, count, self.rows_in_chunk):
            stop = min(start + self.rows_in_chunk, count)
            try:
                rows[start:stop] = self.rows.read(start, stop - start)
            except Exception:
                continue
            readable[start:stop] = True
        return rows, readable

    def missing(self, rows: npt.NDArray[np.int64], chunks: list[Chunk]) -> npt.NDArray[np.int64]:
        """Return which of these rows are not in any of the stored chunks."""
        stored = Counter(chunk.offset[0] // self.rows_in_chunk for chunk in chunks)
        whole = [block for block, count in stored.items() if count >= self.chunks_for_row]
        is_missing = rows >= len(self)
        if not self.rows.fills_with_zeros:
            is_missing |= ~np.isin(rows // self.rows_in_chunk, whole)
        return rows[is_missing]

    def _chunk_at(self, info: Any) -> Chunk:
        offset = tuple(info.chunk_offset)
        places = zip(offset, self.shape, self._chunk, strict=True)
        shape = tuple(min(chunk, length - start) for start, length, chunk in places)
        size = self._bytes(self._chunk)
        is_plain = self._opened.is_compressed or info.size == size + CHECKSUM_BYTES
        is_marked = info.filter_mask == 1 and self.rows.marks_zeros
        if info.filter_mask and not is_marked:
            raise ValueError(f"its chunk at {offset} was written without a checksum")
        if not (is_plain or is_marked):
            raise ValueError(f"its chunk at {offset} has {info.size} bytes instead of {size}")
        return Chunk(offset, shape, info.size)

    def _bytes(self, shape: tuple[int, ...]) -> int:
        return self.dtype.itemsize * math.prod(shape)
