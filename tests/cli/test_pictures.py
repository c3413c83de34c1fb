"""`plot` and `export`: pictures, and files for other programs."""

import csv
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from PIL import Image

from shotstore import StorageManager
from shotstore.analysis.exporting import FORMATS
from shotstore.cli import plot
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import quantity
from shotstore.testing.experiments import MICROSECONDS, SECOND, START, launch, path, record
from tests.cli.conftest import FRAME
from tests.shell import Shell

pytestmark = pytest.mark.usefixtures("store")

BRAILLE = re.compile("[\u2801-\u28ff]")


@pytest.fixture(autouse=True)
def _no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "_has_screen", lambda: False)


def made() -> list[Path]:
    """Everything in the directory but the store."""
    return [found for found in Path().iterdir() if not found.name.startswith("lab")]


def another(storage: StorageManager) -> None:
    """Record a second run, whose pulse is in another unit."""
    with storage.session() as session:
        launch(session, path(r"\2026\rabi 2"), None)
        for index in range(2):
            length = quantity(index + 1, "ms")
            record(session, path(r"\2026\rabi 2"), index, {"pulse.length": length}, {"atoms": 7})


# plot


@pytest.mark.parametrize("ending", ["png", "pdf", "svg"])
def test_a_plot_is_written_to_a_file(shell: Shell, ending: str) -> None:
    file = Path(f"plot.{ending}")
    arguments = ("plot", "2026/rabi", "--x", "length", "--y", "atoms", "-o", str(file))
    assert shell.run(*arguments) == f"Drew {file}.\n"
    assert shell.code == 0
    beginning = {"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[ending]
    assert file.read_bytes().startswith(beginning)
    shell.run(*arguments)
    assert shell.code == 1
    assert "plot." in shell.error
    assert "--force" in shell.error
    shell.run(*arguments, "--force")
    assert shell.code == 0


def test_frames_are_drawn_to_a_file(shell: Shell) -> None:
    shell.run("plot", "2026/rabi", "--image", "frame", "-o", "sheet.png")
    shell.run("plot", "2026/rabi", "--image", "frame", "--mean", "-o", "mean.png")
    for name in ("sheet.png", "mean.png"):
        with Image.open(name) as image:
            assert len(set(image.convert("L").get_flattened_data())) > 10


def test_a_plot_in_the_terminal(shell: Shell) -> None:
    said = shell.run("plot", "2026/rabi", "--terminal")
    assert shell.code == 0
    assert "\\2026\\rabi" in said
    assert f"pulse.length ({MICROSECONDS})" in said
    assert "atoms" in said
    # Three points, the highest at the right.
    rows = [row for row in said.splitlines() if BRAILLE.search(row)]
    places = [row.index(BRAILLE.findall(row)[0]) for row in rows]
    assert places == sorted(places, reverse=True)
    assert "3000" in said


def test_colours_and_times_in_the_terminal(shell: Shell) -> None:
    said = shell.run(
        *("plot", "2026/rabi", "-t", "-x", "shot_start_time", "-y", "atoms", "--by", "length")
    )
    assert f"● pulse.length = 2.5 {MICROSECONDS}" in said
    began = START.astimezone()
    assert f"{began + SECOND:%H:%M:%S}" in said
    assert f"shot_start_time ({began.tzname()})" in said


def test_frames_in_the_terminal(shell: Shell) -> None:
    said = shell.run("plot", "2026/rabi", "--image", "frame", "--mean", "--terminal")
    assert "mean of frame (3 shots)" in said
    assert "dark: " in said
    lines = said.splitlines()[2:-1]
    assert [len(line) for line in lines] == [FRAME.shape[1]] * 2
    assert lines[-1].endswith("@")
    said = shell.run("plot", "2026/rabi", "--image", "frame", "--terminal")
    assert f"1 {MICROSECONDS} 2.5  4 {MICROSECONDS}" in said


def test_without_a_screen_it_is_the_terminal_and_said(shell: Shell) -> None:
    assert BRAILLE.search(shell.run("plot", "2026/rabi"))
    assert shell.error == "No screen was found: --output FILE writes a picture.\n"


def test_with_a_screen_a_window_opens(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(plot, "_has_screen", lambda: True)
    monkeypatch.setattr(pyplot, "show", lambda: shown.append(pyplot.gca().get_xlabel()))
    with mpl.rc_context({"backend": "agg"}):
        assert shell.run("plot", "2026/rabi") == ""
        pyplot.close("all")
    assert shown == [f"pulse.length ({MICROSECONDS})"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("2026/rabi", "-y", "atom"), "did you mean 'atoms'"),
        (("2026/rabi", "-y", "frame"), "--image frame draws it"),
        (("2026/rabi", "--image", "atoms"), "frame can be drawn"),
        (
            ("2026/rabi", "-w", "length > 5"),
            f"pulse.length is in {MICROSECONDS}: write 5 {MICROSECONDS}",
        ),
        (("2026/rabi", "-o", "plot.xyz"), r"plot\.xyz is not named as a picture"),
        (("2026/rabi", "-o", "nowhere/plot.png"), "nowhere does not exist"),
        # Where it goes is checked before anything is read.
        (("2026/raby", "-o", "nowhere/plot.png"), "nowhere does not exist"),
        (("2026/raby", "-o", ".", "--force"), r"\. is a directory, not a file: name a file in it"),
        (("2026", "--image", "frame"), "name only one"),
        (("2026/rabi", "2026/raby"), r"closest one is \\2026\\rabi"),
        (("2027/*",), r"No sequence matches '\\2027\\\*'"),
        (("2026/raby",), r"closest one is \\2026\\rabi"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    shell: Shell, arguments: tuple[str, ...], message: str
) -> None:
    assert shell.run("plot", *arguments) == ""
    assert shell.code == 1
    assert shell.error.startswith("shotstore: ")
    assert shell.error.count("\n") == 1
    assert re.search(message, shell.error)
    assert not made()


def test_where_no_label_is_a_number_the_frames_are_offered(
    shell: Shell, store: StorageManager
) -> None:
    with store.session() as session:
        launch(session, path(r"\frames"), shots=1)
        record(session, path(r"\frames"), 0, {"x": 1}, {"picture": FRAME})
    shell.run("plot", "frames", "-x", "x")
    assert shell.code == 1
    assert "No label of \\frames is a number" in shell.error
    assert shell.error.endswith(": --image picture draws its frames.\n")


@pytest.mark.parametrize(
    "arguments", [("--mean",), ("--image", "frame", "-x", "length"), ("--image",)]
)
def test_options_that_do_not_fit(shell: Shell, arguments: tuple[str, ...]) -> None:
    shell.run("plot", "2026/rabi", *arguments)
    assert shell.code == 2


@pytest.mark.parametrize("how", [(), ("-o", "x.png"), ("--image", "frame"), ("-t",)])
def test_where_nothing_is_selected_nothing_is_drawn(shell: Shell, how: tuple[str, ...]) -> None:
    assert shell.run("plot", "2026/rabi", "-w", "length > 5 us", *how) == ""
    assert shell.error == "No shot meets the condition: there is nothing to draw.\n"
    assert shell.code == 0
    shell.run("plot", "drafts/later", *how)
    assert (shell.error, shell.code) == ("There are no shots: there is nothing to draw.\n", 0)
    assert not made()


def test_several_sequences_are_drawn_each_in_its_colour(
    shell: Shell, store: StorageManager
) -> None:
    another(store)
    said = shell.run("plot", "2026/rabi", "2026/rabi 2", "-t", "-x", "length", "-y", "atoms")
    assert said.startswith("2 sequences in \\2026\n")
    assert said.endswith("● rabi\n● rabi 2\n")
    assert shell.run("plot", "2026/rabi*", "-t", "-x", "length", "-y", "atoms") == said
    shell.run("plot", "2026", "-x", "length", "-y", "atoms", "--by", "atoms", "-o", "all.png")
    assert Path("all.png").exists()


# export


def test_several_sequences_are_one_table(shell: Shell, store: StorageManager) -> None:
    another(store)
    arguments = ("2026/rabi", "2026/rabi 2", "-c", "sequence,shot_index,length")
    assert shell.run("export", *arguments, "-o", "both.csv").startswith("Wrote ")
    with Path("both.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["sequence"] for row in rows} == {r"\2026\rabi", r"\2026\rabi 2"}
    assert rows[-1][f"pulse.length ({MICROSECONDS})"] == "2000.0"
    shell.run("export", *arguments, "--to", "csv")
    assert (shell.code, "Pass --output:" in shell.error) == (1, True)
    shell.run("export", "2026", "-o", "all.zip")
    assert (shell.code, "A zip file is of one sequence" in shell.error) == (1, True)


@pytest.mark.parametrize("to", ["csv", "parquet"])
def test_an_export_to_the_standard_output_is_the_file(shell: Shell, to: str) -> None:
    command = ["shotstore", "export", "2026/rabi", "--to", to]
    done = subprocess.run(
        [sys.executable, "-m", *command, "-o", "-"], check=True, capture_output=True
    )
    assert not made()
    assert (b"Without frame" in done.stderr) is (to == "csv")
    shell.run(*command[1:])
    [file] = made()
    assert done.stdout == file.read_bytes()


@pytest.mark.parametrize("how", [(), ("--to", "png"), ("--to", "csv", "--json")])
def test_what_the_standard_output_cannot_take(shell: Shell, how: tuple[str, ...]) -> None:
    assert shell.run("export", "2026/rabi", "-o", "-", *how) == ""
    assert shell.code == 2
    assert "--to csv" in shell.error
    assert not made()


@pytest.mark.parametrize("to", ["csv", "parquet", "xlsx", "netcdf", "npz", "png", "zip"])
def test_a_sequence_is_exported(shell: Shell, to: str) -> None:
    said = shell.run("export", "2026/rabi", "--to", to)
    assert shell.code == 0
    [new] = made()
    assert said.startswith(f"Wrote 3 shots to {new}")
    assert new.stem in ("rabi", "rabi_frames")
    assert ("Without frame" in said) is (to in ("csv", "xlsx"))
    shell.run("export", "2026/rabi", "--to", to)
    assert shell.code == 1
    assert "--force" in shell.error
    shell.run("export", "2026/rabi", "--to", to, "--force")
    assert shell.code == 0


def test_the_ending_tells_the_format(shell: Shell) -> None:
    shell.run("export", "/2026/rabi", "-o", "x.csv", "-c", "length, atoms", "-w", "length > 2 us")
    with Path("x.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert rows == [
        [f"pulse.length ({MICROSECONDS})", "atoms"],
        ["2.5", "2000.0"],
        ["4.0", "3000.0"],
    ]


def test_what_was_written_as_json(shell: Shell) -> None:
    done = shell.json("export", "2026/rabi", "-o", "x.npz", "-c", "frame")
    size = Path("x.npz").stat().st_size
    assert done == {
        "file": "x.npz",
        "format": "npz",
        "shots": 3,
        "columns": ["frame"],
        "left_out": [],
        "changes": {},
        "size": size,
    }
    with np.load("x.npz") as arrays:
        np.testing.assert_array_equal(arrays["frame"][2], FRAME + 2)


def test_what_was_changed_is_said(store: StorageManager, shell: Shell) -> None:
    named = path(r"\2026\new names")
    with store.session() as session:
        launch(session, named)
        record(session, named, parameters={}, data={"shot": 3, "a/b": 2**60 + 1})
    said = shell.run("export", "2026/new names", "-o", "run.nc")
    assert said.splitlines()[1:] == [
        "shot is called 'data.shot' there.",
        "a/b is called 'a_b' there.",
    ]
    done = shell.json("export", "2026/new names", "-o", "run.csv")
    assert done["changes"] == {}


def test_an_unpacked_zip_file_opens(shell: Shell) -> None:
    shell.run("export", "2026/rabi", "-o", "rabi.zip")
    with zipfile.ZipFile("rabi.zip") as archive:
        archive.extractall("laptop")
    with HDF5StorageManager("laptop", read_only=True).session() as session:
        assert len(session.get_sequence(path(r"\rabi"))) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ((), 2, "in which format"),
        (("--to", "doc"), 2, "doc"),
        (("-o", "run.doc"), 1, "does not tell the format"),
        (("-o", "run.csv", "-c", "frame"), 1, "frame holds arrays of shape"),
        (("-o", "run.csv", "-c", "nothing"), 1, "no column 'nothing'"),
        (("-o", "run.csv", "--raw"), 1, "Only png files"),
        (("-o", "nowhere/run.csv"), 1, "nowhere does not exist"),
        (("-o", "nowhere/run.csv", "-c", "nothing"), 1, "nowhere does not exist"),
        (("--to", "csv", "-o", ".", "--force"), 1, ". is a directory, not a file"),
        (("-o", "p.png"), 1, "--to png -o p."),
        (("-o", "run.nc", "--to", "csv"), 1, "ending of netcdf, and csv is asked for"),
    ],
)
def test_what_cannot_be_exported(
    shell: Shell, arguments: tuple[str, ...], code: int, message: str
) -> None:
    shell.run("export", "2026/rabi", *arguments)
    assert shell.code == code
    assert message in shell.error
    assert not made()


@pytest.mark.parametrize(
    ("package", "arguments"),
    [
        ("xlsxwriter", ("export", "2026/rabi", "--to", "xlsx")),
        ("h5netcdf", ("export", "2026/rabi", "--to", "netcdf")),
        ("matplotlib", ("plot", "2026/rabi", "-o", "x.png")),
    ],
)
def test_a_missing_package_is_named(
    shell: Shell,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    arguments: tuple[str, ...],
) -> None:
    loaded = [name for name in sys.modules if name.startswith(f"{package}.")]
    for name in (package, *loaded):
        monkeypatch.setitem(sys.modules, name, None)
    shell.run(*arguments)
    assert shell.code == 1
    assert f'"{package}>=' in shell.error.partition(": pip install ")[2]
    assert shell.error.count("\n") == 1


def test_every_format_of_export_is_offered(shell: Shell) -> None:
    shell.run("export", "2026/rabi", "--to", "nothing")
    assert shell.code == 2
    assert [name for name in re.findall(r"'(\w+)'", shell.error) if name != "nothing"] == [*FORMATS]
