"""Several sequences at once: which are meant, and what one table of them holds."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import h5netcdf
import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from openpyxl import load_workbook

from shotstore import (
    DataNotFoundError,
    ExecuteShot,
    ExportError,
    ExportWarning,
    IncompatibleUnitsError,
    PathNotFoundError,
    PureSequencePath,
    StepsConfiguration,
    StorageManager,
    TransactionConflictError,
    ValuesLoop,
)
from shotstore.analysis.pictures.points import collect_points
from shotstore.analysis.runs import Runs
from shotstore.analysis.runs.table import RunsTable
from shotstore.model import Data, quantity
from shotstore.testing.experiments import START, create, finish, launch, path, record

MONDAY, TUESDAY = path(r"\2026\23\rabi"), path(r"\2026\24\rabi")
RAMSEY = path(r"\2026\24\ramsey")


@pytest.fixture
def lab(storage: StorageManager) -> StorageManager:
    """Three runs, whose hold time is in ms, in s, and in ms, and a draft beside them."""
    with storage.session() as session:
        create(session, path(r"\2026\24\draft"))
        for number, (at, unit, factor) in enumerate(
            [(TUESDAY, "s", 1), (MONDAY, "ms", 1000), (RAMSEY, "ms", 1000)]
        ):
            launch(session, at, shots=None)
            for index in (2, 0, 1):
                record(
                    session,
                    at,
                    index,
                    {"hold_time": quantity(factor * (index + 1), unit), "run": number},
                    {"atom_number": 100 * number + index, f"only_{at.name}": f"{index}"},
                )
            finish(session, at)
    return storage


def test_a_scan_takes_what_find_has_found(lab: StorageManager) -> None:
    table = lab.scan(lab.find("rabi")).collect()
    assert table["sequence"].unique(maintain_order=True).to_list() == [str(MONDAY), str(TUESDAY)]
    assert table["hold_time"].to_list() == [1000, 2000, 3000] * 2  # in ms, as the first has it


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (r"\2026\24", [TUESDAY, RAMSEY]),
        (path(r"\2026\24"), [TUESDAY, RAMSEY]),
        (r"\2026\*\rabi", [MONDAY, TUESDAY]),
        ("2026/*/ra*", [MONDAY, TUESDAY, RAMSEY]),
        ("rams?y", [RAMSEY]),
        ([RAMSEY, "2026/23/rabi", str(RAMSEY)], [MONDAY, RAMSEY]),
        ((r"\2026\23", r"\**\ramsey"), [MONDAY, RAMSEY]),
        ("\\", [MONDAY, TUESDAY, RAMSEY]),
    ],
)
def test_which_runs_are_meant(
    lab: StorageManager, asked: object, meant: list[PureSequencePath]
) -> None:
    table = lab.scan(asked).select("sequence").unique(maintain_order=True).collect()  # type: ignore[arg-type]
    assert table["sequence"].to_list() == list(map(str, meant))


def test_sequences_of_a_session_are_meant_too(lab: StorageManager) -> None:
    with lab.session() as session:
        runs = [session.get_sequence(RAMSEY), session.get_sequence(MONDAY)]
    assert lab.scan(runs).select(pl.len()).collect().item() == 6
    assert lab.scan(runs[0]).select(pl.len()).collect().item() == 3


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([], "the list of them is empty"),
        (r"\2026\*\rahmsey", r"No sequence matches '\\2026\\\*\\rahmsey'"),
        (r"\2027\*", "No sequence matches"),
        ([str(MONDAY), r"\2026\24\raby"], r"\\2026\\24\\raby does not exist"),
    ],
)
def test_no_run_is_said(lab: StorageManager, asked: object, says: str) -> None:
    with pytest.raises(PathNotFoundError, match=says):
        lab.scan(asked)  # type: ignore[arg-type]


def test_a_misspelt_path_is_told_the_closest_one(lab: StorageManager) -> None:
    with pytest.raises(PathNotFoundError) as caught:
        lab.scan([str(MONDAY), r"\2026\24\ramsy"])
    assert caught.value.__notes__ == [rf"The closest existing sequence is {RAMSEY}"]


@pytest.mark.parametrize("asked", [7, [MONDAY, 7], None, START])
def test_what_is_not_a_run_is_refused(lab: StorageManager, asked: object) -> None:
    with pytest.raises(TypeError, match="asked for by a path, a pattern"):
        lab.scan(asked)  # type: ignore[arg-type]


# plot


def legend(axes: Axes) -> list[str]:
    found = axes.get_legend()
    return [] if found is None else [text.get_text() for text in found.get_texts()]


def points(axes: Axes) -> list[tuple[list[float], list[float]]]:
    return [
        (np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist())
        for line in axes.lines
    ]


@pytest.mark.usefixtures("without_windows")
def test_each_run_has_its_colour_in_the_units_of_the_first(lab: StorageManager) -> None:
    axes = lab.plot(lab.find("rabi"), "hold_time", "atom_number")
    assert legend(axes) == [r"23\rabi", r"24\rabi"]
    assert points(axes) == [([1000, 2000, 3000], [100, 101, 102]), ([1000, 2000, 3000], [0, 1, 2])]
    assert axes.get_xlabel() == "hold_time (ms)"
    assert axes.get_title(loc="left") == r"2 sequences in \2026"
    axes = lab.plot([TUESDAY, RAMSEY], "hold_time", "atom_number", where="hold_time > 1.5 s")
    assert legend(axes) == ["rabi", "ramsey"]
    assert axes.get_xlabel() == "hold_time (s)"
    assert [x for x, _ in points(axes)] == [[2, 3], [2, 3]]
    late = (pl.col("hold_time") > 1.5) & pl.col("sequence").str.ends_with("ramsey")
    axes = lab.plot([TUESDAY, RAMSEY], "hold_time", "atom_number", where=late)
    assert [x for x, _ in points(axes)] == [[2, 3]]


@pytest.mark.usefixtures("without_windows")
def test_colours_may_tell_something_else(lab: StorageManager) -> None:
    axes = lab.plot(r"\2026", "hold_time", "atom_number", by="run")
    assert legend(axes) == ["run = 0", "run = 1", "run = 2"]
    scan = lab.scan(r"\2026\24")
    from shotstore.analysis import plot

    assert legend(plot(scan, "hold_time", "atom_number", by="sequence")) == ["rabi", "ramsey"]


@pytest.mark.usefixtures("without_windows")
def test_one_path_is_drawn_as_its_sequence(lab: StorageManager) -> None:
    axes = lab.plot(RAMSEY, "hold_time", "atom_number")
    assert legend(axes) == []
    assert axes.get_title(loc="left") == str(RAMSEY)


@pytest.mark.usefixtures("without_windows")
def test_twelve_runs_have_twelve_colours(storage: StorageManager) -> None:
    with storage.session() as session:
        for number in range(12):
            launch(session, path(rf"\night\{number:02}"), shots=None)
            record(session, path(rf"\night\{number:02}"), 0, {"x": 1}, {"y": number})
    axes = storage.plot("night", "x", "y")
    assert legend(axes) == [f"{number:02}" for number in range(12)]
    assert len({to_hex(line.get_color()) for line in axes.lines}) == 12


@pytest.mark.usefixtures("without_windows")
def test_a_legend_of_very_many_is_cut(storage: StorageManager) -> None:
    with storage.session() as session:
        for number in range(60):
            launch(session, path(rf"\night\{number:02}"), shots=None)
            record(session, path(rf"\night\{number:02}"), 0, {"x": 1}, {"y": number})
    axes = storage.plot("night", "x", "y")
    assert legend(axes) == [*(f"{number:02}" for number in range(43)), "and 17 more"]


@pytest.mark.usefixtures("without_windows")
def test_results_and_tags_of_several_runs(lab: StorageManager) -> None:
    with lab.session() as session:
        session.get_sequence(RAMSEY).get_shot(1).set_results({"fraction": 0.5}, by="fit")
        session.get_sequence(MONDAY).get_shot(0).add_tag("bad")
    good = "not tag = bad"
    axes = lab.plot([MONDAY, RAMSEY], "hold_time", "atom_number", where=good)
    assert [len(x) for x, _ in points(axes)] == [2, 3]
    axes = lab.plot(r"\2026", "hold_time", "fraction")
    assert legend(axes) == [r"24\ramsey"]
    assert axes.get_title(loc="left") == r"1 of 4 sequences in \2026"  # one is a draft
    assert lab.scan([TUESDAY, RAMSEY]).select("fraction").sum().collect().item() == 0.5


@pytest.mark.usefixtures("without_windows")
def test_by_default_it_is_what_all_of_them_vary(storage: StorageManager) -> None:
    for name, varied in (("a", "length"), ("b", "length"), ("c", "power")):
        recipe = StepsConfiguration([ValuesLoop(varied, [1, 2, 3], [ExecuteShot()])])
        with storage.record(f"\\{name}", recipe) as run:
            for index, _ in enumerate(run):
                run.save(y=index)
    axes = storage.plot(["a", "b"])
    assert axes.get_xlabel() == "length"
    with pytest.raises(DataNotFoundError, match=r"Say what to plot as x: there is sequence, .*"):
        storage.plot("\\")


@pytest.mark.parametrize(
    ("draw", "error", "says"),
    [
        (lambda lab: lab.plot([], "x", "y"), PathNotFoundError, "list of them is empty"),
        (
            lambda lab: lab.plot("rabi*", "hold_time", "atom_numbr"),
            DataNotFoundError,
            r"2 sequences in \\2026 has no column 'atom_numbr' \(did you mean 'atom_number'\?\)",
        ),
        (
            lambda lab: lab.plot(r"\2026\24", "hold_time", "atom_number", where="hold_time > 1 V"),
            ValueError,
            "hold_time is in s, and 1 V cannot be converted to that",
        ),
        (lambda lab: lab.plot(r"\2026\24\draft", "a", "b"), DataNotFoundError, "has no shots"),
        (lambda lab: lab.plot(r"\2026", "run", "atom_number", axes=1), TypeError, "axes must be"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    lab: StorageManager,
    draw: Callable[[StorageManager], object],
    error: type[Exception],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        draw(lab)


def test_folders_without_sequences_are_said(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\empty\folder"))
    with pytest.raises(DataNotFoundError, match="only empty folders"):
        storage.plot("empty", "x", "y")


def test_units_that_do_not_fit_name_both_runs(lab: StorageManager) -> None:
    with lab.session() as session:
        launch(session, path(r"\zeeman"), shots=None)
        record(session, path(r"\zeeman"), 0, {"hold_time": quantity(1, "V"), "run": 3})
    asked = [str(MONDAY), "zeeman"]
    with pytest.raises(IncompatibleUnitsError, match=r"in ms in .*23.rabi and in V in .zeeman"):
        lab.plot(asked, "hold_time", "run")
    assert len(collect_points(RunsTable.of(Runs.of(lab, asked)), "run", "run").curves) == 2


@pytest.mark.anyio
@pytest.mark.usefixtures("without_windows")
async def test_awaited_it_is_the_same(lab: StorageManager) -> None:
    axes = await lab.async_plot(r"\2026\*\rabi", "hold_time", "atom_number")
    assert points(axes) == points(lab.plot(r"\2026\*\rabi", "hold_time", "atom_number"))
    scan = await lab.async_scan(r"\2026\24")
    assert scan.collect().equals(lab.scan(r"\2026\24").collect())


# export


def test_every_format_of_tables_tells_the_runs_apart(lab: StorageManager, tmp_path: Path) -> None:
    columns = ["sequence", "shot_index", "hold_time"]
    files = {
        ending: lab.export(r"\2026", tmp_path / f"all.{ending}", columns=columns, where="run < 2")
        for ending in ("parquet", "nc", "npz")
    }
    parquet = pl.read_parquet(files["parquet"])
    assert pl.read_parquet_metadata(files["parquet"])["units"] == '{"hold_time": "ms"}'
    assert parquet.equals(lab.scan("rabi*").select(columns).collect())
    with h5netcdf.File(files["nc"]) as found:
        assert [text.decode() for text in found["sequence"][:]] == parquet["sequence"].to_list()
        assert found["hold_time"].attrs["units"] == "ms"
        assert "sequence" not in found.attrs
    with np.load(files["npz"]) as arrays:
        assert arrays["sequence"].tolist() == parquet["sequence"].to_list()
        assert arrays["hold_time"].tolist() == parquet["hold_time"].to_list()


def test_a_workbook_tells_what_each_run_is(lab: StorageManager, tmp_path: Path) -> None:
    with lab.session() as session:
        session.get_sequence(MONDAY).set_note("cold")
    book = load_workbook(lab.export(["rabi*", RAMSEY], tmp_path / "all.xlsx", where="run < 2"))
    assert book.sheetnames == ["shots", "sequences", "parameters"]
    header, *rows = book["sequences"].values
    found = [dict(zip(header, row, strict=True)) for row in rows]
    assert [row["path"] for row in found] == [str(MONDAY), str(TUESDAY), str(RAMSEY)]
    assert [row["shots in this file"] for row in found] == [3, 3, 0]
    assert found[0]["note"] == "cold"
    parameters = {row[0]: row[1:] for row in book["parameters"].values}
    assert parameters["hold_time"] == ("ms", 1000, 3000)
    assert book["shots"].max_row == 1 + 6


def test_what_is_left_out_is_warned_of(lab: StorageManager, tmp_path: Path) -> None:
    with lab.session() as session:
        launch(session, path(r"\frames"), shots=None)
        record(session, path(r"\frames"), 0, {}, {"frame": np.ones((2, 3))})
    with pytest.warns(ExportWarning, match="frame was left out"):
        lab.export(["frames", RAMSEY], tmp_path / "all.csv")


def test_pictures_are_of_one_sequence(lab: StorageManager, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="named after its shots"):
        lab.export("rabi*", tmp_path / "all", to="png")
    with zipfile.ZipFile(lab.export(RAMSEY, tmp_path / "one.zip")) as archive:
        assert archive.namelist() == ["ramsey/sequence.json", "ramsey/shots.h5"]


# The table of several runs


def test_rows_are_read_in_any_order(lab: StorageManager) -> None:
    table = RunsTable.of(Runs.of(lab, r"\2026"))
    everything = table.read(["sequence", "shot_index", "hold_time", "only_rabi"])
    rows = np.array([8, 0, 4, 3, 3])
    for name, found in table.read(list(everything), rows).items():
        assert found.values.tolist() == everything[name].values[rows].tolist()
        assert found.is_present.tolist() == everything[name].is_present[rows].tolist()
    assert everything["shot_index"].values.tolist() == [0, 1, 2] * 3
    assert everything["only_rabi"].is_present.tolist() == [True] * 6 + [False] * 3


def test_shots_that_come_later_are_not_in_it(storage: StorageManager) -> None:
    with storage.session() as session:
        for name in "ab":
            launch(session, path(f"\\{name}"), shots=None)
            data: dict[str, Data] = {"y": 5, "frame": np.ones((2, 3), "u2")}
            record(session, path(f"\\{name}"), 5, {"x": 5}, data)
    table = RunsTable.of(Runs.of(storage, "\\"))
    with storage.session() as session:
        record(session, path("\\a"), 1, {"x": 1}, {"y": "text", "frame": np.ones((4, 4), "u2")})
    found = table.read(["sequence", "shot_index", "x", "y", "frame"])
    assert [found[name].values.tolist() for name in ("shot_index", "x", "y")] == [[5, 5]] * 3
    assert found["frame"].values.tolist() == [[[1, 1, 1]] * 2] * 2
    with storage.session() as session:
        finish(session, path("\\b"))
        session.sequences.reset_to_draft(path("\\b"))
    with pytest.raises(TransactionConflictError, match=r"Sequence \\b was moved, deleted, reset"):
        table.read(["x"])


def test_arrays_of_other_shapes_and_types_are_kept(storage: StorageManager) -> None:
    values: dict[str, dict[str, Data]] = {
        "a": {"frame": np.ones((2, 3), "u2"), "trace": np.arange(3), "none": None, "odd": 1},
        "b": {"frame": np.ones((2, 3), "f4"), "trace": np.arange(4), "none": 2.5, "odd": "text"},
        "c": {"z": 1j, "time": np.array("2026-11-22T12:00", "M8[s]")},
    }
    with storage.session() as session:
        for name, data in values.items():
            launch(session, path(f"\\{name}"), shots=None)
            record(session, path(f"\\{name}"), 0, {}, data)
    table = RunsTable.of(Runs.of(storage, "\\"))
    kinds = {name: column.kind for name, column in table.columns.items()}
    assert kinds["frame"] == kinds["trace"] == "array"
    assert table.columns["frame"].dtype == np.float32
    assert table.columns["trace"].shape == (None,)
    assert (kinds["none"], kinds["odd"]) == ("number", "json")
    assert (kinds["z.real"], kinds["time"]) == ("number", "time")
    found = table.read(table.columns)
    assert found["frame"].values.shape == (3, 2, 3)
    assert [None if v is None else len(v) for v in found["trace"].values] == [3, 4, None]
    assert found["odd"].values.tolist() == [1, "text", None]
    assert found["none"].is_present.tolist() == [False, True, False]
    assert found["z.real"].is_present.tolist() == [False, False, True]
    assert np.isnat(found["time"].values[0])


def test_measured_units_are_those_of_the_first_run(storage: StorageManager) -> None:
    with storage.session() as session:
        for name, unit, factor in (("a", "ms", 1), ("b", "us", 1000)):
            launch(session, path(f"\\{name}"), shots=None)
            trace = quantity(np.full(2, 2 * factor, "i4"), unit)
            data: dict[str, Data] = {"width": quantity(3 * factor, unit), "trace": trace}
            record(session, path(f"\\{name}"), 0, {}, data)
        launch(session, path(r"\0"), shots=None)
        record(session, path(r"\0"), 0, {}, {"width": None, "trace": None})
    table = RunsTable.of(Runs.of(storage, "\\"))
    found = table.read(["width", "trace"])
    assert found["width"].values.tolist()[1:] == [3, 3]
    assert found["trace"].values.tolist()[1:] == [[2, 2]] * 2
    assert table.columns["trace"].units == "ms"
    scanned = storage.scan(["a", "b"]).collect()
    assert scanned["width"].to_list() == [3, 3]
    assert scanned["trace"].to_list() == [[2, 2]] * 2


def test_arrays_of_other_dimensions_are_exported_side_by_side(
    storage: StorageManager, tmp_path: Path
) -> None:
    values: list[Data] = [np.arange(3), np.ones((2, 2))]
    with storage.session() as session:
        for at, value in zip((MONDAY, TUESDAY), values, strict=True):
            launch(session, at, shots=1)
            record(session, at, 0, {}, {"x": value})
            finish(session, at)
    text = storage.export("\\", tmp_path / "x.csv").read_text()
    assert '"[0, 1, 2]"' in text
    assert '"[[1.0, 1.0], [1.0, 1.0]]"' in text
