"""Labels and paths of any text, in files that have names of their own: none stands for two."""

import ast
import csv
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
import xarray as xr
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape
from PIL import Image

from shotstore import PureSequencePath, Sequence, StorageManager
from shotstore.analysis.exporting import Exported, write_file
from shotstore.analysis.exporting.destination import file_name
from shotstore.analysis.tables import SequenceTable
from shotstore.analysis.tables.names import FIXED, name_columns, origins
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import Data, quantity
from shotstore.testing import serializer, strategies
from shotstore.testing.experiments import PATH, launch, record

NAMES = [
    *("shot", "units", "sequence", "shot_index", "data.shot", "parameter.shot"),
    *("a", "A", "a ", " a", "a.length", "a.shape", "a.is_present", "a.axis", "a.axis0", "a.npy"),
    *("a.npy.npy", "data.a", "data.a.length", "a.real", "a.imag", "a (s)", "p", "p (s)", "data.p"),
    *(".", "..", "a/b", "a_b", "a\\b", "a\0", "a\0b", "a\nb", "/", "\\", "\0", "_", "*", "^a.*$"),
    *("x", "y", "y_2", "sample", "axis_0", "_nc4_non_coord_a", "long_name", '"', ",", "=1+1", "-"),
    *("\N{LATIN SMALL LETTER E WITH ACUTE}", "e\N{COMBINING ACUTE ACCENT}", "ß", "ss", "原子" * 60),
    "long" * 5000,
]
names = st.one_of(st.sampled_from(NAMES), strategies.labels)


def number(place: int) -> Data:
    return 10**6 + place


def complex_number(place: int) -> Data:
    return np.array(10**6 + place + 0.5j)


def trace(place: int) -> Data:
    return np.full(3, 10**6 + place, "u4")


def frame(place: int) -> Data:
    return np.full((2, 3), 10**6 + place, "u4")


def ragged(place: int) -> Data:
    return [np.full(place % 3, 10**6 + place), np.full(1 + place % 3, 10**6 + place)]


KINDS = [number, complex_number, trace, frame, ragged]
labels = st.dictionaries(names, st.sampled_from(KINDS), min_size=1, max_size=8)
many = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Each of what is written beside a label is called like another one.
worst = {
    "a": ragged,
    **dict.fromkeys(("a.length", "a.shape", "data.a.length", "shot", "units", "x", "y"), number),
    "data.units": frame,
    "a.is_present": trace,
}


@contextmanager
def recorded(found: dict[str, Callable[[int], Data]]) -> Iterator[tuple[Sequence, Path]]:
    """Two shots in which each label has a value of its own, of these kinds."""
    with TemporaryDirectory() as folder:
        storage = HDF5StorageManager(Path(folder) / "lab", serializer=serializer())
        with storage.session() as session:
            launch(session)
            for index in range(2):
                data = {
                    label: kind(place)[index] if kind is ragged else kind(place)  # type: ignore[index]
                    for place, (label, kind) in enumerate(found.items())
                }
                record(session, index=index, parameters={"p": quantity(1, "s")}, data=data)
        with storage.session() as session:
            yield session.get_sequence(PATH), Path(folder)
        storage.close()


def called(done: Exported, column: str) -> str:
    """What the export says that a column is called in the file."""
    for change in done.changes:
        told = re.fullmatch(r"is called (.+) there", change.what, re.DOTALL)
        if change.column == column and told:
            return str(ast.literal_eval(told[1]))
    return column


def check(
    sequence: Sequence,
    done: Exported,
    found: dict[str, Callable[[int], Data]],
    read: Callable[[str], Any],
) -> None:
    """Check that every label has its own values, under its name or the one that the export says."""
    table = SequenceTable(sequence._reader_(), split=done.format != "npz")
    places = {label: place for place, label in enumerate(found)}
    assert {*done.columns, *done.left_out} == {column.name for column in table.usual_columns()}
    for name in done.columns:
        origin = table.columns[name].origin
        if origin is None or origin.kind == "parameter":
            continue
        values = np.asarray(read(called(done, name)), complex).ravel().real.tolist()
        expected = 0.5 if origin.part == "imag" else 10.0**6 + places[origin.name]
        assert set(values) == {expected} or not values
        if found[origin.name] in (number, complex_number):
            assert len(values) == 2


@many
@given(found=labels)
@example(found=worst)
@example(found=dict.fromkeys(NAMES, number))
@example(found=dict.fromkeys(NAMES, ragged))
def test_npz(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, folder):
        done = write_file(sequence, folder / "run.npz")
        with np.load(done.file) as arrays:
            assert len(set(arrays.files)) == len(arrays.files)
            assert json.loads(str(arrays["units"])) == {called(done, "p"): "s"}
            assert str(arrays["sequence"]) == str(PATH)
            check(sequence, done, found, arrays.__getitem__)


@many
@given(found=labels)
@example(found=worst)
@example(found=dict.fromkeys(NAMES, number))
@example(found=dict.fromkeys(NAMES, ragged))
def test_netcdf(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, folder):
        done = write_file(sequence, folder / "run.nc")
        with xr.open_dataset(done.file, engine="h5netcdf") as data:
            assert data["shot"].values.tolist() == [0, 1]
            check(sequence, done, found, lambda name: data[name].values)
            assert data[called(done, "p")].attrs["units"] == "s"


@many
@given(found=labels)
@example(found=worst)
@example(found=dict.fromkeys(NAMES, number))
def test_parquet(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, folder):
        done = write_file(sequence, folder / "run.parquet")
        table = pl.read_parquet(done.file)
        check(sequence, done, found, lambda name: np.hstack(table[name].to_list()))


@many
@given(found=labels)
@example(found=worst)
@example(found=dict.fromkeys(NAMES, number))
def test_csv(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, folder):
        done = write_file(sequence, folder / "run.csv")
        with done.file.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        assert len(set(header)) == len(header)
        table = dict(zip(header, zip(*rows, strict=True), strict=True))
        check(sequence, done, found, lambda name: [float(cell) for cell in table[name]])
        assert table[f"{called(done, 'p')} (s)"] == ("1", "1")


@many
@given(found=labels)
@example(found=worst)
@example(found=dict.fromkeys(NAMES, number))
def test_xlsx(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, folder):
        done = write_file(sequence, folder / "run.xlsx")
        cells, *rows = openpyxl.load_workbook(done.file)["shots"].iter_rows(values_only=True)
        header = [unescape(str(cell)) for cell in cells]  # which Excel does by itself
        assert len(set(header)) == len(header)
        table = dict(zip(header, zip(*rows, strict=True), strict=True))
        check(sequence, done, found, table.__getitem__)


@many
@given(found=st.sets(names, min_size=1, max_size=6))
@example(found=set(NAMES))
def test_png(found: set[str]) -> None:
    with recorded(dict.fromkeys(sorted(found), frame)) as (sequence, folder):
        write_file(sequence, folder / "frames", to="png")
        files = list((folder / "frames").iterdir())
        on_any_disk = {unicodedata.normalize("NFC", file.name).casefold() for file in files}
        assert len(on_any_disk) == len(files) == 2 * len(found)
        told = []
        for file in files:
            with Image.open(file) as image:
                told.append(image.info["label"])
                assert image.info["sequence"] == str(PATH)
        table = SequenceTable(sequence._reader_())
        labels = [column.name for column in table.columns.values() if column.is_measured]
        assert sorted(told) == sorted([*labels, *labels])


@many
@given(found=labels)
@example(found=worst)
@example(found=dict.fromkeys(NAMES, number))
def test_arrays_frames_and_datasets(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, _):
        schema = sequence.get_data_schema()
        tables: list[tuple[Any, tuple[str, ...]]] = [
            (sequence.to_arrays(), FIXED),
            (sequence.to_pandas(), FIXED),
            (sequence.to_xarray(), (*FIXED, "shot")),
        ]
        for table, reserved in tables:
            columns = name_columns(origins(["p"], schema, split=False), reserved)
            for name, origin in columns.items():
                if origin.kind == "label":
                    place = list(found).index(origin.name)
                    second = np.asarray(np.asarray(table[name])[1]).real.ravel()
                    assert set(second.tolist()) <= {10**6 + place}


@many
@given(found=labels)
@example(found=dict.fromkeys(NAMES, number))
def test_scans(found: dict[str, Callable[[int], Data]]) -> None:
    with recorded(found) as (sequence, _):
        scan = sequence.scan()
        table = scan.collect()
        for column in table.columns:
            alone = scan.select(pl.selectors.by_name(column)).collect()
            assert alone.columns == [column]
            assert alone[column].equals(table[column])


# Paths


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rabi", "rabi"),
        ("a/b", "a_b"),
        ("14:30 rabi?", "14_30 rabi_"),
        ("Fig. 3", "Fig. 3"),
        ("dots...", "dots"),
        ("...", "_"),
        ("con", "_con"),
        ("LPT1.old", "_LPT1.old"),
        ("console", "console"),
        ("原子" * 60, "原子" * 33),
    ],
)
def test_files_are_called_after_the_sequence_as_every_system_allows(
    name: str, expected: str
) -> None:
    assert file_name(name) == expected


@pytest.mark.parametrize("to", ["csv", "npz", "netcdf", "xlsx", "parquet", "png", "zip"])
@pytest.mark.parametrize("name", ["a/b", "±10 MHz, 45°", "原子" * 30, "con"])
def test_a_sequence_of_any_name_is_exported(
    storage: StorageManager,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    to: str,
    name: str,
) -> None:
    path = PureSequencePath.from_parts(["2026", name])
    with storage.session() as session:
        launch(session, path)
        record(session, path, data={"atoms": np.zeros((2, 2), "u2"), "n": 1})
        session.sequences.set_interrupted(path, "now")
    folder = tmp_path / "exports"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with storage.session() as session:
        done = write_file(session.get_sequence(path), to=to)
    assert list(folder.iterdir()) == [done.file.absolute()]
    if to == "zip":
        with zipfile.ZipFile(done.file) as archive:
            archive.extractall("unpacked")
        unpacked = HDF5StorageManager("unpacked", read_only=True, serializer=serializer())
        with unpacked.session() as session:
            [found] = session.sequences.get_contained_sequences(PureSequencePath.root())
            assert found.name == name
            assert session.get_sequence(found).to_arrays(["n"])["n"].tolist() == [1]
