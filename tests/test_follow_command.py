"""The command `follow`, as a person types it."""

import io
import json
import math
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from shotstore import ExperimentSession, PureSequencePath, ShotId, Step
from shotstore.cli import live_table
from shotstore.cli.live_table import LiveTable
from shotstore.cli.shot_numbers import ShotNumbers
from shotstore.copy import copy_path
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    ExecuteShot,
    LinspaceLoop,
    StepsConfiguration,
    TimeLanes,
    VariableDeclaration,
    quantity,
)
from shotstore.session import following
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.testing import serializer
from shotstore.testing.experiments import (
    ERROR,
    MICROSECONDS,
    PATH,
    START,
    STOP,
    create,
    finish,
    launch,
    record,
)
from tests.shell import Shell

FRAME = np.arange(6, dtype="u2").reshape(2, 3)


@pytest.fixture
def shell(
    storage: HDF5StorageManager,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Shell:
    """A shell in the directory of a store with a running sequence of two shots."""
    with storage.session() as session:
        launch(session)
        for index in range(2):
            measured(session, index)
    monkeypatch.chdir(storage.root)
    monkeypatch.delenv("SHOTSTORE", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(capsys, monkeypatch)


def measured(session: ExperimentSession, index: int) -> None:
    """Record a shot with numbers, one of which is missing, and a frame."""
    record(
        session,
        index=index,
        parameters={"pulse.length": quantity(1.5 + index, "us"), "offset": 3},
        data={"counts": 10 * index, "contrast": math.nan if index else 0.25, "frame": FRAME},
    )


def end(storage: HDF5StorageManager) -> None:
    with storage.session() as session:
        finish(session)


def test_each_shot_is_a_line(shell: Shell, storage: HDF5StorageManager) -> None:
    end(storage)
    lines = shell.run("follow", "2026/rabi").splitlines()
    assert shell.code == 0
    assert [line.partition("  ")[2] for line in lines[:2]] == [
        f"shot 0  pulse.length = 1.5 {MICROSECONDS}  counts = 0  contrast = 0.25",
        f"shot 1  pulse.length = 2.5 {MICROSECONDS}  counts = 10  contrast = nan",
    ]
    assert lines[2:] == [r"\2026\rabi: finished, 2 shots"]


def test_data_with_the_name_of_a_parameter_is_told_from_it(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    with storage.session() as session:
        record(session, index=2, parameters={"power": quantity(1, "W")}, data={"power": 0.9})
        finish(session)
    line = shell.run("follow", "2026/rabi").splitlines()[2]
    assert line.partition("  ")[2] == "shot 2  power = 1 W  data.power = 0.9"
    _, titles, *rows = table_of(storage, 200)
    assert titles.split("power", 1)[1].split() == ["(W)", "data.power"]
    assert rows[-1].split()[-2:] == ["1", "0.9"]


def test_the_table_has_the_index_and_the_time_beside_data_that_is_called_so(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    assert shell.code == 0
    with storage.session() as session:
        record(session, index=2, data={"shot": 70, "time": 80})
        finish(session)
    _, titles, *rows = table_of(storage, 200)
    assert titles.split()[:2] == ["shot", "time"]
    assert {"data.shot", "data.time"} <= set(titles.split())
    assert rows[-1].split()[:2] == ["2", f"{START.astimezone() + timedelta(seconds=2):%H:%M:%S}"]
    assert rows[-1].split()[-2:] == ["70", "80"]


def test_each_shot_is_a_line_of_json(shell: Shell, storage: HDF5StorageManager) -> None:
    end(storage)
    _, last = map(json.loads, shell.run("follow", "2026/rabi", "--json").splitlines())
    assert last == {
        "sequence": r"\2026\rabi",
        "shot_index": 1,
        "attempt": 1,
        "start_time": "2026-11-22T12:00:01.250000+00:00",
        "end_time": "2026-11-22T12:00:01.750000+00:00",
        "parameters": {"pulse.length": 2.5, "offset": 3},
        "units": {"pulse.length": MICROSECONDS},
        "data": {"counts": 10, "contrast": None},
    }


def test_shots_that_come_while_it_runs_are_shown(
    shell: Shell, storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(poll: float) -> None:
        assert poll == 0.05
        with storage.session() as session:
            if len(session.sequences.get_shots(PATH)) == 2:
                measured(session, 5)
            else:
                session.sequences.set_crashed(PATH, ERROR, STOP)

    monkeypatch.setattr(following, "wait", wait)
    lines = shell.run("follow", "2026/rabi", "--new", "--poll", "0.05").splitlines()
    assert "shot 5" in lines[0]
    assert lines[1:] == [r"\2026\rabi: crashed, 3 shots", "RuntimeError: the laser is off"]
    assert shell.code == 0


def test_ctrl_c_ends_it_and_not_the_run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following, "wait", wait)
    assert shell.run("follow", "2026/rabi").splitlines()[2:] == [
        "Not followed any further; the run goes on."
    ]
    assert shell.code == 130


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
def test_ctrl_c_ends_a_real_process(shell: Shell, storage: HDF5StorageManager) -> None:
    assert shell.code == 0
    command = [sys.executable, "-m", "shotstore", "follow", "2026/rabi", "--json"]
    with subprocess.Popen(
        command, cwd=storage.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for _ in range(2):
            assert json.loads(process.stdout.readline())["sequence"] == str(PATH)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == ""


def test_what_cannot_be_followed_is_said(shell: Shell, storage: HDF5StorageManager) -> None:
    shell.run("follow", "2026/rab")
    assert shell.code == 1
    assert r"\2026\rab" in shell.error
    end(storage)
    file = storage.root / "sequences" / "2026"
    assert "shot 1" in shell.run("follow", "rabi", "--store", str(file))
    assert shell.code == 0


def test_a_database_is_followed(shell: Shell, storage: HDF5StorageManager, tmp_path: Path) -> None:
    end(storage)
    database = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"), serializer=serializer())
    database.upgrade()
    copy_path(PATH, storage, database)
    url = f"sqlite:///{tmp_path / 'runs.db'}"
    assert "shot 1" in shell.run("follow", "2026/rabi", "--store", url)


def test_a_shot_that_was_taken_again_is_a_further_line(
    shell: Shell, storage: HDF5StorageManager
) -> None:
    followed = storage.follow(PATH, poll=0)
    lines = [str(ShotNumbers.of(next(followed)).as_line()) for _ in range(2)]
    with storage.session() as session:
        session.sequences.create_shot(
            ShotId(PATH, 0), {"index": 7}, {"counts": 3}, START, START, replace=True
        )
    lines.append(str(ShotNumbers.of(next(followed)).as_line()))
    assert [line.split("  ")[1] for line in lines] == ["shot 0", "shot 1", "shot 0 (attempt 2)"]
    assert lines[-1].endswith("counts = 3")
    end(storage)
    found = map(json.loads, shell.run("follow", "2026/rabi", "--json").splitlines())
    assert [(shot["shot_index"], shot["attempt"]) for shot in found] == [(1, 1), (0, 2)]
    assert shell.run("follow", "2026/rabi", "--json", "--new") == ""


# The table of a terminal


def table_of(storage: HDF5StorageManager, width: int, path: PureSequencePath = PATH) -> list[str]:
    """The table when the run is shown to its end, in a terminal of this width."""
    table = LiveTable(path, storage, rows=3)
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    for shot in storage.follow(path):
        table.add(ShotNumbers.of(shot))
    with storage.session() as session:
        table.end(session.sequences.get_stats(path))
    with console.capture() as captured:
        console.print(table)
    return [line.rstrip() for line in captured.get().splitlines()]


def test_the_table_shows_the_newest_shots(shell: Shell, storage: HDF5StorageManager) -> None:
    assert shell.code == 0
    with storage.session() as session:
        for index in range(2, 6):
            measured(session, index)
        finish(session)
    header, titles, *rows = table_of(storage, 100)
    assert header.startswith(r"\2026\rabi  finished")
    assert "6/10 shots  1 min 40 s" in header
    assert titles.split() == ["shot", "time", "length", f"({MICROSECONDS})", "counts", "contrast"]
    assert [row.split()[0] for row in rows] == ["3", "4", "5"]
    assert rows[-1].split()[2:] == ["6.5", "50", "nan"]


@pytest.mark.parametrize("width", [20, 40, 60, 300])
def test_the_table_is_never_wider_than_the_terminal(
    shell: Shell, storage: HDF5StorageManager, width: int
) -> None:
    assert shell.code == 0
    long = PureSequencePath(r"\long")
    with storage.session() as session:
        create(session, long)
        session.sequences.set_preparing(long, {}, session.get_global_parameters())
        session.sequences.set_running(long, START)
        for index in range(2):
            session.sequences.create_shot(
                ShotId(long, index),
                {f"a{number}.value": number for number in range(10)},
                {"a text": "x" * 400 + "\x1b[31m", "shot": 1, "time": 2.0},
                START,
                STOP,
            )
        session.sequences.set_finished(long, STOP)
    lines = table_of(storage, width, long)
    assert all(len(line) <= width for line in lines)
    assert any(line.split()[:1] == ["1"] for line in lines)
    assert "\x1b" not in "".join(lines)


def test_a_narrow_table_keeps_what_is_varied(shell: Shell, storage: HDF5StorageManager) -> None:
    assert shell.code == 0
    narrow = PureSequencePath(r"\narrow")
    steps: list[Step] = [VariableDeclaration(f"set.number_{i}", str(i)) for i in range(5)]
    computed = VariableDeclaration("set.computed", "2 * zeeman.detuning")
    steps.append(LinspaceLoop("zeeman.detuning", "1", "2", 2, [computed, ExecuteShot()]))
    with storage.session() as session:
        session.sequences.create(narrow, StepsConfiguration(steps), TimeLanes.empty())
        session.sequences.set_preparing(narrow, {}, session.get_global_parameters())
        session.sequences.set_running(narrow, START)
        for index, parameters in enumerate(StepsConfiguration(steps).walk({})):
            session.sequences.create_shot(
                ShotId(narrow, index), parameters, {"atoms": 10 + index}, START, STOP
            )
        session.sequences.set_finished(narrow, STOP)
    [titles] = [line for line in table_of(storage, 40, narrow) if line.split()[0] == "shot"]
    assert titles.split() == ["shot", "time", "detuning", "atoms"]


def test_the_table_says_that_the_recorder_is_gone(
    storage: HDF5StorageManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_table, "_LOOK", 0)
    night = PureSequencePath(r"\night")
    run = storage.record(
        night, StepsConfiguration([LinspaceLoop("x", "0", "1", 6, [ExecuteShot()])])
    )
    table = LiveTable(night, storage, rows=3)
    console = Console(file=io.StringIO(), width=100, force_terminal=False)

    def header() -> str:
        with console.capture() as captured:
            console.print(table)
        return captured.get().splitlines()[0]

    run.__enter__()
    run.save(y=1)
    with storage.session() as session:
        table.add(ShotNumbers.of(session.get_sequence(night).get_shot(0)))
    assert header().endswith("left")
    with storage.session(write=True):  # its end cannot be recorded
        run.__exit__(SystemExit, SystemExit(), None)
    assert "running, recorder gone" in header()
    assert "left" not in header()
