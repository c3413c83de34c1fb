"""Datasets that grow by rows, through h5py's low-level interface.

Assigning a row of a table through the high-level one costs 0.1 ms and more. Here the type in
memory is the type in the file, so HDF5 converts nothing.
"""

import math
from functools import cached_property
from itertools import product, repeat
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5d, h5s

from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.chunks import LARGEST, Chunks, as_stored

Array = npt.NDArray[Any]

ROW_CHUNK = 4096
"""Bytes in a chunk of small rows. A commit journals a chunk that it touches whole."""


class Rows:
    """A dataset of shape (rows, *row shape)."""

    def __init__(
        self,
        dataset: h5d.DatasetID,
        largest: int = 0,
        checked: tuple[int, ...] | None = None,
        chunks: Chunks | None = None,
        *,
        rows_are_chunks: bool = False,
    ) -> None:
        """``largest`` is how many bytes can be read at the most, besides those by which it grows
        here, ``checked`` the shape of chunks that are to be looked at before HDF5 reads them, and
        ``chunks`` are those that need not be read through HDF5. With ``rows_are_chunks``, each row
        is one, which has a checksum and is not compressed."""
        self._dataset = dataset
        self._largest = largest
        self._checked = checked
        self._chunks = chunks
        self._rows_are_chunks = rows_are_chunks
        self._type = dataset.get_type()
        self.dtype: np.dtype[Any] = dataset.dtype
        self._shape: tuple[int, ...] = dataset.shape

    def __len__(self) -> int:
        return self._shape[0]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self._shape[1:]

    @cached_property
    def missing(self) -> tuple[Any, ...]:
        """What stands in each column of a table where a row has no value."""
        filled: tuple[Any, ...] = fill_value(self.dtype).tolist()
        return filled

    @property
    def row_bytes(self) -> int:
        """Size of one row."""
        return math.prod(self._shape[1:]) * self.dtype.itemsize

    def write(self, start: int, rows: Array) -> None:
        """Write ``rows``, of shape (n, *row shape), C-contiguous and of the dataset's type, from
        row ``start`` on. What lies between the end and ``start`` holds the fill value."""
        grown = start + len(rows) - self._shape[0]
        if grown > 0:
            self._shape = (start + len(rows), *self._shape[1:])
            self._dataset.set_extent(self._shape)
            self._largest += grown * self.row_bytes
        if self._rows_are_chunks:
            others = (0,) * len(self.row_shape)
            for number in range(len(rows)):
                chunk = as_stored(rows[number : number + 1])
                self._dataset.write_direct_chunk((start + number, *others), chunk)
            return
        memory, selection = self._select(start, len(rows))
        self._dataset.write(memory, selection, rows, self._type)

    def read(self, start: int, count: int) -> Array:
        """Read ``count`` rows from ``start`` on.

        Raises:
            ValueError: they are not all before the end, or are more than the file can hold.
        """
        size = count * self.row_bytes
        if start + count > self._shape[0] or size > self._largest:
            raise ValueError(f"{count} rows from {start} on are not in the file")
        rows = self._read_chunks(start, count) if size else None
        if rows is not None:
            return rows
        rows = np.empty((count, *self._shape[1:]), self.dtype)
        if rows.size:
            self._check_chunks(start, count)
            memory, selection = self._select(start, count)
            self._dataset.read(memory, selection, rows, self._type)
        return rows

    def _read_chunks(self, start: int, count: int) -> Array | None:
        """Read rows past HDF5, if they are most of what is in their chunks."""
        if self._chunks is None:
            return None
        first, last = start // self._chunks.rows, (start + count - 1) // self._chunks.rows
        begin = first * self._chunks.rows
        end = min((last + 1) * self._chunks.rows, self._shape[0])
        if 2 * count < end - begin:
            return None  # HDF5 remembers chunks of which a part is read after the other
        found = self._chunks.read(first, last + 1 - first)
        if found is None:
            return None
        rows = found.view(self.dtype).reshape(-1, *self._shape[1:])[start - begin :][:count]
        return rows if 2 * rows.nbytes > found.nbytes else rows.copy()

    def _check_chunks(self, start: int, count: int) -> None:
        if self._checked is None:
            return
        size = math.prod(self._checked) * self.dtype.itemsize
        first = start - start % self._checked[0]
        places = [range(first, start + count, self._checked[0])]
        places += map(range, repeat(0), self._shape[1:], self._checked[1:])
        for offset in product(*places):
            own_objects.check_chunk(self._dataset, offset, size)

    def _select(self, start: int, count: int) -> tuple[h5s.SpaceID, h5s.SpaceID]:
        shape = (count, *self._shape[1:])
        selection = self._dataset.get_space()
        selection.select_hyperslab((start, *(0 for _ in self._shape[1:])), shape)
        return h5s.create_simple(shape), selection


def open_rows(file: h5py.File, name: str, file_object: HDF5FileObject) -> Rows:
    """Open a dataset by its path in a file.

    Raises:
        ValueError: shotstore has not written it so.
    """
    found = own_objects.open_dataset(file, name, file_object.end)
    chunks = None
    size = math.prod(found.chunk) * found.dataset.dtype.itemsize
    has_whole_rows = found.chunk[1:] == found.dataset.shape[1:]
    is_plain = found.has_checksums_alone and has_whole_rows and size <= LARGEST
    # HDF5 looks up small chunks faster than it tells where they are, and may know better what is
    # being written.
    if is_plain and found.must_be_checked and file.mode == "r":
        chunks = Chunks(found.dataset, file_object, found.chunk[0], size)
    checked = found.chunk if found.must_be_checked else None
    rows_are_chunks = is_plain and found.chunk[0] == 1
    return Rows(found.dataset, found.largest, checked, chunks, rows_are_chunks=rows_are_chunks)


def create_rows(
    file: h5py.File,
    name: str,
    dtype: np.dtype[Any],
    row_shape: tuple[int, ...] = (),
    *,
    compression: str | int | None = None,
    chunk_bytes: int = ROW_CHUNK,
) -> Rows:
    """Create an empty dataset: chunked, checksummed, NaN where a float is missing.

    A chunk holds one row, or as many as fit ``chunk_bytes``; a row of more than 64 MiB is split,
    unless it is a single text.
    """
    item = list(row_shape)
    row_bytes = dtype.itemsize * math.prod(item)
    while dtype.itemsize * math.prod(item) > max(LARGEST, dtype.itemsize):
        largest = item.index(max(item))
        item[largest] = -(-item[largest] // 2)
    rows = max(1, chunk_bytes // row_bytes)
    dataset = file.create_dataset(
        name,
        shape=(0, *row_shape),
        maxshape=(None, *row_shape),
        dtype=dtype,
        chunks=(rows, *item),
        fletcher32=True,
        compression=compression,
        fillvalue=fill_value(dtype) if _can_have_fill_value(dtype) else None,
        # By default HDF5 fills only with a value that was given, and leaves what was in memory.
        fill_time="alloc",
    )
    # Rows of more bytes are split, or are a single text.
    rows_are_chunks = compression is None and rows == 1 and row_bytes <= LARGEST
    return Rows(dataset.id, rows_are_chunks=rows_are_chunks)


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


def _can_have_fill_value(dtype: np.dtype[Any]) -> bool:
    # It lies in the header of the dataset, which a text of 64 KiB would not fit. HDF5's own is 0.
    return dtype.kind not in "SUV" or (dtype.names is not None and dtype.itemsize <= 16 * 1024)


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
    """Set an attribute: an integer, or a text of a fixed length. HDF5 keeps text of variable
    length in a heap without checksums, where one flipped bit can hang it for ever."""
    if isinstance(value, str):
        text = value.encode()
        target.attrs.create(name, np.bytes_(text), dtype=text_dtype(max(1, len(text))))
    else:
        target.attrs.create(name, value, dtype=np.int64)


def read_attribute(target: h5py.HLObject, name: str) -> str:
    """Read a text attribute.

    Raises:
        ValueError: shotstore has not written it so.
    """
    return own_objects.read_text_attribute(target, name)
