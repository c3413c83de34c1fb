"""The benchmarks run, and say what they have measured. Nothing is said about how fast that was."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.exhaustive

ROOT = Path(__file__).parents[1]


def run(module: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout


def test_what_is_measured_is_in_a_table_a_file_and_a_picture(tmp_path: Path) -> None:
    works = "one_small_shot", "one_shot_with_frames", "state_of_one", "move_a_folder"
    places = "--directory", tmp_path, "--output", tmp_path / "results"
    table = run("benchmarks", "--only", *works, "--scale", 0.02, *places)
    for who in ("plain h5py", "SQLite", "PostgreSQL", "zarr", "moving one"):
        assert f"| {who}" in table
    results = json.loads((tmp_path / "results" / "results.json").read_text())
    assert [len(work["ratios"]) for work in results["works"]] == [2, 2, 1, 1]
    assert all(time > 0 for work in results["works"] for time in work["seconds"]["shotstore"])
    assert (tmp_path / "results" / "ratios.png").stat().st_size > 1000
    assert {path.name for path in tmp_path.iterdir()} == {"results"}


def test_works_that_compare_shotstore_with_itself_are_measured(tmp_path: Path) -> None:
    works = "beside_reading_threads", "follow_a_long_run"
    places = "--directory", tmp_path, "--output", tmp_path / "results"
    table = run("benchmarks", "--only", *works, "--scale", 0.01, *places)
    assert "| beside one thread" in table
    assert "| around shot 1,000" in table


def test_every_work_has_a_line_that_says_what_it_is() -> None:
    lines = run("benchmarks", "--list").splitlines()
    assert len(lines) == 27
    assert all(len(line.split(maxsplit=1)) == 2 for line in lines)


def test_the_parts_of_the_time_are_named(tmp_path: Path) -> None:
    found = run("benchmarks.phases", "--directory", tmp_path, "--scale", 0.02)
    assert found.count(" ms") == 6
    for part in ("syncing files", "writing rows through HDF5", "checking them"):
        assert f"  {part}\n" in found
    assert list(tmp_path.iterdir()) == []


def test_the_calls_of_each_kind_of_work_are_counted(tmp_path: Path) -> None:
    table, *functions = run("benchmarks.calls", "--directory", tmp_path, "--functions").split(
        "\n\n"
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert [row[0] for row in rows] == [
        *("a shot", "one label of a shot", "how far a run is", "a move of a folder")
    ]
    for (work, *counts), listed in zip(rows, functions, strict=True):
        calls, before_writing, functions_called, files = map(int, counts)
        assert calls >= functions_called >= files > 5
        changes_the_disk = work in ("a shot", "a move of a folder")
        assert before_writing < calls if changes_the_disk else before_writing == calls
        lines = listed.strip().splitlines()
        assert lines[0] == f"{work}:"
        assert len(lines) == functions_called + 1
        assert any("hdf5/storage.py" in line for line in lines)
    assert list(tmp_path.iterdir()) == []
