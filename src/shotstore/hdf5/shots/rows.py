"""Datasets that grow by rows, through h5py's low-level interface.

Assigning a row of a table through the high-level one costs 0.1 ms and more. Here the type in
memory is the type in the file, so HDF5 converts nothing.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5s

from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots import own_objects
from shotstore.hdf5.shots.checksums import CHECKSUM_BYTES, LARGEST, all_as_stored, as_stored
from shotstore.hdf5.shots.chunks import Chunks
from shotstore.hdf5.shots.fill_values import can_have_fill_value, fill_value
from shotstore.hdf5.shots.own_objects import LARGEST_HOLE, OpenDataset

Array = npt.NDArray[Any]

_AT_ONCE = 2**20
"""Bytes of chunks whose checksums are computed at once, at the most."""
ROW_CHUNK = 4096
"""Bytes in a chunk of small rows. A chunk that a commit touches goes into the log whole."""
_HELD = 4 * ROW_CHUNK
"""Bytes of rows that are held back, or those of a chunk of rows, to be written at once: HDF5 takes
as long for one of them."""


class Rows:
    """A dataset of shape (rows, *row shape)."""

    def __init__(self, found: OpenDataset, chunks: Chunks | None = None) -> None:
        """``chunks`` are those that need not be read through HDF5."""
        self._dataset = found.dataset
        self._largest = found.largest
        self._found = found
        self._chunks = chunks
        self._type = found.type
        self.dtype = found.dtype
        self.length = found.shape[0]
        """How many rows there are."""
        self.row_shape = found.shape[1:]
        """Shape of one row."""
        self.row_bytes = math.prod(self.row_shape) * self.dtype.itemsize
        """Size of one row."""
        self._chunk_bytes = math.prod(found.chunk) * self.dtype.itemsize
        is_row = found.chunk[0] == 1
        self._most_held = _HELD if is_row else max(_HELD, self._chunk_bytes)
        self._last: tuple[int, Array] | None = None
        """The first row of the last chunk that was written in part, and what it holds."""
        self.held = bytearray()
        """The last rows, as far as HDF5 has not got them yet, as bytes."""

    @cached_property
    def missing(self) -> tuple[Any, ...]:
        """What stands in each column of a table where a row has no value."""
        filled: tuple[Any, ...] = fill_value(self.dtype).tolist()
        return filled

    def write(self, start: int, rows: Array) -> None:
        """Write ``rows``, of shape (n, *row shape), C-contiguous and of the dataset's type, from
        row ``start`` on, which is not before the end. What lies between holds the fill value.

        They can be read at once, and are in the file after a `flush`.

        Raises:
            ValueError: the rows are of another type or shape: HDF5 would read past their end.
        """
        if rows.dtype != self.dtype or rows.shape[1:] != self.row_shape:
            raise ValueError(f"rows of {rows.dtype} {rows.shape[1:]} do not fit their dataset")
        if start > self.length or len(self.held) + rows.nbytes > self._most_held:
            self.flush()
        end = start + len(rows)
        self._largest += (end - self.length) * self.row_bytes
        self.length = end
        if rows.nbytes > self._most_held:
            self._write(start, rows)
        else:
            self.held += rows.tobytes()

    def flush(self) -> None:
        """Hand HDF5 what is held back."""
        if self.held:
            rows = np.frombuffer(bytes(self.held), self.dtype).reshape(-1, *self.row_shape)
            self._write(self.length - len(rows), rows)
            self.held.clear()  # only once it has got them

    def _write(self, start: int, rows: Array) -> None:
        """Where the fill value is zeros, no zeros are written: a chunk of nothing else would be
        taken for one that the disk has lost. Where it is not, a chunk of zeros is written without
        a checksum, which its index says; the checksum would be zeros as well."""
        self._dataset.set_extent((start + len(rows), *self.row_shape))
        if self._found.has_plain_rows:
            self._write_chunks(start, rows)
            return
        for place in self._places(len(rows), start):
            piece = rows[place]
            offset = (start + place[0].start, *[part.start for part in place[1:]])
            is_zeros = _is_zeros(piece)
            if is_zeros and self.fills_with_zeros:
                continue
            memory, selection = self._select(offset, piece.shape)
            self._dataset.write(memory, selection, np.ascontiguousarray(piece), self._type)
            if is_zeros:
                self._mark(offset[0] + len(piece), offset[1:])

    def _write_chunks(self, start: int, rows: Array) -> None:
        """Write the chunks of rows as they are to be stored. HDF5 would compare all columns of a
        table with all, each time: 0.1 ms for 40 of them, 4 ms for 500."""
        count = self._found.chunk[0]
        at_once = max(1, _AT_ONCE // self._chunk_bytes) * count
        first, stop = start - start % count, start + len(rows)
        while first < stop:
            whole = min(at_once, (stop - first) // count * count)
            if first >= start and whole > count:
                several = rows[first - start : first - start + whole]
                for stored in all_as_stored(several.reshape(whole // count, -1)):
                    self._write_chunk(first, stored)
                    first += count
                continue
            piece = rows[max(0, first - start) : first + count - start]
            if len(piece) < count:
                piece = self._completed(first, max(0, start - first), piece)
            self._write_chunk(first, as_stored(piece))
            first += count

    def _write_chunk(self, first: int, stored: bytes | npt.NDArray[np.uint8]) -> None:
        """Write the chunk that begins at a row, as it is to be stored."""
        offset = (first, *[0] * len(self.row_shape))
        if bytes(stored[-CHECKSUM_BYTES:]).strip(b"\0"):  # it is that of something else than zeros
            self._dataset.write_direct_chunk(offset, stored)
        elif not self.fills_with_zeros:
            self._write_marked(offset)

    def _completed(self, first: int, inside: int, piece: Array) -> Array:
        """The chunk that begins at the row ``first``, with a piece of it, which begins at its row
        ``inside``."""
        if self._last is None or self._last[0] != first:
            chunk = np.full((self._found.chunk[0], *self.row_shape), self._filled, self.dtype)
            self._fill(chunk[:inside], first)
            self._last = first, chunk
        chunk = self._last[1]
        chunk[inside : inside + len(piece)] = piece
        return chunk

    def _mark(self, end: int, others: tuple[int, ...]) -> None:
        """Write the chunk whose rows end at ``end``, if it is full of zeros, without checksum."""
        rows, *sizes = self._found.chunk
        if end % rows or not self.marks_zeros:
            return
        offset = (end - rows, *others)
        places = zip(self.row_shape, others, sizes, strict=True)
        shape = (rows, *(min(size, length - start) for length, start, size in places))
        chunk = np.empty(shape, self.dtype)
        memory, selection = self._select(offset, shape)
        self._dataset.read(memory, selection, chunk, self._type)
        if _is_zeros(chunk):
            self._write_marked(offset)

    def _write_marked(self, offset: tuple[int, ...]) -> None:
        self._dataset.write_direct_chunk(offset, bytes(self._chunk_bytes), 1)
        # HDF5 (2.0) takes the chunk it was last at for one with a checksum, and forgets which that
        # was when the dataset shrinks.
        self._dataset.set_extent((self.length + 1, *self.row_shape))
        self._dataset.set_extent((self.length, *self.row_shape))

    def read(self, start: int, count: int, values: int | None = None) -> Array:
        """Read ``count`` rows from ``start`` on, which are so many values: by default as many.

        Raises:
            ValueError: they are not all before the end, or are more than the file can hold; or a
                chunk holds nothing but zeros, which shotstore does not write.
        """
        size = count * self.row_bytes
        most = max(self._largest, LARGEST_HOLE * (count if values is None else values))
        if start + count > self.length or size > most:
            raise ValueError(f"{count} rows from {start} on are not in the file")
        rows = np.empty((count, *self.row_shape), self.dtype)
        self.flush()
        self._fill(rows, start)
        return rows

    def read_into(self, place: Array, start: int) -> None:
        """Read the rows from ``start`` on into a place, C-contiguous and of their type, for as many
        of them.

        Raises:
            ValueError: as `read` does.
        """
        if place.dtype != self.dtype or place.shape[1:] != self.row_shape:
            raise ValueError(f"rows do not fit a place of {place.dtype} {place.shape[1:]}")
        if start + len(place) > self.length:
            raise ValueError(f"{len(place)} rows from {start} on are not in the file")
        self.flush()
        self._fill(place, start)

    def read_known(self, row: int) -> Array | None:
        """Read a row, of shape ``row_shape``, without HDF5; None if it is not a chunk of which is
        known where it lies, or is not as it should be."""
        if self._chunks is None or self._chunks.rows > 1:
            return None
        rows = np.empty((1, *self.row_shape), self.dtype)
        place = rows.reshape(-1).view(np.uint8).reshape(1, -1)
        return rows[0, ...] if self._chunks.read_known_into(place, row) else None

    def read_some_into(self, place: Array, wanted: npt.NDArray[np.int64]) -> bool:
        """Read the rows of these numbers, increasing, into a place, C-contiguous and of their type,
        past HDF5, if that takes less time; return whether it was done."""
        self.flush()
        if self._chunks is None or wanted[-1] >= self.length:
            return False
        if self._chunks.rows > 1 and not self._chunks.is_small:
            return False  # all of each chunk would be in memory at once
        numbers, inside = np.divmod(wanted, self._chunks.rows)
        is_first = np.append(True, numbers[1:] != numbers[:-1])
        needed = numbers[is_first].tolist()
        if not self._chunks.is_worth_while(len(needed)):
            return False
        if self._chunks.rows == 1:
            return self._chunks.read_into(
                place.reshape(-1).view(np.uint8).reshape(len(needed), -1), needed
            )
        chunks = np.empty((len(needed), self._chunks.size), np.uint8)
        if not self._chunks.read_into(chunks, needed):
            return False
        rows = chunks.reshape(-1).view(self.dtype).reshape(-1, *self.row_shape)
        place[:] = rows[(np.cumsum(is_first) - 1) * self._chunks.rows + inside]
        return True

    def _fill(self, rows: Array, start: int) -> None:
        if not rows.nbytes or self._read_chunks(rows, start):
            return
        chunks = [(self._offset(start, place), place) for place in self._places(len(rows), start)]
        for offset, _ in chunks:
            self.check_stored(offset)
        memory, selection = self._select((start, *[0] * len(self.row_shape)), rows.shape)
        self._dataset.read(memory, selection, rows, self._type)
        for offset, place in chunks:
            self.check_zeros(offset, rows[place])

    def check_stored(self, offset: tuple[int, ...]) -> None:
        """Look at the chunk that begins at ``offset`` before HDF5 reads it, if it must be.

        Raises:
            ValueError: HDF5 would take it for something else than it is.
        """
        if self._found.must_be_checked:
            own_objects.check_chunk(
                self._dataset, offset, self._chunk_bytes, may_be_marked=self.marks_zeros
            )
        elif self._found.is_compressed:
            # LZF makes of zeros half as many, and HDF5 takes what is in memory for the rest.
            own_objects.check_zeros(self._dataset, offset, self._chunk_bytes)

    def check_zeros(self, offset: tuple[int, ...], piece: Array) -> None:
        """Make sure that what was read of a chunk is not zeros because the disk has lost it.

        Raises:
            ValueError: it is.
        """
        was_checked = self._found.must_be_checked or self._found.is_compressed
        if not was_checked and _is_zeros(piece):
            own_objects.check_zeros(self._dataset, offset, self._chunk_bytes)

    def _read_chunks(self, rows: Array, start: int) -> bool:
        """Read rows past HDF5, if they are most of what is in their chunks; return whether it was
        done."""
        if self._chunks is None:
            return False
        in_chunk, stop = self._chunks.rows, start + len(rows)
        first, last = start // in_chunk, -(-stop // in_chunk)
        size = min(last * in_chunk, self.length) - first * in_chunk
        # HDF5 remembers chunks of which a part is read after the other.
        if 2 * len(rows) < size or not self._chunks.is_worth_while(last - first):
            return False
        place = rows.reshape(-1).view(np.uint8).reshape(len(rows), -1)
        begin, end = -(-start // in_chunk), stop // in_chunk
        if begin < end:
            whole = place[begin * in_chunk - start : end * in_chunk - start]
            if not self._chunks.read_into(whole.reshape(end - begin, -1), range(begin, end)):
                return False
        for number in {first, last - 1}.difference(range(begin, end)):
            chunk = np.empty((in_chunk, self.row_bytes), np.uint8)
            if not self._chunks.read_into(chunk.reshape(1, -1), [number]):
                return False
            at = number * in_chunk
            low, high = max(start, at), min(stop, at + in_chunk)
            place[low - start : high - start] = chunk[low - at : high - at]
        return True

    def _offset(self, start: int, place: tuple[slice, ...]) -> tuple[int, ...]:
        """Where the chunk begins that holds a place among the rows from ``start`` on."""
        first = start + place[0].start
        return first - first % self._found.chunk[0], *[part.start for part in place[1:]]

    def _places(self, count: int, start: int) -> Iterator[tuple[slice, ...]]:
        """Which part of ``count`` rows from ``start`` on lies in each of their chunks."""
        in_chunk, *others = self._found.chunk
        first = -(start % in_chunk)
        rows = [
            slice(max(0, at), min(count, at + in_chunk)) for at in range(first, count, in_chunk)
        ]
        parts = [
            [slice(at, min(length, at + size)) for at in range(0, length, size)]
            for length, size in zip(self.row_shape, others, strict=True)
        ]
        return product(rows, *parts)

    def _select(
        self, offset: tuple[int, ...], shape: tuple[int, ...]
    ) -> tuple[h5s.SpaceID, h5s.SpaceID]:
        """The places in memory and in the file, for HDF5, which has all rows by then. To make them
        anew takes as long as to write a row."""
        self._space.set_extent_simple((self.length, *self.row_shape))
        self._space.select_hyperslab(offset, shape)
        return h5s.create_simple(shape), self._space

    @cached_property
    def _space(self) -> h5s.SpaceID:
        return self._dataset.get_space()

    @cached_property
    def fills_with_zeros(self) -> bool:
        """Whether what was never written reads as zeros."""
        return _is_zeros(self._filled)

    @cached_property
    def _filled(self) -> Array:
        """What stands where nothing was written."""
        filled = np.zeros((), self.dtype)
        self._dataset.get_create_plist().get_fill_value(filled)
        return filled

    @property
    def marks_zeros(self) -> bool:
        """Whether a chunk of nothing but zeros has no checksum."""
        return not (self._found.is_compressed or self.fills_with_zeros)


def open_rows(file: h5py.File, name: str, file_object: HDF5FileObject) -> Rows:
    """Open a dataset by its path in a file.

    Raises:
        ValueError: shotstore has not written it so.
    """
    found = own_objects.open_dataset(file, name, file_object.end)
    chunks = None
    if found.has_plain_rows and file.mode == "r":  # else HDF5 may know better what is written
        size = math.prod(found.chunk) * found.dtype.itemsize
        chunks = Chunks(found.dataset, file_object, found.chunk[0], size)
    return Rows(found, chunks)


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
    file.create_dataset(
        name,
        shape=(0, *row_shape),
        maxshape=(None, *row_shape),
        dtype=dtype,
        chunks=(rows, *item),
        fletcher32=True,
        compression=compression,
        fillvalue=fill_value(dtype) if can_have_fill_value(dtype) else None,
        # By default HDF5 fills only with a value that was given, and leaves what was in memory.
        fill_time="alloc",
    )
    return Rows(own_objects.open_dataset(file, name, 0))


def _is_zeros(array: Array) -> bool:
    """Whether every byte is zero; not so where a float is -0.0."""
    return not array.tobytes().strip(b"\0")
