"""The unit of what was measured goes with its label: into columns, axes, files and conditions."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import xarray as xr

from shotstore import IncompatibleUnitsError, Sequence
from shotstore.analysis import plot_image
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, quantity
from shotstore.testing.experiments import PATH, launch, path, record

UNITS = {"temperature": "µK", "trace": "V", "frame": "count", "phase": "rad"}


def shot(kelvin: float, volts: str = "V") -> dict[str, Data]:
    return {
        "temperature": quantity(kelvin, "µK"),
        "trace": quantity(np.arange(3), volts),
        "frame": quantity(np.full((4, 6), 7, "u2"), "count"),
        "phase": quantity(1 + 2j, "rad"),
        "number": 3,
    }


@pytest.fixture
def sequence(storage: HDF5StorageManager) -> Iterator[Sequence]:
    with storage.session() as session:
        launch(session, shots=3)
        for index, kelvin in enumerate([1.0, 2.0, 5.0]):
            record(session, index=index, parameters={"x": index}, data=shot(kelvin))
    with storage.session() as session:
        yield session.get_sequence(PATH)


def test_pandas_and_xarray_have_the_units(sequence: Sequence) -> None:
    assert sequence.to_pandas().attrs["units"] == UNITS
    dataset = sequence.to_xarray()
    assert {n: v.attrs["units"] for n, v in dataset.items() if "units" in v.attrs} == UNITS
    assert sequence.to_arrays()["temperature"].tolist() == [1, 2, 5]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("temperature < 2.5 uK", [0, 1]),
        ("temperature = 0.005 mK", [2]),
        ("0 < temperature <= 2000 nK", [0, 1]),
        ("phase.real > 57 deg", [0, 1, 2]),
    ],
)
def test_conditions_compare_in_any_unit(
    sequence: Sequence, where: str, expected: list[int], tmp_path: Path
) -> None:
    sequence.export(tmp_path / "shots.csv", columns=["shot_index"], where=where)
    lines = (tmp_path / "shots.csv").read_text().splitlines()[1:]
    assert [int(line) for line in lines] == expected


def test_a_plain_number_is_not_compared_with_a_quantity(sequence: Sequence) -> None:
    with pytest.raises(ValueError, match=r"temperature is in µK: write 2 µK, or another unit"):
        sequence.plot("x", "number", where="temperature < 2")


@pytest.mark.usefixtures("without_windows")
def test_axes_and_the_scale_of_pixels_tell_the_unit(sequence: Sequence) -> None:
    axes = sequence.plot("x", ["temperature"])
    assert axes.get_ylabel() == "temperature (µK)"
    assert sequence.plot("temperature", "number").get_xlabel() == "temperature (µK)"
    for mean in (True, False):
        figure = plot_image(sequence, "frame", mean=mean).figure
        assert "count" in [each.get_ylabel() for each in figure.axes]


def test_files_for_other_programs_have_the_units(sequence: Sequence, tmp_path: Path) -> None:
    sequence.export(tmp_path / "shots.csv", columns=["temperature", "phase", "number"])
    for ending in ("nc", "npz", "parquet"):
        sequence.export(tmp_path / f"shots.{ending}")
    with (tmp_path / "shots.csv").open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert {"temperature (µK)", "phase.real (rad)", "phase.imag (rad)", "number"} <= set(header)
    with xr.open_dataset(tmp_path / "shots.nc", engine="h5netcdf", decode_times=False) as dataset:
        names = ("temperature", "trace", "frame", "phase.real")
        found = [dataset[name].attrs["units"] for name in names]
    assert found == ["µK", "V", "count", "rad"]
    assert json.loads(str(np.load(tmp_path / "shots.npz")["units"])) == UNITS
    metadata = pl.read_parquet_metadata(tmp_path / "shots.parquet")
    assert json.loads(metadata["units"])["trace"] == "V"


def test_a_scan_of_several_sequences_has_one_unit(
    sequence: Sequence, storage: HDF5StorageManager
) -> None:
    other = path(r"\2026\second")
    with storage.session() as session:
        launch(session, other)
        record(session, other, 0, {}, shot(4, "mV") | {"temperature": quantity(3, "mK")})
        record(session, other, 1, {}, shot(4, "mV") | {"temperature": None})
    frame = storage.scan().sort("sequence", "shot_index").collect()
    assert frame["temperature"].to_list() == [1, 2, 5, 3000, None]
    assert frame["trace"].to_list()[-1] == pytest.approx([0, 0.001, 0.002])
    assert frame["trace"].dtype == pl.Array(pl.Float64, 3)
    assert frame["frame"].dtype == pl.Array(pl.UInt16, (4, 6))
    assert storage.scan(PATH).collect()["trace"].dtype == pl.Array(pl.Int64, 3)
    assert len(sequence) == 3


def test_units_of_several_sequences_that_do_not_fit_are_told(
    sequence: Sequence, storage: HDF5StorageManager
) -> None:
    other = path(r"\2026\second")
    with storage.session() as session:
        launch(session, other)
        record(session, other, 0, {}, {"temperature": 1.5, "trace": quantity(1.0, "V")})
    with pytest.raises(IncompatibleUnitsError, match=r"Data 'temperature' is in µK in .2026"):
        storage.scan().select("temperature").collect()
    assert len(storage.scan().select("number").collect()) == 4
    assert len(sequence) == 3


def test_a_card_shows_the_units(sequence: Sequence) -> None:
    assert "float in µK" in sequence._repr_html_()
    card = sequence.get_shots()[1]._repr_html_()
    assert "2 µK" in card
    assert "uint16, 4 x 6, in count" in card
    assert "<img" in card
