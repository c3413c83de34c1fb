"""The columns of a sequence are the same in all ways to them: names, values, gaps, units."""

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout, suppress
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import openpyxl
import pandas as pd
import polars as pl
import pytest
import xarray as xr

from shotstore import Sequence, cli
from shotstore.analysis.pictures.points import collect_points
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    Data,
    ExecuteShot,
    LinspaceLoop,
    Parameter,
    StepsConfiguration,
    VariableDeclaration,
    quantity,
)
from shotstore.testing.experiments import PATH, TIME_LANES, launch, record

Columns: TypeAlias = dict[str, list[Any]]
"""By name, with its unit behind it: None where a shot has no value, real and imaginary parts of
complex numbers apart, times without zone."""

RECIPE = StepsConfiguration(
    [
        VariableDeclaration("power", "3 mW"),
        LinspaceLoop("mot.hold_time", "1 s", "2 s", 5, [ExecuteShot()]),
    ]
)
SHOTS: Mapping[str, list[tuple[dict[str, Parameter], dict[str, Data]]]] = {
    "gaps": [
        ({"mot.hold_time": quantity(1.5, "s"), "n": 1}, {"atom_number": 10, "count": 7}),
        ({"mot.hold_time": quantity(2.5, "s"), "n": 2}, {"temperature": 0.5}),
        ({"mot.hold_time": quantity(3.5, "s"), "n": 3}, {"atom_number": 30, "ok": True}),
    ],
    "a parameter that some shots do not have": [
        ({"mot.hold_time": quantity(1.5, "s")}, {}),
        ({"mot.hold_time": quantity(2.5, "s"), "power": quantity(3.0, "mW"), "on": True}, {}),
    ],
    "two units": [
        ({"mot.hold_time": quantity(1, "s"), "x": quantity(1.0, "MHz")}, {"n": 1}),
        ({"mot.hold_time": quantity(1.5, "s"), "x": quantity(500.0, "kHz")}, {"n": 2}),
    ],
    "complex numbers": [
        ({"mot.hold_time": quantity(1.0, "s")}, {"s11": np.array(1 + 2j), "n": 1}),
        ({"mot.hold_time": quantity(2.0, "s")}, {"s11": np.array(3 - 4j), "n": 2}),
    ],
    "texts and times": [
        ({"mot.hold_time": quantity(1.0, "s")}, {"who": "Ada", "at": np.array(7, "M8[s]")}),
        ({"mot.hold_time": quantity(2.0, "s")}, {"at": np.array(8, "M8[s]")}),
    ],
    "names that are taken": [
        ({"mot.hold_time": quantity(1.0, "s"), "shot": 5}, {"shot_index": 7, "shot": 8}),
    ],
    "one shot without anything else": [({"mot.hold_time": quantity(1.0, "s")}, {})],
}


@pytest.fixture(params=["a draft", *SHOTS])
def sequence(request: pytest.FixtureRequest, storage: HDF5StorageManager) -> Iterator[Sequence]:
    """A sequence on files, recorded from its last shot to its first."""
    with storage.session() as session:
        if request.param == "a draft":
            session.sequences.create(PATH, RECIPE, TIME_LANES)
        else:
            shots = list(enumerate(SHOTS[request.param]))
            launch(session, shots=None)
            for index, (parameters, data) in reversed(shots):
                record(session, index=index, parameters=parameters, data=data)
    with storage.session() as session:
        yield session.get_sequence(PATH)


def plain(value: Any) -> Any:
    """A value as all ways can have it."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.item() if value.dtype.kind not in "mM" else pd.Timestamp(value.item())
    if value is None or value is pd.NaT or value == "":
        return None
    if isinstance(value, float) and math.isnan(value):
        return None
    if hasattr(value, "isoformat"):
        return pd.Timestamp(value).tz_localize(None).round(timedelta(milliseconds=1))
    return value


def split(name: str, values: list[Any], unit: str | None = None) -> Columns:
    title = f"{name} ({unit})" if unit else name
    found = [plain(value) for value in values]
    if not any(isinstance(value, complex) for value in found):
        return {title: found}
    parts = {"real": [], "imag": []}  # type: dict[str, list[Any]]
    for value in found:
        parts["real"].append(None if value is None else value.real)
        parts["imag"].append(None if value is None else value.imag)
    return {f"{name}.{part}": each for part, each in parts.items()}


def units_of(sequence: Sequence) -> dict[str, str]:
    return {
        name: kind.units for name, kind in sequence.get_parameter_schema().items() if kind.units
    }


def of_scan(sequence: Sequence, _: Path) -> Columns:
    units, table = units_of(sequence), sequence.scan().collect().drop("sequence")
    found: Columns = {}
    for series in table:
        found |= split(series.name, series.to_list(), units.get(series.name))
    return found


def of_arrays(sequence: Sequence, _: Path) -> Columns:
    units = units_of(sequence)
    found: Columns = {}
    for name, values in sequence.to_arrays().items():
        found |= split(name, list(values), units.get(name))
    return found


def of_pandas(sequence: Sequence, _: Path) -> Columns:
    frame = sequence.to_pandas()
    found: Columns = {}
    for name in frame.reset_index():
        values = frame.reset_index()[name].to_list()
        found |= split(name, values, frame.attrs["units"].get(name))
    return found


def of_xarray(sequence: Sequence, _: Path) -> Columns:
    return _of_dataset(sequence.to_xarray())


def of_netcdf(sequence: Sequence, folder: Path) -> Columns:
    with xr.open_dataset(sequence.export(folder / "run.nc"), engine="h5netcdf") as dataset:
        return _of_dataset(dataset.load())


def _of_dataset(dataset: xr.Dataset) -> Columns:
    """What has another name there, since ``shot`` is the dimension, under its own."""
    renamed = {"shot": "shot_index", "parameter.shot": "shot"}
    found: Columns = {}
    for name in map(str, dataset.variables):
        variable = dataset[name]
        found |= split(renamed.get(name, name), list(variable.values), variable.attrs.get("units"))
    return found


def of_npz(sequence: Sequence, folder: Path) -> Columns:
    found: Columns = {}
    with np.load(sequence.export(folder / "run.npz")) as arrays:
        units = json.loads(str(arrays["units"]))
        for name in arrays:
            if name not in ("units", "sequence"):
                found |= split(name, list(arrays[name]), units.get(name))
    return found


def of_csv(sequence: Sequence, folder: Path) -> Columns:
    table = pl.read_csv(sequence.export(folder / "run.csv"), try_parse_dates=True)
    return {series.name: list(map(plain, series.to_list())) for series in table}


def of_parquet(sequence: Sequence, folder: Path) -> Columns:
    file = sequence.export(folder / "run.parquet")
    units = json.loads(pl.read_parquet_metadata(file)["units"])
    found: Columns = {}
    for series in pl.read_parquet(file):
        found |= split(series.name, series.to_list(), units.get(series.name))
    return found


def of_xlsx(sequence: Sequence, folder: Path) -> Columns:
    book = openpyxl.load_workbook(sequence.export(folder / "run.xlsx"), read_only=True)
    titles, *rows = book["shots"].iter_rows(values_only=True)
    columns = list(zip(*rows, strict=True)) or [() for _ in titles]
    return {
        str(title).removesuffix(" (UTC)"): list(map(plain, values))
        for title, values in zip(titles, columns, strict=True)
    }


def of_the_command_line(sequence: Sequence, _: Path, *options: str) -> Columns:
    output = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), suppress(SystemExit):
        patch.chdir(sequence.session.storage.root)  # type: ignore[attr-defined]
        patch.setattr(sys, "argv", ["shotstore", "shots", str(PATH), "--all", "--json", *options])
        cli.main()
    content = json.loads(output.getvalue())
    found: Columns = {}
    times = ("shot_start_time", "shot_end_time", "at")
    for name in content["shots"][0] if content["shots"] else (*FIXED, *content["units"]):
        values = [shot[name] for shot in content["shots"]]
        if name in times:
            values = [None if value is None else pd.Timestamp(value) for value in values]
        found |= split(name, values, content["units"].get(name))
    return found


FIXED = ("shot_index", "shot_start_time", "shot_end_time")
WAYS: Mapping[str, Callable[[Sequence, Path], Columns]] = {
    "arrays": of_arrays,
    "pandas": of_pandas,
    "xarray": of_xarray,
    "csv": of_csv,
    "parquet": of_parquet,
    "xlsx": of_xlsx,
    "npz": of_npz,
    "netcdf": of_netcdf,
    "command line": of_the_command_line,
}


@pytest.mark.filterwarnings("ignore::shotstore.ExportWarning")
def test_all_ways_have_what_a_scan_has(sequence: Sequence, tmp_path: Path) -> None:
    expected = of_scan(sequence, tmp_path)
    assert {way: read(sequence, tmp_path) for way, read in WAYS.items()} == dict.fromkeys(
        WAYS, expected
    )


def test_all_ways_take_the_end_of_a_name(sequence: Sequence, tmp_path: Path) -> None:
    title = "mot.hold_time (s)"
    expected = of_scan(sequence, tmp_path)[title]
    assert list(map(plain, sequence.to_arrays(["hold_time"])["hold_time"])) == expected
    assert sequence.to_pandas(["hold_time"])["hold_time"].to_list() == expected
    assert sequence.to_xarray(["hold_time"])["hold_time"].values.tolist() == expected
    table = pl.read_csv(sequence.export(tmp_path / "run.csv", columns=["hold_time"]))
    assert table[title].to_list() == expected
    for where in ("hold_time > 1.2 s", pl.col("hold_time") > 1.2):
        file = tmp_path / "some.csv"
        sequence.export(file, columns=["hold_time"], where=where, force=True)
        assert pl.read_csv(file)[title].to_list() == [value for value in expected if value > 1.2]
    if expected:
        points = collect_points(sequence, "hold_time", "shot_index", where="hold_time > 0 s")
        assert points.x_label == title
    shown = of_the_command_line(sequence, tmp_path, "--columns", "hold_time")
    assert shown[title] == expected
