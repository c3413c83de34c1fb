"""Chunks that are read past HDF5 are what HDF5 reads, and nothing is taken for one that is not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from shotstore.hdf5.disk import File
from shotstore.hdf5.overlay import HDF5FileObject
from shotstore.hdf5.shots.checksums import LARGEST, all_as_stored, as_stored
from shotstore.hdf5.shots.chunks import Chunks

Array = npt.NDArray[np.uint8]

random = np.random.default_rng(5)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., tuple[Chunks, h5py.Dataset]]]:
    opened = ExitStack()

    def make(array: Array, rows: int = 1, **options: object) -> tuple[Chunks, h5py.Dataset]:
        """The chunks of a dataset, of so many rows each, and the dataset."""
        path = tmp_path / "file.h5"
        shape = (rows, *array.shape[1:])
        with h5py.File(path, "w") as file:
            file.create_dataset("x", data=array, chunks=shape, fletcher32=True, **options)
        dataset = opened.enter_context(h5py.File(path))["x"]
        file_object = HDF5FileObject(File(path, "r"), path.stat().st_size)
        opened.callback(file_object.close)
        size = int(np.prod(shape)) * array.itemsize
        return Chunks(dataset.id, file_object, rows, size), dataset

    with opened:
        yield make


def read(chunks: Chunks, first: int, count: int) -> Array | None:
    place = np.empty((count, chunks.size), np.uint8)
    return place.reshape(-1) if chunks.read_into(place, range(first, first + count)) else None


def change_byte(path: str, position: int) -> None:
    with Path(path).open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 0x10]))


@pytest.mark.parametrize(
    "size",
    [
        *(1, 2, 3, 511, 512, 513, 4096, 2**14, 2**14 + 2),
        *(2**17 - 1, 2**17, 2**17 + 2, 2**19, 2**19 + 2, 2**22 + 7),
    ],
)
@pytest.mark.parametrize("content", ["random", "zeros", "largest"])
def test_chunks_of_every_size_have_the_checksum_that_hdf5_gives_them(
    make: Callable[..., tuple[Chunks, h5py.Dataset]], size: int, content: str
) -> None:
    fill = {"zeros": 0, "largest": 255}
    one = random.integers(0, 256, size, np.uint8) if content == "random" else fill[content]
    array = np.broadcast_to(np.asarray(one, np.uint8), (3, size))
    chunks, dataset = make(array)
    found = read(chunks, 0, 3)
    if content == "zeros":
        assert found is None  # which the disk may have lost, so they are left to others
    else:
        assert found is not None
        assert found.tobytes() == array.tobytes()
    _, stored = dataset.id.read_direct_chunk((0, 0))
    assert bytes(as_stored(array[0])) == bytes(stored)


@pytest.mark.parametrize("content", ["random", "largest"])
def test_the_sums_of_the_largest_chunk_are_exact(
    make: Callable[..., tuple[Chunks, h5py.Dataset]], content: str
) -> None:
    array = np.full((1, LARGEST), 255, np.uint8)
    if content == "random":
        array = random.integers(0, 256, array.shape, np.uint8)
    chunks, dataset = make(array)
    assert bytes(as_stored(array)) == bytes(dataset.id.read_direct_chunk((0, 0))[1])
    found = read(chunks, 0, 1)
    assert found is not None
    assert found.tobytes() == array.tobytes()


def test_words_whose_sums_are_nothing_but_multiples_of_65535(
    make: Callable[..., tuple[Chunks, h5py.Dataset]],
) -> None:
    words = np.zeros((200, 64), ">u2")
    words[:, 3], words[:, 40] = np.arange(200) * 300, 65535 - np.arange(200) * 300
    _, dataset = make(words.view(np.uint8))
    for number, row in enumerate(words):
        assert bytes(as_stored(row)) == bytes(dataset.id.read_direct_chunk((number, 0))[1])


@pytest.mark.parametrize("all_at_once", [True, False])
def test_some_chunks_of_many(
    make: Callable[..., tuple[Chunks, h5py.Dataset]], all_at_once: bool
) -> None:
    array = random.integers(0, 256, (1000, 30), np.uint8)
    chunks, _ = make(array, rows=3)
    if all_at_once:
        read(chunks, 0, 334)
    found = read(chunks, 20, 2)
    assert found is not None
    assert found.tobytes() == array[60:66].tobytes()
    last = read(chunks, 333, 1)  # of which one row is in the dataset
    assert last is not None
    assert last[:30].tobytes() == array[999].tobytes()


@pytest.mark.parametrize("position", [0, 70, 99, 100, 103])
@pytest.mark.parametrize("others", [0, 100])
def test_a_changed_byte_is_noticed(
    make: Callable[..., tuple[Chunks, h5py.Dataset]], position: int, others: int
) -> None:
    """In the content, and in its checksum; whether chunks were looked up or not."""
    chunks, dataset = make(random.integers(0, 256, (1 + others, 100), np.uint8))
    offset = dataset.id.get_chunk_info(0).byte_offset
    assert read(chunks, 0, 1) is not None
    change_byte(dataset.file.filename, offset + position)
    assert read(chunks, 0, 1) is None


@pytest.mark.parametrize("damaged", [0, 25, 74, 75, 99])
def test_a_changed_byte_in_one_of_many_chunks_is_noticed(
    make: Callable[..., tuple[Chunks, h5py.Dataset]], damaged: int
) -> None:
    """Several threads read and check them, those that follow each other in the file at once."""
    array = random.integers(0, 256, (100, 2**16), np.uint8)
    chunks, dataset = make(array)
    found = read(chunks, 0, 100)
    assert found is not None
    assert found.tobytes() == array.tobytes()
    change_byte(dataset.file.filename, dataset.id.get_chunk_info(damaged).byte_offset + 2**15)
    assert read(chunks, 0, 100) is None


def test_zeros_in_the_place_of_what_has_the_same_sum_are_noticed(
    make: Callable[..., tuple[Chunks, h5py.Dataset]],
) -> None:
    chunks, dataset = make(np.full((1, 100), 255, np.uint8))
    with Path(dataset.file.filename).open("r+b") as file:
        file.seek(dataset.id.get_chunk_info(0).byte_offset)
        file.write(bytes(100))
    assert read(chunks, 0, 1) is None


def test_what_is_stored_in_another_way_is_left_to_hdf5(
    make: Callable[..., tuple[Chunks, h5py.Dataset]], tmp_path: Path
) -> None:
    array = random.integers(0, 4, (3, 1000), np.uint8)
    compressed, _ = make(array, compression="gzip")
    assert read(compressed, 0, 3) is None
    assert read(compressed, 1, 1) is None
    path = tmp_path / "short.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("x", (40, 1000), np.uint8, chunks=(1, 1000), fletcher32=True)
        dataset.id.write_direct_chunk((0, 0), b"abc" + bytes(4))
        dataset.id.write_direct_chunk((1, 0), bytes(1004), 1)
        dataset.id.write_direct_chunk((2, 0), bytes(2000))
    file_object = HDF5FileObject(File(path, "r"), path.stat().st_size)
    with closing(file_object), h5py.File(path) as file:
        for number in range(4):  # too short, without a checksum, too long, and never written
            before = Chunks(file["x"].id, file_object, 1, 1000)
            assert read(before, number, 1) is None
            read(before, 0, 40)
            assert read(before, number, 1) is None


def test_a_file_that_was_cut_off_is_not_read_past_its_end(
    make: Callable[..., tuple[Chunks, h5py.Dataset]],
) -> None:
    chunks, dataset = make(random.integers(0, 256, (3, 10_000), np.uint8))
    assert read(chunks, 0, 3) is not None
    with Path(dataset.file.filename).open("r+b") as file:
        file.truncate(15_000)
    with pytest.raises(ValueError, match="not in the file"):
        read(chunks, 0, 3)


@pytest.mark.parametrize("shape", [(7, 4096), (3, 4095), (5, 30_001), (4, 200_000)])
def test_many_chunks_are_stored_as_each_of_them_is(shape: tuple[int, int]) -> None:
    chunks = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    chunks[1] = 0
    chunks[2, :-2], chunks[2, -2:] = 0, 255
    for chunk, stored in zip(chunks, all_as_stored(chunks), strict=True):
        assert bytes(stored) == bytes(as_stored(chunk))
