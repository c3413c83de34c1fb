"""Objects of an HDF5 file that are as shotstore makes them. Whatever else a file holds is refused.

A flipped bit is an error of HDF5, since all metadata has checksums. But a file can also have been
made by another program, or to harm its reader: links, external storage and virtual datasets lead
out of the file, and types of variable length into a heap without checksums, where HDF5 can hang.
All of these are told apart here, before anything is read through them.

h5py's high-level interface follows every link. Its iterators moreover hold h5py's lock between two
steps: one that an error leaves unfinished in a worker thread never releases it.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import h5py
import numpy as np
from attrs import frozen
from h5py import h5a, h5d, h5g, h5t, h5z

from shotstore.hdf5.shots.checksums import CHECKSUM_BYTES, LARGEST

_LZF = 32000
_COMPRESSIONS = frozenset({h5z.FILTER_DEFLATE, _LZF})
_FILTERS = frozenset({h5z.FILTER_FLETCHER32, h5z.FILTER_SHUFFLE, *_COMPRESSIONS})
_MOST_COMPRESSION = 1032
"""What deflate makes of zeros: https://zlib.net/zlib_tech.html, "Maximum Compression Factor"."""

_HARMLESS_CHUNK = 2**14  # bytes; what lies so close behind a block of memory can be read
_OVERHEAD = 1024  # bytes by which a compressed chunk may be longer than its content
LARGEST_HOLE = 2**32
"""Bytes of zeros that are believed to be a value: they take no place in the file."""
_PLAIN_TYPES = frozenset({h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.OPAQUE})


def exists(file: h5py.File, name: str) -> bool:
    """Whether there is a dataset or group of this path.

    Raises:
        ValueError: there is a link instead.
    """
    parts = name.encode().split(b"/")
    for depth in range(1, len(parts) + 1):
        path = b"/".join(parts[:depth])
        if not file.id.links.exists(path):
            return False
        if file.id.links.get_info(path).type != h5py.h5l.TYPE_HARD:
            raise ValueError(f"{name} is reached by a link, which shotstore never makes")
    return True


def list_names(file: h5py.File, group: str, found: list[str]) -> None:
    """Add the names in a group to ``found``: of a damaged one, those that come before the damage.
    (To ask for the n-th name takes half a second where there are 100,000.)

    Raises:
        ValueError: there is no such group.
        RuntimeError: HDF5 cannot read all of them.
    """
    if group and not exists(file, group):
        raise ValueError(f"{group} is missing")
    stored: list[bytes] = []
    visit: Callable[[bytes], None] = stored.append  # must not raise inside of HDF5
    members = h5g.open(file.id, group.encode() or b"/")  # open as long as its links are looked at
    try:
        members.links.iterate(visit)
    finally:
        found += [name.decode() for name in stored]


@frozen
class OpenDataset:
    """A dataset that has passed for one of shotstore's."""

    dataset: h5d.DatasetID
    type: h5t.TypeID
    """In the file, and the same in memory."""
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    """As it was then."""
    largest: int
    """How many bytes can be read of it at the most."""
    chunk: tuple[int, ...]
    """Shape of its chunks."""
    is_compressed: bool
    must_be_checked: bool
    """Whether `check_chunk` is to look at each chunk before HDF5 reads it."""
    has_plain_rows: bool
    """Whether each chunk is whole rows and a checksum, and not too long for our own sums."""


def open_dataset(file: h5py.File, name: str, length: int) -> OpenDataset:
    """Open a dataset of a file that has ``length`` bytes.

    Raises:
        ValueError: shotstore has not written it so.
    """
    if not exists(file, name):
        raise ValueError(f"{name} is missing")
    dataset = h5d.open(file.id, name.encode())
    kind = dataset.get_type()
    dtype = _numpy_type(kind.encode())
    if dtype is None:
        raise ValueError(f"the type of {name} is not one that shotstore uses")
    properties = dataset.get_create_plist()
    if properties.get_layout() != h5d.CHUNKED or properties.get_external_count():
        raise ValueError(f"{name} is not stored in chunks of this file")
    filters = {properties.get_filter(i)[0] for i in range(properties.get_nfilters())}
    if h5z.FILTER_FLETCHER32 not in filters or filters - _FILTERS:
        raise ValueError(f"{name} has no checksums, or filters that shotstore does not use")
    chunk: tuple[int, ...] = properties.get_chunk()
    size = math.prod(chunk) * dtype.itemsize
    if size > max(LARGEST, dtype.itemsize):
        raise ValueError(f"the chunks of {name} are too large")
    is_compressed = bool(filters & _COMPRESSIONS)
    largest = length * (_MOST_COMPRESSION if is_compressed else 1)
    shape: tuple[int, ...] = dataset.shape
    rows, *row_shape = shape
    if rows and math.prod(row_shape) * dtype.itemsize > max(largest, LARGEST_HOLE):
        raise ValueError(f"a row of {name} is larger than the file")
    is_plain = filters == {h5z.FILTER_FLETCHER32}
    return OpenDataset(
        dataset,
        kind,
        dtype,
        shape,
        largest,
        chunk,
        is_compressed,
        must_be_checked=size > _HARMLESS_CHUNK and not is_compressed,
        has_plain_rows=is_plain and chunk[1:] == shape[1:] and size <= LARGEST,
    )


def check_chunk(
    dataset: h5d.DatasetID, offset: tuple[int, ...], size: int, *, may_be_marked: bool
) -> None:
    """Make sure that a chunk, which begins at ``offset``, has ``size`` bytes and a checksum, and
    holds something else than zeros; or that it holds zeros and has none, if it may be so.

    HDF5 (2.0 at least) takes a stored chunk that is shorter for a whole one, and reads past the end
    of its memory: a crash, if chunks are large. No flipped bit makes one, since the lengths have
    checksums; but a file can be made so. There is nothing else in h5py that tells the length of one
    chunk without looking at all of them.

    Raises:
        ValueError: it is not so.
    """
    mask, stored = _read_stored(dataset, offset, size)
    if stored is None:
        return  # nothing was written there, or it cannot be found: HDF5 says which when it reads
    if may_be_marked and mask == 1 and len(stored) == size:
        if stored.strip(b"\0"):
            raise ValueError(f"the chunk at {offset} is not the zeros that it should be")
    elif mask or len(stored) != size + CHECKSUM_BYTES:
        raise ValueError(f"the chunk at {offset} has {len(stored)} bytes instead of {size}")
    else:
        _check_zeros(offset, stored)


def check_zeros(dataset: h5d.DatasetID, offset: tuple[int, ...], size: int) -> None:
    """Make sure that zeros that were read are the fill value, or a part of a chunk of other values,
    or marked as zeros. The chunk has ``size`` bytes.

    Raises:
        ValueError: the chunk holds nothing else.
    """
    mask, stored = _read_stored(dataset, offset, size)
    if stored is not None and not mask:
        _check_zeros(offset, stored)


def _read_stored(
    dataset: h5d.DatasetID, offset: tuple[int, ...], size: int
) -> tuple[int, bytes | None]:
    """The filters that were left out of a chunk, and its bytes in the file, if there are any."""
    # Of a dataset without any chunk, h5py takes what is in memory for the length.
    place = bytearray(size + size // 8 + _OVERHEAD)
    try:
        mask, stored = dataset.read_direct_chunk(offset, out=place)
    except (RuntimeError, OSError):
        return 0, None
    except ValueError as error:
        if not dataset.get_storage_size():
            return 0, None
        raise ValueError(f"the chunk at {offset} has more than {size} bytes") from error
    return mask, bytes(stored)


def _check_zeros(offset: tuple[int, ...], stored: bytes) -> None:
    # The checksum of zeros is zero, so HDF5 takes what the disk never got for data.
    if not any(stored[-CHECKSUM_BYTES:]) and not stored.strip(b"\0"):
        raise ValueError(f"the chunk at {offset} holds nothing but zeros: its content is lost")


def read_text_attribute(target: h5py.HLObject, name: str) -> str:
    """Read an attribute that is a text.

    Raises:
        ValueError: shotstore has not written it so.
    """
    attribute = _open_attribute(target, name)
    kind = attribute.get_type()
    if not isinstance(kind, h5t.TypeStringID) or kind.is_variable_str():
        raise ValueError(f"the attribute {name} is not a text of a fixed length")
    value = np.empty((), attribute.dtype)
    attribute.read(value)
    return bytes(value[()]).decode()


def read_integer_attribute(target: h5py.HLObject, name: str) -> int:
    """Read an attribute that is an integer.

    Raises:
        ValueError: shotstore has not written it so.
    """
    attribute = _open_attribute(target, name)
    if not isinstance(attribute.get_type(), h5t.TypeIntegerID):
        raise ValueError(f"the attribute {name} is not an integer")
    value = np.empty((), attribute.dtype)
    attribute.read(value)
    return int(value[()])


def _open_attribute(target: h5py.HLObject, name: str) -> h5a.AttrID:
    if not h5a.exists(target.id, name.encode()):
        raise ValueError(f"the attribute {name} is missing")
    attribute = h5a.open(target.id, name.encode())
    if attribute.shape != ():
        raise ValueError(f"the attribute {name} is not a single value")
    return attribute


@lru_cache(maxsize=256)  # who polls opens tables of dozens of columns anew after each commit
def _numpy_type(encoded: bytes) -> np.dtype[Any] | None:
    """The type of numpy for one of HDF5; None if shotstore does not use it."""
    kind = h5t.decode(encoded)
    if not _is_plain(kind):
        return None
    dtype: np.dtype[Any] = kind.dtype
    return dtype if kind.get_size() == dtype.itemsize else None  # what is read would not fit


def _is_plain(kind: h5t.TypeID) -> bool:
    """Whether nothing in a type has a variable length, or refers to other objects."""
    if isinstance(kind, h5t.TypeCompoundID):
        return all(_is_plain(kind.get_member_type(i)) for i in range(kind.get_nmembers()))
    if isinstance(kind, h5t.TypeArrayID):
        return _is_plain(kind.get_super())
    if isinstance(kind, h5t.TypeStringID):
        return not kind.is_variable_str()
    return kind.get_class() in _PLAIN_TYPES
