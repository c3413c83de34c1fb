"""Times that no calendar has, and the clock that is shown."""

import re

import numpy as np
import pytest

from shotstore import StorageManager
from shotstore.testing.experiments import launch, path, record
from tests.shell import Shell


@pytest.fixture(autouse=True)
def _odd_times(store: StorageManager) -> None:
    """A sequence of shots that saw no time, one of the year 20260, and usual ones."""
    odd = path(r"\2026\odd")
    with store.session() as session:
        launch(session, odd)
        for index, text in enumerate(["NaT", "20260-01-01", "2026-11-22T12:00:00"]):
            seen = np.array(text, "M8[s]")
            record(session, odd, index, {"x": 1.0 * index}, {"n": 1.0, "seen": seen, "i": np.nan})
        record(session, odd, 3, {"x": 3.0}, {"n": 1.0})


def test_shots_as_json(shell: Shell) -> None:
    shots = shell.json("shots", "2026/odd")["shots"]
    assert [shot["seen"] for shot in shots] == [
        None,
        "20260-01-01T00:00:00.000000+00:00",
        "2026-11-22T12:00:00.000000+00:00",
        None,
    ]
    assert shots[0]["shot_start_time"] == "2026-11-22T12:00:00.250000+00:00"


def test_shots_as_a_table(shell: Shell) -> None:
    said = shell.run("shots", "2026/odd", "-c", "seen")
    assert shell.code == 0
    assert "20260-01-01T00:00:00.000000Z" in said
    rows = [line.split()[-1] for line in said.splitlines() if re.match(r" *[0-3] ", line)]
    assert rows[0] == rows[3] == "-"


def test_what_a_plot_cannot_show_is_one_line(shell: Shell) -> None:
    shell.run("plot", "2026/odd", "-t", "-x", "seen", "-y", "n")
    assert shell.error == (
        "shotstore: seen has the time 20260-01-01T00:00:00, and a plot knows the years 1 to 9999: "
        "choose other shots with a condition.\n"
    )
    shell.run("plot", "2026/odd", "-t", "-x", "x", "-y", "i")
    assert shell.error == (
        "shotstore: All values of i in \\2026\\odd are NaN: there is nothing to plot.\n"
    )
    said = shell.run("plot", "2026/odd", "-t", "-x", "seen", "-y", "n", "-w", "x = 2")
    assert shell.code == 0
    assert "seen (" in said


def test_a_condition_on_the_last_day_of_all(shell: Shell) -> None:
    shell.run("shots", "2026/odd", "-w", "seen > 9999-12-31T23:59:59-12:00")
    assert "is not a time" in shell.error
