"""The file object under HDF5: as any file to who writes it, and no change to committed bytes."""

import io
import tempfile
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shotstore import DamagedStorageError
from shotstore.hdf5 import disk
from shotstore.hdf5.overlay import PAGE, HDF5FileObject, OverlayFile, committed_end

Step = tuple[str, int, bytes]

# Near the ends of pages, where mistakes are.
_places = st.builds(
    lambda page, byte: max(0, page * PAGE + byte), st.integers(0, 5), st.integers(-3, 3)
)
_contents = st.one_of(
    st.binary(min_size=1, max_size=6),
    st.builds(lambda byte, size: bytes([byte]) * size, st.integers(1, 255), st.integers(1, 9000)),
)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), _places, _contents),
        st.tuples(st.just("truncate"), _places, st.just(b"")),
        st.tuples(st.just("read"), _places, st.integers(0, 9000).map(bytes)),
    ),
    max_size=12,
)
_committed = st.one_of(st.just(0), _places)


class Model:
    """What a file is to who writes it."""

    def __init__(self, content: bytes) -> None:
        self.content = bytearray(content)

    def write(self, offset: int, data: bytes) -> None:
        self.truncate(max(len(self.content), offset + len(data)))
        self.content[offset : offset + len(data)] = data

    def truncate(self, length: int) -> None:
        del self.content[length:]
        self.content.extend(bytes(length - len(self.content)))

    def read(self, offset: int, count: int) -> bytes:
        found = bytes(self.content[offset : offset + count])
        return found + bytes(count - len(found))


def committed_bytes(length: int) -> bytes:
    return (b"committed" * (length // 9 + 1))[:length]


def run(overlay: HDF5FileObject, model: Model, steps: list[Step]) -> None:
    """Do the same to both, through the calls that HDF5 makes, and compare what is read."""
    for kind, place, data in steps:
        overlay.seek(place)
        if kind == "write":
            assert isinstance(overlay, OverlayFile)
            assert overlay.write(memoryview(data)) == len(data)
            model.write(place, data)
        elif kind == "truncate":
            assert isinstance(overlay, OverlayFile)
            overlay.truncate(place)
            model.truncate(place)
        else:
            buffer = bytearray(b"\xff" * len(data))
            assert overlay.readinto(memoryview(buffer)) == len(data)
            assert bytes(buffer) == model.read(place, len(data))
        assert overlay.end == overlay.seek(0, io.SEEK_END) == len(model.content)
    overlay.check()
    everything = bytearray(len(model.content))
    overlay.seek(0)
    overlay.readinto(memoryview(everything))
    assert everything == model.content


@settings(max_examples=300, deadline=None)
@given(_committed, _steps)
@example(PAGE + 100, [("truncate", 50, b""), ("truncate", PAGE + 100, b"")])
@example(100, [("write", 90, b"x" * 50), ("truncate", 95, b""), ("truncate", 120, b"")])
@example(100, [("truncate", 50, b""), ("write", 3 * PAGE, b"end")])
def test_writing_reading_and_cutting_is_as_with_any_file(length: int, steps: list[Step]) -> None:
    original = committed_bytes(length)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(original)
        overlay, model = OverlayFile(disk.File(path, "r+"), length), Model(original)
        run(overlay, model, steps)
        # No committed byte has changed, and the torn write of a block cannot change one.
        real = path.read_bytes()
        assert real[:length] == original
        assert not any(real[length : -(-length // PAGE) * PAGE])
        # What a commit has left to do makes the file what it was to its writer.
        _apply(path, overlay)
        assert path.read_bytes() == model.content
        overlay.close()


def _apply(path: Path, overlay: OverlayFile) -> None:
    with path.open("r+b") as file:
        places = [(offset, offset + len(page)) for offset, page in overlay.changed_pages()]
        for offset, page in overlay.changed_pages():
            assert offset % PAGE == 0
            file.seek(offset)
            file.write(page)
        file.truncate(overlay.end)
    assert places == sorted(places)
    assert all(stop < start for (_, stop), (start, _) in pairwise(places))


@settings(max_examples=200, deadline=None)
@given(_committed, st.lists(_steps, min_size=2, max_size=4))
@example(100, [[("write", 90, b"x" * 50)], [("truncate", 95, b""), ("write", 120, b"y")]])
def test_one_commit_after_the_other_leaves_what_was_written(
    length: int, commits: list[list[Step]]
) -> None:
    original = committed_bytes(length)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(original)
        overlay, model = OverlayFile(disk.File(path, "r+"), length), Model(original)
        for steps in commits:
            run(overlay, model, steps)
            _apply(path, overlay)
            assert path.read_bytes() == model.content
            overlay.settle()
        overlay.close()


@settings(max_examples=100, deadline=None)
@given(_committed, _steps)
def test_what_is_discarded_leaves_the_file_as_it_was(length: int, steps: list[Step]) -> None:
    original = committed_bytes(length)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(original)
        overlay = OverlayFile(disk.File(path, "r+"), length)
        run(overlay, Model(original), steps)
        overlay.discard()
        # Closing an HDF5 file writes, which must not reach it any more.
        overlay.seek(length)
        overlay.write(memoryview(b"late" * PAGE))
        overlay.truncate(0)
        overlay.close()
        assert path.read_bytes() == original


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 3 * PAGE), _steps)
def test_a_file_of_which_nothing_is_committed_is_written_itself(
    length: int, steps: list[Step]
) -> None:
    original = committed_bytes(length)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "file")
        path.write_bytes(original)
        overlay, model = OverlayFile(disk.File(path, "r+"), 0, length), Model(original)
        run(overlay, model, steps)
        assert overlay.changed_pages() == []
        _apply(path, overlay)
        assert path.read_bytes() == model.content
        overlay.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_a_reader_sees_the_committed_part_alone(path: Path) -> None:
    path.write_bytes(b"content" * 1000)
    reader = HDF5FileObject(disk.File(path, "r"), 700)
    run(reader, Model(b"content" * 100), [("read", 0, bytes(800)), ("read", 690, bytes(20))])
    reader.close()


def test_a_page_is_changed_by_writing_it_alone(path: Path) -> None:
    path.write_bytes(committed_bytes(10 * PAGE))
    overlay = OverlayFile(disk.File(path, "r+"), 10 * PAGE)
    run(overlay, Model(committed_bytes(10 * PAGE)), [("read", 0, bytes(9000))])
    assert overlay.changed_pages() == []
    for offset in (3 * PAGE, 3 * PAGE + 5, 4 * PAGE, 9 * PAGE + 1):
        overlay.seek(offset)
        overlay.write(memoryview(b"x"))
    assert [(offset, len(page)) for offset, page in overlay.changed_pages()] == [
        (3 * PAGE, 2 * PAGE),
        (9 * PAGE, PAGE),
    ]
    overlay.close()


def test_an_error_of_the_disk_is_raised_when_hdf5_has_returned(path: Path) -> None:
    path.write_bytes(bytes(PAGE))
    file = disk.File(path, "r+")
    overlay = OverlayFile(file, PAGE)
    file.close()
    buffer = bytearray(b"\xff" * 10)
    assert overlay.readinto(memoryview(buffer)) == 10
    overlay.seek(3 * PAGE)
    overlay.write(memoryview(b"x"))
    overlay.truncate(5)
    with pytest.raises(ValueError, match="closed"):
        overlay.check()


def write_hdf5(path: Path, count: int) -> None:
    with h5py.File(path, "w", libver=("v108", "v110")):
        pass
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        file.create_dataset("x", data=np.arange(count), chunks=(100,), maxshape=(None,))


def open_hdf5(overlay: HDF5FileObject, mode: str = "r+") -> h5py.File:
    return h5py.File("x", mode, driver="fileobj", fileobj=overlay, libver=("v110", "v110"))


def test_hdf5_works_through_it_as_on_any_file(path: Path) -> None:
    write_hdf5(path, 5000)
    original = path.read_bytes()
    raw = disk.File(path, "r+")
    overlay = OverlayFile(raw, committed_end(raw))
    file = open_hdf5(overlay)
    file["x"].resize((6000,))
    file["x"][5000:] = 7
    file["x"][3] = 8
    file["new"] = np.ones((300, 300))
    del file["new"]
    file["text"] = "é" * 5000
    file.flush()
    overlay.check()
    assert path.read_bytes()[: len(original)] == original
    with h5py.File(path) as native:
        assert native["x"].shape == (5000,)
    _apply(path, overlay)
    with h5py.File(path) as native:
        assert set(native) == {"x", "text"}
        expected = np.concatenate([np.arange(5000), np.full(1000, 7)])
        expected[3] = 8
        np.testing.assert_array_equal(native["x"][:], expected)
        assert native["text"].asstr()[()] == "é" * 5000
    overlay.kill()
    file.close()
    overlay.close()


def test_the_committed_end_is_what_the_superblock_says(path: Path) -> None:
    write_hdf5(path, 100)
    end = path.stat().st_size
    with path.open("ab") as appended:
        appended.write(b"tail" * 5000)
    file = disk.File(path, "r")
    assert committed_end(file) == end
    file.close()


@pytest.mark.parametrize("length", [0, 7, 8, 35, 47, 48, 1000])
def test_a_file_that_was_cut_off_has_no_committed_end(path: Path, length: int) -> None:
    write_hdf5(path, 1000)
    path.write_bytes(path.read_bytes()[:length])
    file = disk.File(path, "r")
    with pytest.raises(DamagedStorageError, match="backup"):
        committed_end(file)
    file.close()


@pytest.mark.parametrize("name", ["no superblock", "version 0", "a wrong checksum"])
def test_a_superblock_that_is_none_of_ours_is_damaged(path: Path, name: str) -> None:
    write_hdf5(path, 100)
    content = bytearray(path.read_bytes())
    match name:
        case "no superblock":
            content[:8] = b"\x89PNG\r\n\x1a\n"
        case "version 0":
            content[8] = 0
        case "a wrong checksum":
            content[28] ^= 1
    path.write_bytes(content)
    file = disk.File(path, "r")
    with pytest.raises(DamagedStorageError, match=r"damaged|should have"):
        committed_end(file)
    file.close()
