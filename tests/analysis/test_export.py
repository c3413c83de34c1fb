"""Files for other programs, read back with what people read them with."""

import csv
import json
import sys
import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
import xarray as xr
from PIL import Image

from shotstore import (
    DataNotFoundError,
    ExportError,
    ExportWarning,
    InvalidConditionError,
    MissingPackageError,
    Sequence,
    SequenceRunningError,
    StorageManager,
)
from shotstore.analysis import export
from shotstore.analysis.exporting import FORMATS, write_file
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, Parameter, quantity
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import exactly_equal, serializer
from shotstore.testing.content import content
from shotstore.testing.experiments import PARAMETERS, PATH, finish, launch, record
from tests.analysis.conftest import FRAME, Reading

# What is said of left-out columns has tests of its own.
pytestmark = pytest.mark.filterwarnings("ignore::shotstore.ExportWarning")

ORDER = [4, 0, 2, 1]
"""Indices in the order of recording; shot 3 was never taken."""
TEXT = 'a "quoted", µ-text;\nwith =1+1'
PARAMETER_VALUES: dict[int, dict[str, Parameter]] = {
    index: {
        "mot.detuning": quantity(0.1 * index, "MHz"),
        "repetition": index,
        "is_on": index % 2 == 0,
    }
    for index in ORDER
}
DATA: dict[int, dict[str, Data]] = {
    0: {"number": 1 / 3, "text": TEXT, "counts": 7, "settings": {"gain": [1, 2.5, None]}},
    1: {"number": float("nan"), "text": "", "counts": 2**60, "settings": {"gain": []}},
    2: {"number": float("inf"), "text": "=1+1", "counts": -1, "settings": None},
    4: {"number": -0.0},
}
for index, values in DATA.items():
    values["atoms"] = FRAME + np.uint16(index)
    values["trace"] = np.linspace(0, index, 3)
    values["tags"] = np.arange(index, dtype="u4")
    values[r"Camera\mask"] = np.array([[True, False]])
DATA[4]["reference"] = FRAME


def populate(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index in ORDER:
            record(session, PATH, index, PARAMETER_VALUES[index], DATA[index])
        finish(session)
        session.sequences.set_tags(PATH, ["thesis"])
        session.sequences.set_note(PATH, "the good one")


@pytest.fixture
def recorded(storage: HDF5StorageManager) -> HDF5StorageManager:
    """A storage with a finished run of something of everything."""
    populate(storage)
    return storage


@pytest.fixture
def rabi(recorded: HDF5StorageManager) -> Iterator[Sequence]:
    with recorded.session() as session:
        yield session.get_sequence(PATH)


# CSV


def test_csv_brings_back_every_digit(rabi: Sequence, tmp_path: Path) -> None:
    file = rabi.export(tmp_path / "run.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["shot_index"] for row in rows] == ["0", "1", "2", "4"]
    assert [row["mot.detuning (MHz)"] for row in rows] == ["0.0", "0.1", "0.2", "0.4"]
    assert float(rows[0]["number"]) == 1 / 3
    assert [row["number"] for row in rows[1:]] == ["nan", "inf", "-0.0"]
    assert [row["counts"] for row in rows] == ["7", str(2**60), "-1", ""]
    assert [row["text"] for row in rows] == [TEXT, "", "=1+1", ""]
    assert [row["is_on"] for row in rows] == ["true", "false", "true", "true"]
    assert json.loads(rows[0]["settings"]) == {"gain": [1, 2.5, None]}
    assert rows[2]["settings"] == ""
    assert rows[1]["shot_start_time"] == "2026-11-22T12:00:01.250000Z"
    assert not {"atoms", "trace", "tags"} & rows[0].keys()


def test_a_time_that_was_recorded_is_written_as_that_of_a_shot(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    seen = datetime(2026, 11, 22, 18, 30, tzinfo=timezone(timedelta(hours=1)))
    with storage.session() as session:
        launch(session)
        record(session, data={"seen": seen})
        file = session.get_sequence(PATH).export(tmp_path / "run.csv", columns=["seen"])
    assert pl.read_csv(file)["seen"].to_list() == ["2026-11-22T17:30:00.000000Z"]


def test_csv_is_read_by_polars_and_pandas(rabi: Sequence, tmp_path: Path) -> None:
    file = rabi.export(tmp_path / "run.csv")
    frame = pl.read_csv(file, try_parse_dates=True)
    assert frame["shot_start_time"].dtype == pl.Datetime("us", "UTC")
    assert frame["counts"].to_list() == [7, 2**60, -1, None]
    assert frame["is_on"].dtype == pl.Boolean
    assert frame["text"].to_list()[0] == TEXT
    table = pd.read_csv(file, parse_dates=["shot_start_time"])
    assert table["mot.detuning (MHz)"].tolist() == [0, 0.1, 0.2, 0.4]
    assert table["shot_start_time"].dt.tz is not None


def test_no_frame_is_read_for_csv(
    recorded: HDF5StorageManager, reading: Reading, tmp_path: Path
) -> None:
    with reading() as read, recorded.session() as session:
        session.get_sequence(PATH).export(tmp_path / "run.csv", columns=["number", "detuning"])
    assert 0 < read.count < 3 * FRAME.nbytes


# Excel


def test_a_workbook_holds_the_shots_and_what_the_sequence_is(
    rabi: Sequence, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(rabi.export(tmp_path / "run.xlsx"))
    assert book.sheetnames == ["shots", "sequence", "parameters"]
    header, *rows = book["shots"].iter_rows(values_only=True)
    shots = [dict(zip(header, row, strict=True)) for row in rows]
    assert [shot["shot_index"] for shot in shots] == [0, 1, 2, 4]
    assert [shot["mot.detuning (MHz)"] for shot in shots] == [0, 0.1, 0.2, 0.4]
    assert [shot["counts"] for shot in shots] == [7, str(2**60), -1, None]
    assert [shot["number"] for shot in shots] == [1 / 3, "nan", "inf", 0]
    # A text that looks like a formula is a text.
    assert [shot["text"] for shot in shots] == [TEXT, "", "=1+1", None]
    assert book["shots"].cell(4, header.index("text") + 1).data_type == "s"
    assert [shot["is_on"] for shot in shots] == [True, False, True, True]
    assert shots[1]["shot_start_time (UTC)"].isoformat() == "2026-11-22T12:00:01.250000"
    facts = dict(book["sequence"].iter_rows(values_only=True))
    assert facts["path"] == str(PATH)
    assert facts["tags"] == "thesis"
    assert facts["note"] == "the good one"
    titles, *lines = book["parameters"].iter_rows(values_only=True)
    parameters = {line[0]: dict(zip(titles[1:], line[1:], strict=True)) for line in lines}
    assert parameters["mot.detuning"] == {
        "unit": "MHz",
        "from": 0,
        "to": 0.4,
        "in the global parameters": None,
        "in the recipe": None,
    }
    for name, value in PARAMETERS.flatten():
        assert parameters[name]["in the global parameters"] == str(value)


def test_a_text_too_long_for_a_cell_is_refused(storage: HDF5StorageManager, tmp_path: Path) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"log": "x" * 40_000})
        with pytest.raises(ExportError, match="log has a text of 40000"):
            session.get_sequence(PATH).export(tmp_path / "run.xlsx")
    assert list(tmp_path.iterdir()) == [storage.root]


def test_times_that_no_table_has_dates_for(storage: HDF5StorageManager, tmp_path: Path) -> None:
    """NaT is an empty cell, and a year that Excel does not know a text."""
    times = [np.array(text, "M8[s]") for text in ("NaT", "1900-12-31", "1901-01-01", "12000-01-01")]
    texts = [f"{time}.000000Z" for time in times]
    with storage.session() as session:
        launch(session)
        for index, time in enumerate(times):
            record(session, index=index, parameters={}, data={"seen": time})
        record(session, index=4, parameters={}, data={})
        sequence = session.get_sequence(PATH)
        for name in ("run.csv", "run.xlsx", "run.npz"):
            sequence.export(tmp_path / name, columns=["seen"])
    assert (tmp_path / "run.csv").read_text().splitlines() == [
        '"seen"',
        "",
        *(f'"{text}"' for text in texts[1:]),
        "",
    ]
    sheet = openpyxl.load_workbook(tmp_path / "run.xlsx")["shots"]
    cells = [sheet.cell(row, 1).value for row in range(2, 7)]
    assert cells == [None, texts[1], times[2].item(), texts[3], None]
    with np.load(tmp_path / "run.npz") as arrays:
        np.testing.assert_array_equal(arrays["seen"], [*times, np.array("NaT", "M8[s]")])
        assert arrays["seen"].dtype == "M8[s]"


# Parquet


def test_parquet_holds_what_a_scan_does(rabi: Sequence, tmp_path: Path) -> None:
    file = rabi.export(tmp_path / "run.parquet")
    frame = pl.read_parquet(file)
    expected = rabi.scan().drop("sequence").collect()
    assert frame.schema["atoms"] == pl.Array(pl.UInt16, FRAME.shape)
    assert frame.equals(expected.select(frame.columns))
    metadata = pl.read_parquet_metadata(file)
    assert metadata["sequence"] == str(PATH)
    assert json.loads(metadata["units"]) == {"mot.detuning": "MHz"}


def test_parquet_of_some_shots(rabi: Sequence, tmp_path: Path) -> None:
    file = rabi.export(tmp_path / "x.parquet", columns=["atoms", "detuning"], where="is_on = true")
    frame = pl.read_parquet(file)
    assert frame.columns == ["atoms", "mot.detuning"]
    assert frame["mot.detuning"].to_list() == [0, 0.2, 0.4]


# Arrays


def test_npz_needs_no_pickle(rabi: Sequence, tmp_path: Path) -> None:
    file = rabi.export(tmp_path / "run.npz")
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["shot_index"].tolist() == [0, 1, 2, 4]
        assert arrays["shot_start_time"].dtype == "M8[us]"
        assert arrays["atoms"].dtype == np.uint16
        for row, index in enumerate((0, 1, 2, 4)):
            np.testing.assert_array_equal(arrays["atoms"][row], FRAME + np.uint16(index))
        np.testing.assert_array_equal(arrays["trace"][3], [0, 2, 4])
        assert arrays["tags"].tolist() == [0, 0, 1, 0, 1, 2, 3]
        assert arrays["tags.length"].tolist() == [0, 1, 2, 4]
        assert arrays["reference.is_present"].tolist() == [False, False, False, True]
        assert "atoms.is_present" not in arrays
        np.testing.assert_array_equal(arrays["counts"], [7, 2**60, -1, np.nan])
        assert arrays["text"].tolist() == [TEXT, "", "=1+1", ""]
        assert json.loads(arrays["settings"][0]) == {"gain": [1, 2.5, None]}
        assert json.loads(str(arrays["units"])) == {"mot.detuning": "MHz"}
        assert str(arrays["sequence"]) == str(PATH)


def test_netcdf_is_read_by_xarray(rabi: Sequence, tmp_path: Path) -> None:
    file = rabi.export(tmp_path / "run.nc")
    with xr.open_dataset(file, engine="h5netcdf") as data:
        assert data.attrs["sequence"] == str(PATH)
        assert data["shot"].values.tolist() == [0, 1, 2, 4]
        assert data["mot.detuning"].attrs["units"] == "MHz"
        assert data["atoms"].dims == ("shot", "y", "x")
        assert data["atoms"].dtype == np.uint16
        np.testing.assert_array_equal(data["atoms"].sel(shot=4), FRAME + np.uint16(4))
        assert data["is_on"].values.tolist() == [True, False, True, True]
        assert data["is_on"].dtype == bool
        assert str(data["shot_start_time"].values[1])[:23] == "2026-11-22T12:00:01.250"
        assert data["text"].values.tolist() == [TEXT, "", "=1+1", ""]
        assert data["tags"].values.tolist() == [0, 0, 1, 0, 1, 2, 3]
        assert data["reference.is_present"].values.tolist() == [False, False, False, True]
        np.testing.assert_array_equal(data["number"], [1 / 3, np.nan, np.inf, 0])


def test_netcdf_is_read_by_h5py(rabi: Sequence, tmp_path: Path) -> None:
    with h5py.File(rabi.export(tmp_path / "run.nc", columns=["atoms", "detuning"])) as file:
        assert file["atoms"].chunks == (min(4, 65536 // FRAME.nbytes), *FRAME.shape)
        assert {"atoms", "mot.detuning", "shot"} <= set(file)


@pytest.mark.parametrize("name", ["run.nc", "run.npz"])
def test_names_with_slashes(storage: HDF5StorageManager, tmp_path: Path, name: str) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={}, data={"a/b": 1.0, "a_b": 2.0})
        file = session.get_sequence(PATH).export(tmp_path / name)
    if name == "run.npz":
        with np.load(file) as arrays:
            assert arrays["a/b"].tolist() == [1]
    else:
        with xr.open_dataset(file, engine="h5netcdf") as data:
            named = {data[key].attrs.get("long_name", key): data[key].values for key in data}
            assert named["a/b"].tolist() == [1]
            assert named["a_b"].tolist() == [2]


# PNG


def test_each_frame_is_a_picture_of_one_scale(rabi: Sequence, tmp_path: Path) -> None:
    folder = rabi.export(tmp_path / "frames", to="png", columns=["atoms"])
    files = sorted(folder.iterdir())
    assert [file.name for file in files] == [f"000{index}_atoms.png" for index in (0, 1, 2, 4)]
    scales = set()
    for file in files:
        with Image.open(file) as image:
            assert (image.mode, image.size) == ("L", FRAME.shape[::-1])
            scales.add((image.info["black"], image.info["white"]))
            assert np.array(image).min() == 0
            assert np.array(image).max() == 255
    assert len(scales) == 1


def test_raw_pictures_hold_every_bit(rabi: Sequence, tmp_path: Path) -> None:
    export(rabi, tmp_path / "frames", to="png", raw=True, columns=["atoms", "reference"])
    assert len(list((tmp_path / "frames").iterdir())) == 5
    with Image.open(tmp_path / "frames" / "0002_atoms.png") as image:
        np.testing.assert_array_equal(np.array(image), FRAME + np.uint16(2))
    with pytest.raises(ExportError, match="holds bool, and a raw png"):
        export(rabi, tmp_path / "more", to="png", raw=True)
    assert not (tmp_path / "more").exists()


def test_a_folder_that_exists_keeps_its_other_files(rabi: Sequence, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        rabi.export(folder, to="png")
    rabi.export(folder, to="png", columns=["atoms"], force=True)
    rabi.export(folder, to="png", columns=["atoms"], force=True)
    assert len(list(folder.iterdir())) == 5
    assert (folder / "mine.txt").read_text() == "mine"


# ZIP


@pytest.fixture(params=["files", "database"])
def any_storage(request: pytest.FixtureRequest, tmp_path: Path) -> StorageManager:
    if request.param == "files":
        return HDF5StorageManager(tmp_path / "files", serializer=serializer())
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"), serializer=serializer())
    database.upgrade()
    return database


def test_a_zip_file_holds_the_sequence_as_it_is(
    any_storage: StorageManager, tmp_path: Path
) -> None:
    populate(any_storage)
    with any_storage.session() as session:
        file = session.get_sequence(PATH).export(tmp_path / "run.zip")
        expected = content(session)
    with zipfile.ZipFile(file) as archive:
        assert sorted(archive.namelist()) == ["rabi/sequence.json", "rabi/shots.h5"]
        archive.extractall(tmp_path / "elsewhere" / "2026")
    unpacked = HDF5StorageManager(tmp_path / "elsewhere", read_only=True, serializer=serializer())
    with unpacked.session() as session:
        found = content(session)
    assert exactly_equal(found[str(PATH)], expected[str(PATH)])
    assert not [left for left in tmp_path.iterdir() if left.name.startswith(".")]


def test_a_running_sequence_is_not_zipped(any_storage: StorageManager, tmp_path: Path) -> None:
    with any_storage.session() as session:
        launch(session)
        record(session)
        with pytest.raises(SequenceRunningError):
            session.get_sequence(PATH).export(tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


def test_a_zip_file_holds_no_part(rabi: Sequence, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="whole sequence"):
        rabi.export(tmp_path / "run.zip", where="detuning > 0")
    with pytest.raises(ExportError, match="whole sequence"):
        rabi.export(tmp_path / "run.zip", columns=["number"])


# All formats


@pytest.mark.parametrize("to", [name for name in FORMATS if name != "zip"])
def test_a_sequence_without_shots_makes_an_empty_file(
    storage: HDF5StorageManager, tmp_path: Path, to: str
) -> None:
    with storage.session() as session:
        launch(session)
        sequence = session.get_sequence(PATH)
        if to == "png":
            with pytest.raises(ExportError, match="nothing that png holds"):
                export(sequence, tmp_path / "run", to=to)
        else:
            done = export(sequence, tmp_path / "run", to=to)
            assert (done.shots, done.file) == (0, tmp_path / "run")
            assert done.size == done.file.stat().st_size > 0


@pytest.mark.parametrize("to", FORMATS)
def test_a_file_that_exists_is_replaced_only_by_force(
    rabi: Sequence, tmp_path: Path, to: str
) -> None:
    file = tmp_path / "run"
    file.write_text("mine")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        rabi.export(file, to=to)
    assert file.read_text() == "mine"
    if to != "png":
        rabi.export(file, to=to, force=True)
        assert file.read_bytes() != b"mine"


@pytest.mark.parametrize("to", [name for name in FORMATS if name != "png"])
def test_no_file_replaces_a_directory(rabi: Sequence, tmp_path: Path, to: str) -> None:
    with pytest.raises(IsADirectoryError, match="is a directory, not a file: name a file in it"):
        rabi.export(tmp_path, to=to, force=True)


def test_a_folder_of_pictures_replaces_no_file(rabi: Sequence, tmp_path: Path) -> None:
    file = tmp_path / "frames"
    file.write_text("mine")
    with pytest.raises(NotADirectoryError, match="is a file, not a folder: name another one"):
        rabi.export(file, to="png")


def test_pictures_go_into_the_directory_one_is_in(
    rabi: Sequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frames").mkdir()
    monkeypatch.chdir(tmp_path / "frames")
    rabi.export(".", to="png", columns=["atoms"], force=True)
    assert Path("0000_atoms.png").exists()


@pytest.mark.parametrize(
    ("place", "to"),
    [("run", "csv"), ("run", "png"), (".", "csv"), ("nowhere/run", "csv"), ("nowhere/run", "png")],
)
def test_where_nothing_can_be_written_nothing_is_read(
    recorded: HDF5StorageManager, reading: Reading, tmp_path: Path, place: str, to: str
) -> None:
    (tmp_path / "run").write_text("mine")
    with recorded.session() as session:
        sequence = session.get_sequence(PATH)
        with reading() as read, pytest.raises(OSError, match=r"exist|directory|folder"):
            sequence.export(tmp_path / place, to=to, where="number > 0")
    assert read.count == 0


def test_what_fails_leaves_nothing_behind(
    rabi: Sequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError("No space left on device")

    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr("shotstore.analysis.exporting.csv_file.cells", full)
    monkeypatch.setattr("shotstore.analysis.exporting.png_files.png", full)
    monkeypatch.setattr(zipfile.ZipFile, "open", full)  # of npz too
    for to in ("csv", "npz", "png", "zip"):
        with pytest.raises(OSError, match="No space"):
            rabi.export(tmp_path / "run", to=to)
    assert sorted(tmp_path.iterdir()) == before


def test_the_result_says_what_was_left_out(rabi: Sequence, tmp_path: Path) -> None:
    done = export(rabi, tmp_path / "run.csv")
    assert done.format == "csv"
    assert set(done.left_out) == {"atoms", "reference", "trace", "tags", r"Camera\mask"}
    assert done.shots == 4
    assert done.size == (tmp_path / "run.csv").stat().st_size
    assert done.columns[:4] == ("shot_index", "shot_start_time", "shot_end_time", "mot.detuning")


def test_python_is_warned_of_what_was_left_out(rabi: Sequence, tmp_path: Path) -> None:
    with pytest.warns(ExportWarning) as caught:
        rabi.export(tmp_path / "run.csv")
    said = [str(warning.message) for warning in caught]
    assert len(said) == 5
    assert (
        f"csv file {tmp_path / 'run.csv'}: atoms was left out: it holds arrays of shape "
        "(128, 128), and csv numbers, texts and times." in said
    )
    assert {warning.filename for warning in caught} == {__file__}
    with pytest.warns(ExportWarning) as caught:
        export(rabi, tmp_path / "more.csv")
    assert {warning.filename for warning in caught} == {__file__}


def test_nothing_is_said_where_nothing_is_lost(rabi: Sequence, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rabi.export(tmp_path / "run.parquet")
        rabi.export(tmp_path / "frames", to="png")
        rabi.export(tmp_path / "run.csv", columns=["number", "counts"])
        rabi.export(tmp_path / "run.zip")


@pytest.mark.parametrize("to", ["netcdf", "npz", "parquet"])
def test_numbers_that_are_rounded_are_said(
    storage: HDF5StorageManager, tmp_path: Path, to: str
) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(2):
            data: dict[str, Data] = {"huge": 3**100, "exact": 2**200, "small": index}
            if index:
                data["late"] = 2**60 + 1
            record(session, index=index, data=data)
        done = write_file(session.get_sequence(PATH), tmp_path / "run", to=to)
    rounded = {"huge"} if to == "parquet" else {"huge", "late"}
    assert {change.column for change in done.changes} == rounded
    assert all("rounded" in change.what for change in done.changes)


def test_what_is_wider_than_64_bits_is_said(storage: HDF5StorageManager, tmp_path: Path) -> None:
    wide = np.ones(2, np.longdouble)
    with storage.session() as session:
        launch(session)
        record(session, data={"wide": wide})
        for to in ("netcdf", "parquet", "npz"):
            done = write_file(session.get_sequence(PATH), tmp_path / to, to=to)
            is_kept = to == "npz" or wide.dtype.itemsize == 8
            assert [change.column for change in done.changes] == ([] if is_kept else ["wide"])


def test_frames_that_differ_in_both_dimensions_are_kept(
    storage: HDF5StorageManager, tmp_path: Path
) -> None:
    frames = [
        np.arange(rows * columns, dtype="u2").reshape(rows, columns)
        for rows, columns in ((2, 3), (4, 1), (0, 5))
    ]
    with storage.session() as session:
        launch(session)
        for index, frame in enumerate(frames):
            record(session, index=index, data={"roi": frame})
        record(session, index=3, data={})
        sequence = session.get_sequence(PATH)
        npz, netcdf = sequence.export(tmp_path / "run.npz"), sequence.export(tmp_path / "run.nc")
    with np.load(npz) as arrays, xr.open_dataset(netcdf, engine="h5netcdf") as data:
        for found in (dict(arrays), {str(name): data[name].values for name in data.variables}):
            assert found["roi"].dtype == np.uint16
            shapes = found["roi.shape"].tolist()
            assert shapes == [[2, 3], [4, 1], [0, 5], [0, 0]]
            assert found["roi.is_present"].tolist() == [True, True, True, False]
            ends = np.cumsum([0] + [rows * columns for rows, columns in shapes])
            for place, frame in enumerate(frames):
                items = found["roi"][ends[place] : ends[place + 1]]
                np.testing.assert_array_equal(items.reshape(shapes[place]), frame)


@pytest.mark.parametrize("to", ["parquet", "netcdf", "npz"])
def test_arrays_without_items_are_exported(
    storage: HDF5StorageManager, tmp_path: Path, to: str
) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(2):
            record(session, index=index, data={"empty": np.zeros((3, 0)), "none": np.zeros(0)})
        done = write_file(session.get_sequence(PATH), tmp_path / "run", to=to, columns=["empty"])
        write_file(session.get_sequence(PATH), tmp_path / "both", to=to)
    if to == "parquet":
        assert pl.read_parquet(done.file)["empty"].to_list() == [[[], [], []]] * 2
    elif to == "npz":
        with np.load(done.file) as arrays:
            assert arrays["empty"].shape == (2, 3, 0)
    else:
        with xr.open_dataset(done.file, engine="h5netcdf") as data:
            assert data["empty"].shape == (2, 3, 0)


def test_times_of_any_unit_and_year_are_exact(storage: HDF5StorageManager, tmp_path: Path) -> None:
    times = {
        "fine": np.array("2026-11-22T12:00:00.123456789", "M8[ns]"),
        "far": np.array("20260-01-01", "M8[s]"),
        "farther": np.array(10**15, "M8[s]"),
        "none": np.array("NaT", "M8[s]"),
    }
    with storage.session() as session:
        launch(session)
        record(session, data=times)
        sequence = session.get_sequence(PATH)
        csv_file, netcdf = sequence.export(tmp_path / "run.csv"), sequence.export(tmp_path / "a.nc")
    with csv_file.open(newline="") as lines:
        [row] = csv.DictReader(lines)
    texts = {
        "fine": "2026-11-22T12:00:00.123456789Z",
        "far": "20260-01-01T00:00:00.000000Z",
        "farther": f"{times['farther']}.000Z",
        "none": "",
    }
    assert {name: row[name] for name in times} == texts
    with xr.open_dataset(netcdf, engine="h5netcdf", decode_times=False) as data:
        assert data["fine"].values == times["fine"].astype(int)
        assert data["fine"].attrs["units"] == "nanoseconds since 1970-01-01"
        assert data["far"].values == times["far"].astype("M8[us]").astype(int)
        assert data["farther"].values == texts["farther"]
    with xr.open_dataset(netcdf, engine="h5netcdf", drop_variables=["far"]) as data:
        assert np.isnat(data["none"].values).all()
        assert data["fine"].values == times["fine"]


def test_the_name_is_that_of_the_sequence(
    rabi: Sequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert export(rabi, to="csv").file == Path("rabi.csv")
    assert export(rabi, to="netcdf").file == Path("rabi.nc")
    assert export(rabi, to="png").file == Path("rabi_frames")


@pytest.mark.parametrize("to", [name for name in FORMATS if name != "parquet"])
def test_progress_goes_up_to_the_whole(rabi: Sequence, tmp_path: Path, to: str) -> None:
    seen: list[tuple[int, int]] = []
    export(rabi, tmp_path / "run", to=to, progress=lambda done, all_: seen.append((done, all_)))
    assert seen[-1][0] == seen[-1][1]
    assert max(seen) == seen[-1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"file": "run"}, ExportError, "does not tell the format: choose csv, parquet"),
        ({"file": "run.doc"}, ExportError, r"run\.doc does not tell the format"),
        ({"file": "run.csv", "to": "doc"}, ExportError, "'doc' is not a format"),
        ({"file": "run.nc", "to": "csv"}, ExportError, "ending of netcdf, and csv is asked for"),
        ({"file": "run.csv", "to": "png"}, ExportError, "ending of csv, and png is asked for"),
        ({"file": "run.png"}, ExportError, r"name a folder.* \(--to png -o run\)"),
        ({"file": "a/run.PNG", "to": "png"}, ExportError, r"\(--to png -o a.run\)"),
        ({"file": "run.csv", "columns": ["atoms"]}, ExportError, "atoms holds arrays of shape"),
        ({"file": "run.nc", "columns": ["atms"]}, DataNotFoundError, "did you mean 'atoms'"),
        ({"file": "run.csv", "columns": "atoms"}, TypeError, "Several columns"),
        ({"file": "run.csv", "where": "5"}, InvalidConditionError, "not a condition"),
        ({"file": "nowhere/run.csv"}, FileNotFoundError, "nowhere does not exist"),
    ],
)
def test_what_is_asked_for_wrongly(
    rabi: Sequence,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error, match=message):
        rabi.export(**arguments)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("package", "file"), [("xlsxwriter", "run.xlsx"), ("h5netcdf", "run.nc")])
def test_a_missing_package_is_named(
    rabi: Sequence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, file: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=f'pip install .*"{package}>='):
        rabi.export(tmp_path / file)
    assert not (tmp_path / file).exists()
