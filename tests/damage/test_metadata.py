"""The bit that is wrong in a block of HDF5's metadata is found by the checksum of the block."""

import random

import h5py
import pytest

from shotstore.hdf5.checks import metadata
from shotstore.hdf5.superblock import checksum


@pytest.fixture(scope="module")
def header(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The header of an object as HDF5 writes it, and what follows."""
    path = tmp_path_factory.mktemp("metadata") / "file.h5"
    with h5py.File(path, "w", libver="v110") as file:
        file.attrs["name"] = b"a text"
        file.create_dataset("shots", (3,), "f8", chunks=(1,), maxshape=(None,), fletcher32=True)
        start = h5py.h5o.get_info(file["shots"].id).addr
    return path.read_bytes()[start:]


def test_each_bit_of_a_header_is_found(header: bytes) -> None:
    assert metadata.mend(header, 512) is None
    end = next(end for end in range(40, 1000) if _is_block(header[:end]))
    for bit in range(0, 8 * end, 29):
        assert metadata.mend(metadata.flipped(header, bit), 512) == bit


def test_each_bit_of_a_block_that_is_read_whole_is_found() -> None:
    content = b"EAIB" + random.Random(1).randbytes(400)
    block = content + checksum(content).to_bytes(4, "little")
    for bit in range(0, 8 * len(block), 37):
        damaged = metadata.flipped(block, bit)
        assert metadata.is_block(damaged)
        assert metadata.mend(damaged + bytes(100), len(block)) == bit


def test_two_wrong_bits_are_not_mended(header: bytes) -> None:
    chance = random.Random(2)
    for _ in range(20):
        one, other = chance.sample(range(8 * 260), 2)
        damaged = metadata.flipped(metadata.flipped(header, one), other)
        assert metadata.mend(damaged, 512) is None


def _is_block(block: bytes) -> bool:
    return checksum(block[:-4]) == int.from_bytes(block[-4:], "little")


def test_what_is_no_block_is_left_alone() -> None:
    assert not metadata.is_block(random.Random(3).randbytes(4))
    assert metadata.mend(b"EAIB" + random.Random(4).randbytes(2**20), 2**20) is None
    assert metadata.mend(b"OHDR", 512) is None
