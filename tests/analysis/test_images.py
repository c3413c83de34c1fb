"""Frames side by side, their mean, and the PNG files that are written without a package."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from matplotlib import pyplot
from PIL import Image

from shotstore import ColumnKindError, DataNotFoundError, Sequence
from shotstore.analysis import plot_image
from shotstore.analysis.pictures.frames import as_bytes, colours, reduced, shown_range
from shotstore.analysis.pictures.images import contact_sheet, mean_image
from shotstore.analysis.pictures.png import png
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, quantity
from shotstore.testing.experiments import PATH, launch, record
from tests.analysis.conftest import FRAME, Reading
from tests.test_png_run import FRAMES, HELIUM, frames_of
from tests.test_png_run import PATH as HELIUM_PATH
from tests.test_png_run import record as record_pngs

SHOTS = 12

pytestmark = pytest.mark.usefixtures("without_windows")


@pytest.fixture
def recorded(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with twelve shots, of which shot 3 has no frame."""
    with storage.session() as session:
        launch(session, shots=None)
        for index in reversed(range(SHOTS)):
            data: dict[str, Data] = {"number": index, "trace": np.zeros(5)}
            if index != 3:
                data["atoms"] = FRAME + np.uint16(index)
            record(session, PATH, index, {"detuning": quantity(float(index), "MHz")}, data)
    return storage


@pytest.fixture
def rabi(recorded: HDF5StorageManager) -> Iterator[Sequence]:
    with recorded.session() as session:
        yield session.get_sequence(PATH)


def test_the_mean_is_of_the_shots_that_have_a_frame(rabi: Sequence) -> None:
    found = mean_image(rabi, "atoms", where="detuning < 5 MHz")
    np.testing.assert_allclose(found.mean, FRAME + (0 + 1 + 2 + 4) / 4)
    assert found.title.splitlines() == [str(PATH), "mean of atoms (4 shots, detuning < 5 MHz)"]


def test_the_mean_reads_no_frame_of_other_shots(
    recorded: HDF5StorageManager, reading: Reading
) -> None:
    with reading() as read, recorded.session() as session:
        session.get_sequence(PATH).plot_image("atoms", mean=True, where="detuning > 9 MHz")
    assert 2 * FRAME.nbytes < read.count < 4 * FRAME.nbytes


def test_a_contact_sheet_has_a_tile_for_each_shot_with_a_frame(rabi: Sequence) -> None:
    sheet = contact_sheet(rabi, "atoms", caption="detuning")
    assert len(sheet.tiles) == SHOTS - 1
    assert sheet.captions[:4] == ("0 MHz", "1 MHz", "2 MHz", "4 MHz")
    np.testing.assert_array_equal(sheet.tiles[3], FRAME + np.uint16(4))


def test_of_many_shots_some_are_shown_the_first_and_the_last_among_them(rabi: Sequence) -> None:
    sheet = contact_sheet(rabi, "atoms", most=4, edge=32)
    assert sheet.captions == ("0", "4", "7", "11")
    assert sheet.caption_name == "shot"
    assert "4 of 12 shots" in sheet.title
    assert {tile.shape for tile in sheet.tiles} == {(32, 32)}
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet(rabi, "atoms", most=0)


def test_both_are_drawn(rabi: Sequence) -> None:
    axes = rabi.plot_image("atoms")
    assert {"shot 0", "shot 11"} <= {text.get_text() for text in axes.texts}
    [image] = rabi.plot_image("atoms", mean=True).get_images()
    assert np.asarray(image.get_array()).shape == FRAME.shape
    _, (left, right) = pyplot.subplots(1, 2)
    assert plot_image(rabi, "atoms", axes=right) is right
    assert not left.has_data()


def test_captions_name_what_they_tell_where_there_is_room(rabi: Sequence) -> None:
    axes = rabi.plot_image("atoms", where="detuning > 5 MHz")
    assert axes.get_title(loc="left").splitlines()[1].startswith("atoms by shot_index (6 shots")
    axes = plot_image(rabi, "atoms", caption="detuning", where="detuning > 5 MHz")
    assert "detuning 6 MHz" in {text.get_text() for text in axes.texts}
    many = {"atoms": np.ones((60, 8, 8)), "of a very long name": np.arange(60)}
    axes = plot_image(many, "atoms", caption="of a very long name")
    assert {text.get_text() for text in axes.texts} >= {"0", "59"}
    assert "atoms by of a very long name" in axes.get_title(loc="left")


def test_what_was_computed_is_drawn_too(rabi: Sequence) -> None:
    arrays = rabi.to_arrays(["atoms", "detuning"])
    arrays["twice"] = 2 * arrays["atoms"]
    sheet = contact_sheet(arrays, "twice", where="detuning = 1")
    np.testing.assert_array_equal(sheet.tiles[0], 2.0 * (FRAME + np.uint16(1)))
    frame = rabi.scan().filter(pl.col("detuning") > 9)
    np.testing.assert_allclose(mean_image(frame, "atoms").mean, FRAME + 10.5)
    assert contact_sheet(frame, "atoms").captions == ("10", "11")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("trace", r"arrays of shape \(5,\), not pictures in two dimensions: atoms can be drawn"),
        ("number", "number holds numbers, not pictures"),
    ],
)
def test_what_is_no_picture_is_refused(rabi: Sequence, label: str, message: str) -> None:
    with pytest.raises(ColumnKindError, match=message):
        rabi.plot_image(label)


def test_nothing_to_draw_is_said(rabi: Sequence) -> None:
    with pytest.raises(DataNotFoundError, match="no shot that meets 'detuning > 50 MHz'"):
        rabi.plot_image("atoms", where="detuning > 50 MHz")
    with pytest.raises(DataNotFoundError, match="with atoms: there is nothing to draw"):
        rabi.plot_image("atoms", mean=True, where="detuning = 3 MHz")
    with pytest.raises(DataNotFoundError, match="did you mean 'atoms'"):
        rabi.plot_image("atms")


def test_frames_of_different_shapes_have_a_sheet_and_no_mean(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        for index, edge in enumerate((4, 6)):
            record(session, index=index, data={"atoms": np.full((edge, 8), index, "u2")})
        sequence = session.get_sequence(PATH)
        assert [tile.shape for tile in contact_sheet(sequence, "atoms").tiles] == [(4, 8), (6, 8)]
        sequence.plot_image("atoms")
        with pytest.raises(ColumnKindError, match="have no mean"):
            sequence.plot_image("atoms", mean=True)


@pytest.mark.skipif(not HELIUM.is_dir(), reason=f"needs {HELIUM}")
def test_the_mean_of_a_real_run(tmp_path: Path) -> None:
    assert record_pngs(HELIUM, tmp_path / "store").returncode == 0
    expected = frames_of(HELIUM)
    with HDF5StorageManager(tmp_path / "store").session() as session:
        sequence = session.get_sequence(HELIUM_PATH)
        for frame in FRAMES:
            found = mean_image(sequence, frame).mean
            np.testing.assert_allclose(found, expected[frame].mean(axis=0), rtol=1e-12)


# Frames as pictures


@pytest.mark.parametrize("shape", [(10, 10), (7, 11), (1, 9), (64, 3)])
def test_a_reduced_frame_keeps_the_mean_of_each_block(shape: tuple[int, int]) -> None:
    frame = np.random.default_rng(2).normal(size=shape)
    small = reduced(frame, 4)
    assert max(small.shape) <= 4
    factor = -(-max(shape) // 4)
    np.testing.assert_allclose(small[0, 0], frame[:factor, :factor].mean())
    np.testing.assert_allclose(
        small[-1, -1],
        frame[(small.shape[0] - 1) * factor :, (small.shape[1] - 1) * factor :].mean(),
    )
    np.testing.assert_array_equal(reduced(frame, 64), frame)


def test_the_range_leaves_out_hot_pixels_and_what_is_no_number() -> None:
    frame = np.linspace(0, 1, 10_000).reshape(100, 100)
    frame[0, 0], frame[0, 1], frame[0, 2] = 1e9, np.nan, np.inf
    low, high = shown_range([frame])
    assert 0 < low < 0.01
    assert 0.99 < high < 1
    assert shown_range([np.full((2, 2), 7.0)]) == (7, 8)
    assert shown_range([]) == (0, 1)
    assert as_bytes(frame, 0, 1)[0, :3].tolist() == [255, 0, 255]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_png_holds_every_bit(dtype: type[np.unsignedinteger[Any]]) -> None:
    noise = np.random.default_rng(3)
    pixels: npt.NDArray[Any] = noise.integers(
        0, np.iinfo(dtype).max, size=(5, 7), dtype=dtype, endpoint=True
    )
    with Image.open(io.BytesIO(png(pixels, texts={"label": "atoms"}))) as image:
        np.testing.assert_array_equal(np.array(image), pixels)
        assert image.info["label"] == "atoms"


def test_a_png_with_colours() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    with Image.open(io.BytesIO(png(levels, palette=colours()))) as image:
        found = np.array(image.convert("RGB"), dtype=int)
    expected = np.asarray(mpl.colormaps["magma"](levels.ravel())[:, :3]).reshape(16, 16, 3)
    assert np.abs(found - 255 * expected).max() < 12
