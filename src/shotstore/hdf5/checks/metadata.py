"""Blocks of HDF5's metadata in which one bit is wrong, made right by their checksum.

HDF5 refuses such a block, and with it all that it leads to: the header of the root is the way to
the whole file. Of all blocks that differ from it in one bit, the checksum fits the right one. (If
more is damaged, it fits a wrong one with a probability of one in a million for a block of 500
bytes. What a block leads to has checksums of its own.)

HDF5 file format specification, version 3.0, section IV.A.1.b for the header of an object:
https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
"""

import numpy as np

from shotstore.hdf5 import superblock

LONGEST = 2**13
"""Bytes of the longest block that is looked at: to try all its bits takes seconds."""
_HEADER = b"OHDR"
_READ_WHOLE = (b"OCHK", b"EAHD", b"EAIB", b"EASB", b"EADB", b"FRHP", b"BTHD")
"""What blocks begin with that HDF5 reads as a whole, with the checksum at their end."""
_PREFIX = 34
"""Bytes in which the header of an object says how long it is, at the most."""


def is_block(start: bytes) -> bool:
    """Whether a block begins so that can be mended, but for one bit."""
    return any(_differ(start[:4], each) <= 1 for each in (_HEADER, *_READ_WHOLE))


def mend(following: bytes, length: int) -> int | None:
    """Find the bit that is wrong in a block.

    Args:
        following: The block, and what follows it in the file.
        length: How many bytes of it HDF5 has asked for.

    Returns:
        Its number, from the lowest bit of the first byte on; None if it is not only one.
    """
    if _differ(following[:4], _HEADER) <= 1:
        for bit in range(8 * min(_PREFIX, len(following))):
            changed = flipped(following, bit)
            if _is_right(changed[: _length_of_header(changed)]):
                return bit
        length = _length_of_header(following)
    block = following[:length]
    if not superblock.CHECKSUM_BYTES < length <= min(LONGEST, len(following)) or _is_right(block):
        return None
    content, stored = (
        block[: -superblock.CHECKSUM_BYTES],
        int.from_bytes(block[-superblock.CHECKSUM_BYTES :], "little"),
    )
    wrong = superblock.checksum(content) ^ stored
    if wrong.bit_count() == 1:
        return 8 * len(content) + wrong.bit_length() - 1
    bits = np.flatnonzero(superblock.checksums_with_one_bit_flipped(content) == stored)
    return int(bits[0]) if len(bits) == 1 else None


def flipped(block: bytes, bit: int) -> bytes:
    """The block with that bit flipped."""
    changed = bytearray(block)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def _differ(start: bytes, signature: bytes) -> int:
    """The number of bits in which they differ."""
    return (int.from_bytes(start, "big") ^ int.from_bytes(signature, "big")).bit_count()


def _is_right(block: bytes) -> bool:
    if len(block) <= superblock.CHECKSUM_BYTES:
        return False
    stored = int.from_bytes(block[-superblock.CHECKSUM_BYTES :], "little")
    return superblock.checksum(block[: -superblock.CHECKSUM_BYTES]) == stored


def _length_of_header(start: bytes) -> int:
    """How long the header of an object is that begins so; 0 if none does, or it is too long."""
    if start[:5] != _HEADER + b"\2" or len(start) < _PREFIX:
        return 0
    flags = start[5]
    place = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
    width = 1 << (flags & 3)
    size = int.from_bytes(start[place : place + width], "little")
    length = place + width + size + superblock.CHECKSUM_BYTES
    return length if length <= min(LONGEST, len(start)) else 0
