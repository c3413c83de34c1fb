"""The superblock of an HDF5 file: its first 48 bytes, of which we need the end of the file.

It is read by ourselves before HDF5 sees the file, and what lies past that end is cut off before a
file is written to. So its checksum is compared here too: a flipped bit in the end would otherwise
cut off shots. (HDF5 file format specification, sections II.A and, for the checksum, Bob Jenkins'
lookup3: https://burtleburtle.net/bob/c/lookup3.c.)
"""

import struct

SIZE = 48
"""Bytes, in versions 2 and 3 with 8-byte addresses and lengths."""

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FIELDS = struct.Struct("<8sBBBBQQQQI")
_MASK = 0xFFFFFFFF


def end_of_file(block: bytes) -> int | None:
    """The length of the file in bytes, or None if this is no superblock of ours."""
    if len(block) != SIZE:
        return None
    signature, version, addresses, lengths, _, base, _, end, _, stored = _FIELDS.unpack(block)
    if (
        (signature, addresses, lengths, base) != (_SIGNATURE, 8, 8, 0)
        or version not in (2, 3)
        or stored != checksum(block[:-4])
    ):
        return None
    return int(end)


def checksum(data: bytes) -> int:
    """The checksum that HDF5 gives to its metadata: ``hashlittle`` of lookup3, from 0."""
    a = b = c = (0xDEADBEEF + len(data)) & _MASK
    padded = data + bytes(-len(data) % 12)
    words = list(struct.unpack(f"<{len(padded) // 4}I", padded))
    while len(words) > 3:
        a, b, c = _mix(a + words[0], b + words[1], c + words[2])
        del words[:3]
    return _final(a + words[0], b + words[1], c + words[2]) if words else c


def _mix(a: int, b: int, c: int) -> tuple[int, int, int]:
    for turn in (4, 6, 8, 16, 19, 4):
        a = ((a - c) ^ _rotated(c, turn)) & _MASK
        a, b, c = b, c + b, a
    return a & _MASK, b & _MASK, c & _MASK


def _final(a: int, b: int, c: int) -> int:
    for turn in (14, 11, 25, 16, 4, 14, 24):
        c = ((c ^ b) - _rotated(b, turn)) & _MASK
        a, b, c = b, c, a
    return b


def _rotated(word: int, bits: int) -> int:
    word &= _MASK
    return (word << bits | word >> (32 - bits)) & _MASK
