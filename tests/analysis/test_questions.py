"""What physicists ask of a lab of 2,000 runs is one line, in Python and in a shell.

Each answer is the right one, the same in both ways, and takes reading no more than it needs.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from shotstore import ExperimentSession, ExportWarning, PureSequencePath, Sequence, State
from shotstore.hdf5 import HDF5StorageManager
from shotstore.hdf5.names import SEQUENCE_DOCUMENT
from shotstore.model import ExecuteShot, LinspaceLoop, StepsConfiguration, quantity
from shotstore.testing.experiments import ERROR, TIME_LANES, record
from tests.analysis.conftest import Reading
from tests.shell import Shell

pytestmark = pytest.mark.exhaustive

RUNS = 2000
SHOTS = 20_000
"""Of the long run"""
LONG = PureSequencePath(r"\2026\long run")
FRAME = np.arange(48 * 64, dtype="u2").reshape(48, 64)  # 6 KiB
DETUNINGS = np.linspace(-10, 10, 21)
TABLES = 64 * SHOTS + 200_000
"""Bytes: more than all parameters and numbers of the long run take; all of it is 120 MB."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> HDF5StorageManager:
    """Runs of some months, and a long one."""
    storage = HDF5StorageManager(tmp_path_factory.mktemp("questions") / "lab")
    now = datetime.now(UTC)
    for varied in ("detuning", "hold_time"):
        for state in (State.FINISHED, State.CRASHED):
            for weeks in range(5):
                with storage.session() as session:
                    record_run(session, varied, state, now - timedelta(weeks=weeks))
    multiply(storage, RUNS)
    with storage.session() as session:
        record_long_run(session, now)
    return storage


def record_run(session: ExperimentSession, varied: str, state: State, begin: datetime) -> None:
    path = PureSequencePath(rf"\runs\{varied}, {state.value}, {begin:%Y-%m-%d}\1")
    unit = {"detuning": "MHz", "hold_time": "ms"}[varied]
    loop = LinspaceLoop(varied, f"-10 {unit}", f"10 {unit}", 21, [ExecuteShot()])
    session.sequences.create(path, StepsConfiguration([loop]), TIME_LANES)
    session.sequences.set_preparing(path, {}, session.get_global_parameters())
    session.sequences.set_running(path, begin)
    for index in range(3):
        record(session, path, index, {varied: quantity(DETUNINGS[index], unit)}, {"atoms": FRAME})
    if state is State.FINISHED:
        session.sequences.set_finished(path, begin + timedelta(minutes=1))
    else:
        session.sequences.set_crashed(path, ERROR, begin + timedelta(minutes=1))


def multiply(storage: HDF5StorageManager, number: int) -> None:
    """Copy the runs on the disk, which is faster than to record them, until there are so many."""
    runs = sorted((storage.root / "sequences").rglob(SEQUENCE_DOCUMENT))
    for copy in range(2, number // len(runs) + 1):
        for run in runs:
            shutil.copytree(run.parent, run.parent.parent / f"{copy}")


def record_long_run(session: ExperimentSession, begin: datetime) -> None:
    """A run whose atom number depends on the detuning, with a frame that tells its shot."""
    loops = [LinspaceLoop("detuning", "-10 MHz", "10 MHz", 21, [ExecuteShot()])]
    repeated = LinspaceLoop("repetition", "1", str(SHOTS // 21 + 1), SHOTS // 21 + 1, loops)
    session.sequences.create(LONG, StepsConfiguration([repeated]), TIME_LANES)
    session.sequences.set_preparing(LONG, {}, session.get_global_parameters())
    session.sequences.set_running(LONG, begin)
    for index in range(SHOTS):
        detuning = DETUNINGS[index % 21]
        record(
            session,
            LONG,
            index,
            {
                "detuning": quantity(detuning, "MHz"),
                "hold_time": quantity(index % 7 * 0.5, "s"),
                "repetition": 1 + index // 21,
            },
            {
                "atoms": FRAME + np.uint16(index % 100),
                "atom_number": 1e5 / (1 + (detuning / 3) ** 2),
            },
        )
    session.sequences.set_finished(LONG, "now")


@pytest.fixture(autouse=True)
def on_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")


@pytest.fixture
def shell(
    lab: HDF5StorageManager, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A shell in the lab."""
    monkeypatch.chdir(lab.root)
    monkeypatch.delenv("SHOTSTORE", raising=False)
    return Shell(capsys, monkeypatch)


# Which runs last week varied the detuning and finished?


def test_which_runs_varied_the_detuning_and_finished_last_week(
    lab: HDF5StorageManager, shell: Shell, reading: Reading
) -> None:
    with reading() as read:
        found = lab.find(varied="detuning", state="finished", since="last week", until="last week")
    assert read.files == 0
    assert len(found) == RUNS // 20
    assert all("detuning, finished" in str(run.path) for run in found)
    with reading() as read:
        printed = shell.run(
            *("find", "--varied", "detuning", "--state", "finished", "--paths"),
            *("--since", "last week", "--until", "last week"),
        )
    assert read.files == 0
    assert printed.split("\n")[:-1] == [str(run.path) for run in found]


# Plot atom number against hold time


def test_atom_number_against_hold_time(
    lab: HDF5StorageManager, shell: Shell, reading: Reading, tmp_path: Path
) -> None:
    with reading() as read, lab.session() as session:
        axes = Sequence(LONG, session).plot("hold_time", "atom_number")
    assert read.count < TABLES
    [shots, *_] = axes.lines
    assert np.size(shots.get_xdata()) == SHOTS
    assert axes.get_xlabel() == "hold_time (s)"
    picture = tmp_path / "atoms.png"
    with reading() as read:
        shell.run(
            *("plot", "2026/long run", "--x", "hold_time", "--y", "atom_number"),
            *("--output", str(picture)),
        )
    assert shell.code == 0, shell.error
    assert read.count < TABLES
    with Image.open(picture) as image:
        assert image.width > 400


# The mean image of shots with detuning > 5 MHz


def test_the_mean_image_of_some_shots(
    lab: HDF5StorageManager, shell: Shell, reading: Reading, tmp_path: Path
) -> None:
    matching = [index for index in range(SHOTS) if DETUNINGS[index % 21] > 5]
    expected = np.mean([FRAME + index % 100 for index in matching], axis=0)
    needed = len(matching) * FRAME.nbytes
    with reading() as read:
        frames = lab.scan(LONG).filter(pl.col("detuning") > 5).select("atoms").collect()
    np.testing.assert_allclose(frames["atoms"].to_numpy().mean(axis=0), expected)
    assert needed <= read.count < 1.1 * needed + TABLES
    with reading() as read, lab.session() as session:
        axes = Sequence(LONG, session).plot_image("atoms", mean=True, where="detuning > 5 MHz")
    [image] = axes.images
    np.testing.assert_allclose(np.asarray(image.get_array()), expected)
    assert needed <= read.count < 1.1 * needed + TABLES
    picture = tmp_path / "mean.png"
    with reading() as read:
        shell.run(
            *("plot", "2026/long run", "--image", "atoms", "--mean"),
            *("--where", "detuning > 5 MHz", "--output", str(picture)),
        )
    assert shell.code == 0, shell.error
    assert needed <= read.count < 1.1 * needed + TABLES
    with Image.open(picture) as drawn:
        assert drawn.width > 400


# Give me that as CSV


def test_that_as_csv(
    lab: HDF5StorageManager, shell: Shell, reading: Reading, tmp_path: Path
) -> None:
    matching = [index for index in range(SHOTS) if DETUNINGS[index % 21] > 5]
    file, same = tmp_path / "python.csv", tmp_path / "shell.csv"
    with (
        reading() as read,
        lab.session() as session,
        pytest.warns(ExportWarning, match="atoms was left out"),
    ):
        Sequence(LONG, session).export(file, where="detuning > 5 MHz")
    assert read.count < TABLES
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) >= 1 + len(matching)
    assert "detuning" in lines[0]
    assert "atom_number" in lines[0]
    with reading() as read:
        shell.run(
            *("export", "2026/long run", "--to", "csv", "--output", str(same)),
            *("--where", "detuning > 5 MHz"),
        )
    assert shell.code == 0, shell.error
    assert read.count < TABLES
    assert same.read_bytes() == file.read_bytes()
