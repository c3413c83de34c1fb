"""The superblock of an HDF5 file: its first 48 bytes, of which we need the end of the file.

It is read by ourselves before HDF5 sees the file, and what lies past that end is cut off before a
file is written to. So its checksum is compared here too: a flipped bit in the end would otherwise
cut off shots. (HDF5 file format specification, sections II.A and, for the checksum, Bob Jenkins'
lookup3: https://burtleburtle.net/bob/c/lookup3.c.)
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

SIZE = 48
"""Bytes, in versions 2 and 3 with 8-byte addresses and lengths."""
CHECKSUM_BYTES = 4
"""At the end of each block of metadata."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FIELDS = struct.Struct("<8sBBBBQQQQI")
_MASK = 0xFFFFFFFF
_AT_ONCE = 4096  # bits, multiple of 32: arrays that fit into a processor's memory


def end_of_file(block: bytes) -> int | None:
    """The length of the file in bytes, or None if this is not a superblock of ours."""
    if len(block) != SIZE:
        return None
    signature, version, addresses, lengths, _, base, _, end, _, stored = _FIELDS.unpack(block)
    if (
        (signature, addresses, lengths, base) != (_SIGNATURE, 8, 8, 0)
        or version not in (2, 3)
        or stored != checksum(block[:-CHECKSUM_BYTES])
    ):
        return None
    return int(end)


def checksum(data: bytes) -> int:
    """The checksum that HDF5 gives to its metadata: ``hashlittle`` of lookup3, from 0."""
    return int(_sum(len(data), _words(data)))


def checksums_with_one_bit_flipped(data: bytes) -> npt.NDArray[np.uint64]:
    """The checksum of the same with each of its bits flipped, from the lowest of the first byte."""
    found = []
    for first in range(0, 8 * len(data), _AT_ONCE):
        bits = np.arange(first, min(first + _AT_ONCE, 8 * len(data)), dtype=np.uint64)
        masks = np.uint64(1) << bits % np.uint64(32)
        words: list[Any] = _words(data)
        for number in range(first // 32, int(bits[-1]) // 32 + 1):
            words[number] = words[number] ^ np.where(bits // np.uint64(32) == number, masks, 0)
        found.append(_sum(len(data), words))
    return np.concatenate(found)


def _words(data: bytes) -> list[int]:
    padded = data + bytes(-len(data) % 12)
    return list(struct.unpack(f"<{len(padded) // 4}I", padded))


def _sum(length: int, words: Sequence[Any]) -> Any:
    """The sum of words that are integers, or arrays of integers."""
    a = b = c = (0xDEADBEEF + length) & _MASK
    for place in range(0, len(words) - 3, 3):
        a, b, c = _mix(a + words[place], b + words[place + 1], c + words[place + 2])
    return _final(a + words[-3], b + words[-2], c + words[-1])


def _mix(a: Any, b: Any, c: Any) -> tuple[Any, Any, Any]:
    for turn in (4, 6, 8, 16, 19, 4):
        c &= _MASK
        a = ((a - c) ^ (c << turn | c >> (32 - turn))) & _MASK
        a, b, c = b, c + b, a
    return a & _MASK, b & _MASK, c & _MASK


def _final(a: Any, b: Any, c: Any) -> Any:
    for turn in (14, 11, 25, 16, 4, 14, 24):
        b &= _MASK
        c = ((c ^ b) - (b << turn | b >> (32 - turn))) & _MASK
        a, b, c = b, c, a
    return b
