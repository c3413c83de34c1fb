"""Results, tags and notes of shots: columns beside what was recorded, wherever columns are."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest

from shotstore import DataNotFoundError, InvalidConditionError, Sequence, StorageManager
from shotstore.analysis import plot
from shotstore.analysis.tables import as_table
from shotstore.analysis.tables.conditions import matching_rows
from shotstore.hdf5 import HDF5StorageManager
from shotstore.memory import InMemoryStorageManager
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing.experiments import PATH, finish, launch, record
from shotstore.testing.lab import serializer

mpl.use("agg")

FRAME = np.arange(12, dtype="u2").reshape(3, 4)


@pytest.fixture(params=["memory", "sqlite", "hdf5"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> StorageManager:
    """A storage with a run of four shots, of which three were fitted and one is bad."""
    found: StorageManager = InMemoryStorageManager(serializer=serializer())
    if request.param == "sqlite":
        found = SQLiteStorageManager(SQLiteConfig(tmp_path / "store.db"), serializer=serializer())
        found.upgrade()
    if request.param == "hdf5":
        found = HDF5StorageManager(tmp_path / "store", serializer=serializer())
    launch(found)
    for index in (2, 0, 3, 1):
        record(found, index=index, data={"counts": 10 * index})
    finish(found)
    with found.session() as session:
        sequence = session.get_sequence(PATH)
        images = np.stack([FRAME + index for index in (0, 1, 3)])
        sequence.set_results(
            {"shot_index": [0, 1, 3], "fraction": [0.0, 0.5, 0.25], "od": images, "n": [1, 2, 3]},
            by="a fit",
        )
        session.sequences.set_results(PATH, 3, {"fraction": 0.75, "comment": "broad"})
        sequence.get_shot(1).set_tags(["bad", "laser"])
        sequence.get_shot(3).set_note("The best.")
    return found


def rows(sequence: Sequence, where: str) -> list[int]:
    return [int(row) for row in matching_rows(as_table(sequence), where)]


def test_a_scan_has_them_as_columns(storage: StorageManager) -> None:
    with storage.session() as session:
        frame = session.get_sequence(PATH).scan().collect()
    assert frame["fraction"].to_list() == [0.0, 0.5, None, 0.75]
    assert frame["n"].to_list() == [1, 2, None, 3]
    assert frame["comment"].to_list() == [None, None, None, "broad"]
    assert frame["shot_tags"].to_list() == [None, "bad, laser", None, None]
    assert frame["shot_note"].to_list() == [None, None, None, "The best."]
    assert frame.schema["od"] == pl.Array(pl.UInt16, (3, 4))
    np.testing.assert_array_equal(frame["od"][3].to_numpy(), FRAME + 3)
    assert frame.columns[-6:] == ["fraction", "od", "n", "comment", "shot_tags", "shot_note"]


def test_a_scan_reads_only_the_results_that_are_asked_for(storage: StorageManager) -> None:
    frame = storage.scan(PATH).filter(pl.col("fraction") > 0.3).select("shot_index", "od")
    assert frame.collect()["shot_index"].to_list() == [1, 3]


def test_without_results_the_columns_are_those_of_the_shots(storage: StorageManager) -> None:
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        sequence.remove_results(["fraction", "od", "n", "comment"])
        for shot in sequence:
            shot.set_tags([])
        names = sequence.scan().collect_schema().names()
    assert "fraction" not in names
    assert "counts" in names


def test_arrays_frames_and_datasets_have_them(storage: StorageManager) -> None:
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        arrays = sequence.to_arrays()
        np.testing.assert_array_equal(arrays["fraction"], [0.0, 0.5, np.nan, 0.75])
        assert arrays["od"].shape == (4, 3, 4)
        assert sequence.to_arrays(["od"])["od"].shape == (4, 3, 4)
        assert sequence.to_pandas(["fraction"])["fraction"].tolist()[3] == 0.75
        assert sequence.to_xarray()["od"].dims == ("shot", "y", "x")


def test_a_label_of_the_name_of_an_earlier_result_wins(storage: StorageManager) -> None:
    launch(storage, path := PATH.parent / "other")  # type: ignore[operator]
    record(storage, path, 0)
    with storage.session() as session:
        session.sequences.set_results(path, 0, {"late": 1, "shot_index": 5})
    record(storage, path, 1, data={"late": 2})
    with storage.session() as session:
        sequence = session.get_sequence(path)
        frame = sequence.scan().collect()
        assert frame["late"].to_list() == [None, 2]
        assert frame["result.late"].to_list() == [1, None]
        assert frame["result.shot_index"].to_list() == [5, None]
        assert sequence.get_shot(0).get_results() == {"late": 1, "shot_index": 5}
        with pytest.raises(ValueError, match="'late' is a label"):
            session.sequences.set_results(path, 0, {"late": 3})


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("fraction > 0.3", [1, 3]),
        ("not fraction > 0.3", [0]),
        ("comment = broad", [3]),
        ("tag = bad", [1]),
        ("tag != bad", [0, 2, 3]),
        ("not tag = bad", [0, 2, 3]),
        ("not tag = bad and fraction >= 0", [0, 3]),
        ("tag = laser or n = 3", [1, 3]),
        ("tag = 'no such'", []),
    ],
)
def test_conditions_are_on_results_and_tags(
    storage: StorageManager, where: str, expected: list[int]
) -> None:
    with storage.session() as session:
        assert rows(session.get_sequence(PATH), where) == expected


def test_tags_have_no_order(storage: StorageManager) -> None:
    with storage.session() as session:
        with pytest.raises(InvalidConditionError, match="tag = bad"):
            rows(session.get_sequence(PATH), "tag < bad")
        with pytest.raises(DataNotFoundError, match="fraction"):
            rows(session.get_sequence(PATH), "fractoin > 1")


def test_plots_draw_them_and_leave_bad_shots_out(storage: StorageManager) -> None:
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        axes = sequence.plot("index", "fraction", where="not tag = bad")
        [line] = [line for line in axes.lines if np.size(line.get_xdata())]
        np.testing.assert_array_equal(np.asarray(line.get_xdata()), [0, 3])
        assert sequence.plot("index").get_ylabel() == "counts"
        assert sequence.plot_image("od").get_figure() is not None
        frame = sequence.scan().collect()
        assert plot(frame, "index", "fraction", where="tag = bad").get_ylabel() == "fraction"


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx", "nc", "npz"])
@pytest.mark.filterwarnings("ignore::shotstore.ExportWarning")
def test_exports_have_them(storage: StorageManager, tmp_path: Path, ending: str) -> None:
    with storage.session() as session:
        file = session.get_sequence(PATH).export(tmp_path / f"run.{ending}")
    if ending == "csv":
        frame = pl.read_csv(file)
    elif ending == "parquet":
        frame = pl.read_parquet(file)
    elif ending == "npz":
        found = np.load(file, allow_pickle=False)
        assert {"fraction", "od", "shot_tags"} <= set(found)
        return
    else:
        return
    assert frame["fraction"].to_list() == [0.0, 0.5, None, 0.75]
    assert frame["shot_tags"].to_list() == [None, "bad, laser", None, None]


def test_a_zip_file_has_them(storage: StorageManager, tmp_path: Path) -> None:
    import zipfile

    with storage.session() as session:
        file = session.get_sequence(PATH).export(tmp_path / "run.zip")
        expected = session.sequences.get_results(PATH)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "there")
    there = HDF5StorageManager(tmp_path / "there", read_only=True, serializer=serializer())
    with there.session() as session:
        [path] = session.sequences.get_contained_sequences("\\")
        found = session.sequences.get_results(path)
    assert found.keys() == expected.keys()
    assert found[3]["fraction"] == expected[3]["fraction"]


def test_scans_of_many_sequences_have_the_results_of_each(storage: StorageManager) -> None:
    other = PATH.parent / "zother"  # type: ignore[operator]
    launch(storage, other)
    record(storage, other, 0)
    with storage.session() as session:
        session.sequences.set_results(other, 0, {"width": 2.5})
    frame = storage.scan(PATH.parent or PATH).collect()
    assert frame["width"].to_list() == [None] * 4 + [2.5]
    assert frame["fraction"].to_list() == [0.0, 0.5, None, 0.75, None]
    assert frame["shot_tags"].to_list() == [None, "bad, laser", None, None, None]
