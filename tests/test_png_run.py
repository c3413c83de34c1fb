"""`examples/record_png_run.py`: a real run, recorded and read back bit for bit in three ways."""

import functools
import shutil
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from shotstore import PureSequencePath, Sequence, State
from shotstore.hdf5 import HDF5StorageManager

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "record_png_run.py"
HELIUM = ROOT.parent / "shared" / "data" / "helium_bec"
"""39 frames of a gas of metastable helium; not part of this repository."""
FRAMES = ("atoms", "reference", "dark")
PATH = PureSequencePath(r"\helium\evaporation")


@pytest.fixture(scope="module", params=["generated", "helium"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of PNG frames: thirteen shots of helium, or three of noise."""
    if request.param == "helium":
        if not HELIUM.is_dir():
            pytest.skip(f"needs {HELIUM}")
        return HELIUM
    folder = tmp_path_factory.mktemp("frames")
    write_frames(folder, shots=[0, 1, 3])
    return folder


@pytest.fixture(scope="module")
def store(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which the folder was recorded."""
    store = tmp_path_factory.mktemp("png") / "store"
    done = record(folder, store)
    assert done.returncode == 0, done.stderr
    return store


def record(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8")


def write_frames(folder: Path, shots: list[int]) -> None:
    noise = np.random.default_rng(5)
    for shot in shots:
        for frame in FRAMES:
            # All 16 bits, so that a reader that keeps 8 or 15 of them is found out.
            pixels = noise.integers(0, 2**16, size=(48, 64), dtype=np.uint16)
            pixels[0, :2] = 0, 2**16 - 1
            Image.fromarray(pixels).save(folder / f"{shot:02d}_{frame}.png")


def decode_png(file: Path) -> npt.NDArray[np.uint16]:
    """A 16-bit grey PNG, decoded without pillow (PNG specification, sections 9 and 11)."""
    content = file.read_bytes()
    chunks: dict[bytes, bytes] = {}
    position = 8
    while position < len(content):
        length, kind = struct.unpack_from(">I4s", content, position)
        chunks[kind] = chunks.get(kind, b"") + content[position + 8 : position + 8 + length]
        position += 12 + length
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, colour, interlace) == (16, 0, 0)
    data = zlib.decompress(chunks[b"IDAT"])
    stride, size = 2 * width, 2
    above = bytes(stride)
    rows = []
    for start in range(0, len(data), stride + 1):
        kind, row = data[start], bytearray(data[start + 1 : start + 1 + stride])
        for i in range(stride):
            left = row[i - size] if i >= size else 0
            corner = above[i - size] if i >= size else 0
            row[i] = (row[i] + predicted(kind, left, above[i], corner)) & 0xFF
        rows.append(row)
        above = bytes(row)
    return np.frombuffer(b"".join(rows), ">u2").reshape(height, width).astype(np.uint16)


def predicted(kind: int, left: int, up: int, corner: int) -> int:
    if kind == 4:
        estimate = left + up - corner
        return min((left, up, corner), key=lambda value: abs(estimate - value))
    return (0, left, up, (left + up) // 2)[kind]


@functools.cache
def frames_of(folder: Path) -> dict[str, npt.NDArray[np.uint16]]:
    """All frames of a kind, in order, shape (shots, height, width)."""
    return {
        frame: np.stack([decode_png(file) for file in sorted(folder.glob(f"*_{frame}.png"))])
        for frame in FRAMES
    }


def assert_same_frames(
    folder: Path, store: Path, path: PureSequencePath, *, read_only: bool = False
) -> None:
    expected = frames_of(folder)
    with HDF5StorageManager(store, read_only=read_only).session() as session:
        shots = Sequence(path, session).get_shots()
        assert [shot.index for shot in shots] == list(range(len(expected["atoms"])))
        for frame in FRAMES:
            found = np.stack([np.asarray(shot.get_data_by_label(frame)) for shot in shots])
            assert found.dtype == np.uint16
            np.testing.assert_array_equal(found, expected[frame])


def copy(source: Path, destination: Path) -> None:
    """Copy a directory into another one, as rsync does it."""
    if shutil.which("rsync"):
        subprocess.run(["rsync", "-a", source, f"{destination}/"], check=True)
    else:
        shutil.copytree(source, destination / source.name, symlinks=True)


def test_the_library_gives_back_every_bit(folder: Path, store: Path) -> None:
    assert_same_frames(folder, store, PATH)


def test_the_sequence_has_finished_and_knows_its_hold_steps(folder: Path, store: Path) -> None:
    numbers = sorted({int(file.name[:2]) for file in folder.glob("*_atoms.png")})
    with HDF5StorageManager(store).session() as session:
        sequence = Sequence(PATH, session)
        assert sequence.get_state() is State.FINISHED
        assert sequence.get_expected_number_of_shots() == len(numbers)
        steps = [shot.get_parameters()["hold_step"] for shot in sequence]
        assert steps == numbers
        assert all(shot.get_start_time() <= shot.get_end_time() for shot in sequence)


def test_the_run_is_found_by_what_it_sets_before_each_shot(folder: Path, store: Path) -> None:
    storage = HDF5StorageManager(store, read_only=True)
    numbers = sorted({int(file.name[:2]) for file in folder.glob("*_atoms.png")})
    [found] = storage.find(varied="hold_step", where={"hold_step": (numbers[-1], None)})
    assert found.path == PATH
    hold_step = found.varied["hold_step"]
    assert (hold_step.first, hold_step.last) == (numbers[0], numbers[-1])
    assert hold_step.count == len(numbers)
    assert storage.find(where={"hold_step": (numbers[-1] + 1, None)}) == []


def test_h5py_gives_back_every_bit(folder: Path, store: Path) -> None:
    expected = frames_of(folder)
    with h5py.File(store / "sequences" / "helium" / "evaporation" / "shots.h5") as file:
        for frame in FRAMES:
            assert file[f"data/{frame}"].dtype == np.uint16
            np.testing.assert_array_equal(file[f"data/{frame}"][:], expected[frame])


def test_a_copied_sequence_opens_inside_another_directory(
    folder: Path, store: Path, tmp_path: Path
) -> None:
    copy(store / "sequences" / "helium" / "evaporation", tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert_same_frames(folder, tmp_path, PureSequencePath(r"\evaporation"), read_only=True)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_copied_sequence_opens_alone(folder: Path, store: Path, tmp_path: Path) -> None:
    copy(store / "sequences" / "helium" / "evaporation", tmp_path)
    alone = tmp_path / "evaporation"
    assert_same_frames(folder, alone, PureSequencePath(r"\evaporation"), read_only=True)
    with HDF5StorageManager(alone, read_only=True).session() as session:
        assert session.paths.get_all_paths() == {PureSequencePath(r"\evaporation")}


def test_a_run_is_recorded_where_it_is_wanted(tmp_path: Path) -> None:
    write_frames(tmp_path, shots=[0])
    store = tmp_path / "store"
    assert record(tmp_path, store, "--path", r"\2026\first").returncode == 0
    done = record(tmp_path, store, "--path", r"\2026\second")
    assert done.returncode == 0
    assert r"Recorded 1 shots as \2026\second in" in done.stdout
    again = record(tmp_path, store, "--path", r"\2026\second")
    assert again.returncode == 1
    assert again.stderr.startswith(r"record_png_run: Sequence \2026\second exists already")
    with HDF5StorageManager(store).session() as session:
        second = Sequence(r"\2026\second", session)
        assert (len(second), second.get_state()) == (1, State.FINISHED)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "01_dark.png").unlink(), "lacks 01_dark.png"),
        (
            lambda folder: [file.unlink() for file in folder.glob("0[01]_reference.png")],
            "lacks 00_reference.png, 01_reference.png",
        ),
        (lambda folder: (folder / "01_dark.png").write_text("no"), "01_dark.png is not a PNG"),
        (
            lambda folder: Image.new("I;16", (32, 32)).save(folder / "01_dark.png"),
            "01_dark.png is",
        ),
        (
            lambda folder: Image.new("RGB", (64, 48)).save(folder / "01_dark.png"),
            "expected 8 or 16 bit grey",
        ),
        (lambda folder: [file.unlink() for file in folder.iterdir()], "holds no files like"),
        (lambda folder: shutil.rmtree(folder), "No such file"),
    ],
    ids=["a frame", "two frames", "a text", "another size", "colour", "nothing", "no folder"],
)
def test_a_bad_folder_is_refused_before_anything_is_written(
    tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    write_frames(folder, shots=[0, 1])
    spoil(folder)
    done = record(folder, tmp_path / "store")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert message in line
    assert not (tmp_path / "store").exists()


def test_a_run_that_breaks_off_keeps_its_shots_and_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    write_frames(folder, shots=[0, 1, 2])
    broken = folder / "02_reference.png"
    broken.write_bytes(broken.read_bytes()[:2000])
    done = record(folder, tmp_path / "store")
    assert done.returncode == 1
    assert "truncated" in done.stderr.splitlines()[-1]
    with HDF5StorageManager(tmp_path / "store").session() as session:
        sequence = Sequence(PATH, session)
        assert sequence.get_state() is State.CRASHED
        assert "truncated" in sequence.get_traceback_summary().message
        assert [shot.index for shot in sequence] == [0, 1]
