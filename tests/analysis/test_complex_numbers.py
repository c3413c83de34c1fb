"""Complex numbers are numbers everywhere: complex where there is such a type, else two columns."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import openpyxl
import polars as pl
import pytest
import xarray as xr

from shotstore import DataNotFoundError, Sequence, StorageManager, TransactionConflictError
from shotstore.analysis import plot
from shotstore.analysis.pictures.points import collect_points
from shotstore.hdf5 import HDF5StorageManager
from shotstore.testing.experiments import PATH, launch, record, relaunch

S21 = [1 - 2j, 0.1 + 0.2j, complex("inf")]
TRACE = np.array([1 + 1j, -2j, 3], "c8")

pytestmark = pytest.mark.usefixtures("without_windows")


@pytest.fixture
def vna(storage: HDF5StorageManager) -> Iterator[Sequence]:
    """Three shots with a complex number and a trace of them, the last two also with another one."""
    with storage.session() as session:
        launch(session)
        for index, value in enumerate(S21):
            data = {"s21": np.array(value), "trace": TRACE * index}
            if index:
                data["late"] = np.array([value])
            record(session, index=index, parameters={"power": float(index)}, data=data)
        yield session.get_sequence(PATH)


def test_a_scan_has_both_parts(vna: Sequence) -> None:
    table = vna.scan().filter(pl.col("s21.imag") != 0).collect()
    assert table["s21.real"].to_list() == [1, 0.1]
    assert table["s21.imag"].to_list() == [-2, 0.2]
    assert table.schema["trace.imag"] == pl.Array(pl.Float32, 3)
    np.testing.assert_array_equal(table["trace.imag"][1].to_numpy(), TRACE.imag)
    assert table["late.real"].to_list() == [None, [0.1]]
    assert "s21" not in table.columns


def test_a_table_for_people_has_two_columns_of_numbers(vna: Sequence, tmp_path: Path) -> None:
    columns = ["s21", "late.imag"]
    with vna.export(tmp_path / "run.csv", columns=columns).open(newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows == [
        ["s21.real", "s21.imag", "late.imag"],
        ["1.0", "-2.0", ""],
        ["0.1", "0.2", "0.2"],
        ["inf", "0.0", "0.0"],
    ]
    book = openpyxl.load_workbook(vna.export(tmp_path / "run.xlsx", columns=columns))
    assert [cell.value for cell in book["shots"][3]] == [0.1, 0.2, 0.2]


def test_parquet_has_two_columns(vna: Sequence, tmp_path: Path) -> None:
    found = pl.read_parquet(vna.export(tmp_path / "run.parquet", columns=["s21", "trace"]))
    assert found.columns == ["s21.real", "s21.imag", "trace.real", "trace.imag"]
    assert found["s21.imag"].to_list() == [-2, 0.2, 0]


def test_netcdf_has_two_variables_of_the_same_dimensions(vna: Sequence, tmp_path: Path) -> None:
    with xr.open_dataset(vna.export(tmp_path / "run.nc"), engine="h5netcdf") as data:
        np.testing.assert_array_equal(data["s21.real"], np.real(S21))
        assert data["trace.real"].dims == data["trace.imag"].dims == ("shot", "sample")
        assert data["trace.imag"].dtype == np.float32
        np.testing.assert_array_equal((data["trace.real"] + 1j * data["trace.imag"])[1], TRACE)


def test_numpy_pandas_and_xarray_have_complex_numbers(vna: Sequence, tmp_path: Path) -> None:
    with np.load(vna.export(tmp_path / "run.npz")) as arrays:
        np.testing.assert_array_equal(arrays["s21"], S21)
        np.testing.assert_array_equal(arrays["trace"][2], 2 * TRACE)
        assert arrays["trace"].dtype == np.complex64
        np.testing.assert_array_equal(arrays["late"], [[np.nan], [S21[1]], [S21[2]]])
    frame = vna.to_pandas()
    assert frame["s21"].dtype == complex
    assert frame["s21"].tolist() == S21
    assert vna.to_xarray()["trace"].dtype == np.complex64


def test_a_condition_on_a_part(vna: Sequence, tmp_path: Path) -> None:
    file = vna.export(tmp_path / "run.npz", columns=["s21"], where="s21.real > 0.5")
    with np.load(file) as arrays:
        assert arrays["s21"].tolist() == [S21[0], S21[2]]


def test_a_plot_shows_both_parts(vna: Sequence) -> None:
    points = collect_points(vna, "power", "s21", where="power < 2")
    assert [curve.label for curve in points.curves] == ["s21.real", "s21.imag"]
    assert [curve.y.tolist() for curve in points.curves] == [[1, 0.1], [-2, 0.2]]
    assert collect_points(vna, "s21.real", "s21.imag").y_label == "s21.imag"
    with pytest.raises(DataNotFoundError, match=r"'s21' is complex: write s21.real or s21.imag"):
        collect_points(vna, "s21", "power")
    arrays = vna.to_arrays(["power", "s21"])
    axes = plot({**arrays, "power": np.arange(3)}, "power", "s21")
    assert len(axes.get_lines()) == 2


def test_the_only_label_is_plotted_also_where_it_is_complex(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        for index in range(2):
            record(session, index=index, data={"s21": np.array(index + 1j)})
        points = collect_points(session.get_sequence(PATH))
    assert [curve.label for curve in points.curves] == ["s21.real", "s21.imag"]


def test_a_label_that_is_called_like_a_part_keeps_its_name(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"s21": np.array(1 + 2j), "s21.real": "not a number"})
        row = session.get_sequence(PATH).scan().collect().row(0, named=True)
    assert row["s21.real"] == "not a number"
    assert (row["data.s21.real"], row["s21.imag"]) == (1, 2)


def test_a_label_that_becomes_complex_after_the_scan_is_said(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"s21": 1.0})
    scan = storage.scan(PATH)
    with storage.session() as session:
        session.sequences.set_interrupted(PATH, "now")
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, data={"s21": np.array(1j)})
    with pytest.raises((TransactionConflictError, pl.exceptions.ComputeError), match="scan again"):
        scan.collect()
