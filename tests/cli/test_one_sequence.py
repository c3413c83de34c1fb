"""`show` and `shots`: one sequence, and its shots."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from shotstore import State, StorageManager
from shotstore.hdf5 import HDF5StorageManager
from shotstore.model import (
    ExecuteShot,
    LinspaceLoop,
    OpenEnded,
    Parameter,
    ParameterNamespace,
    StepsConfiguration,
    VariableDeclaration,
    quantity,
)
from shotstore.testing.experiments import (
    ERROR,
    MICROSECONDS,
    START,
    STOP,
    TIME_LANES,
    bring_to,
    create,
    launch,
    path,
    record,
    relaunch,
)
from tests.shell import Shell

TIME = f"{START.astimezone():%Y-%m-%d %H:%M:%S}"


# show


@pytest.mark.usefixtures("store")
def test_a_sequence_is_shown(shell: Shell) -> None:
    said = shell.run("show", "2026/rabi")
    first, *lines = said.splitlines()
    assert first == "\\2026\\rabi  finished"
    facts = dict(line.split("  ", 1) for line in lines[: lines.index("")])
    assert facts["shots"].strip() == "3 shots"
    assert facts["started"].strip() == TIME
    assert facts["ended"].endswith("after 1 min 40 s")
    assert facts["tags"].strip() == "thesis"
    assert facts["devices"].strip() == "camera (CameraConfiguration)"
    assert "Note\nthe good one\nof many\n" in said
    assert "Varied\n  pulse.length  1 us to 4 us (3 values)\n" in said
    assert "The same in all shots\n  offset  2 MHz\n" in said
    assert "  frame   uint16, 3 x 4\n  atoms   float\n  camera  text\n" in said
    assert shell.code == 0


def test_it_is_said_where_the_files_lie(shell: Shell, lab: HDF5StorageManager) -> None:
    place = lab.root / "sequences" / "2026" / "rabi"
    assert str(place) in shell.run("show", "2026/rabi")
    found = shell.json("show", "2026/rabi")
    assert found["directory"] == str(place)
    assert found["files"] == {
        name: (place / name).stat().st_size for name in ("sequence.json", "shots.h5")
    }


@pytest.mark.usefixtures("store")
def test_an_error_is_shown_with_its_chain(shell: Shell) -> None:
    said = shell.run("show", "2026/11/ramsey")
    assert said.endswith(f"Error\n{ERROR}\n")
    assert shell.json("show", "2026/11/ramsey")["traceback"] == str(ERROR)


@pytest.mark.usefixtures("store")
def test_a_draft_and_a_running_sequence_are_shown(shell: Shell) -> None:
    draft = shell.run("show", "drafts/later")
    assert "0 of 10 shots" in draft
    assert "pulse.length  1 us to 4 us (10 values)" in draft
    live = shell.run("show", "2026/12/live")
    assert "1 of 10 shots, about " in live
    assert " ago\n" in live


def test_the_interruptions_of_a_resumed_sequence_are_shown(
    shell: Shell, store: StorageManager
) -> None:
    with store.session() as session:
        session.sequences.resume(path(r"\2026\11\ramsey"), STOP + timedelta(hours=8))
    said = shell.run("show", "2026/11/ramsey")
    [line] = [line for line in said.splitlines() if line.startswith("interrupted")]
    assert " until " in line
    assert line.endswith(f"({ERROR.headline})")
    found = shell.json("show", "2026/11/ramsey")
    assert (found["state"], found["stop_time"], found["traceback"]) == ("running", None, None)
    assert found["interruptions"] == [
        {
            "state": "crashed",
            "stop_time": STOP.isoformat(),
            "resume_time": (STOP + timedelta(hours=8)).isoformat(),
            "traceback": str(ERROR),
        }
    ]


def test_the_time_that_is_left_does_not_count_interruptions(
    shell: Shell, store: StorageManager
) -> None:
    place, now = path(r"\odd"), datetime.now(UTC)
    with store.session() as session:
        create(session, place)
        session.sequences.set_preparing(place, {}, ParameterNamespace.empty())
        session.sequences.set_running(place, now - timedelta(hours=9))
        for index in range(5):
            record(session, place, index)
        session.sequences.set_interrupted(place, now - timedelta(hours=8))
        session.sequences.resume(place, now)
    assert "5 of 10 shots, about 1 h left" in shell.run("show", "odd")


def test_an_open_ended_run_is_shown(shell: Shell, store: StorageManager) -> None:
    place = path(r"\odd")
    with store.session() as session:
        session.sequences.create(place, OpenEnded(), TIME_LANES)
        relaunch(session, place)
        record(session, place, 3)
    assert "shots    1 shot\n" in shell.run("show", "odd")
    assert shell.json("show", "odd")["expected_number_of_shots"] is None


def test_values_that_are_not_those_of_the_recipe_are_shown(
    shell: Shell, store: StorageManager
) -> None:
    place = path(r"\odd")
    with store.session() as session:
        launch(session, place, shots=3)
        record(session, place, 0, {"pulse.length": quantity(1, "us"), "other": 1.5}, {})
        record(session, place, 1, {"pulse.length": quantity(2, "us"), "other": math.nan}, {})
        record(session, place, 2, {"other": 2**70}, {"array": np.zeros((0, 2)), "none": None})
    said = shell.run("show", "odd")
    in_the_shots = f"in the shots 1 to 2 {MICROSECONDS} (2 values) (in 2 of 3 shots)"
    assert f"pulse.length  1 us to 4 us (3 values); {in_the_shots}" in said
    assert "array  float64, any x 2" in said
    found = shell.json("show", "odd")["parameters"]["pulse.length"]
    assert found == {
        "low": 1,
        "high": 2,
        "count": 2,
        "units": MICROSECONDS,
        "in_shots": 2,
        "of_shots": 3,
        "texts": [],
    }
    assert shell.json("shots", "odd")["shots"][1]["other"] is None


def test_of_what_is_computed_the_values_are_shown(shell: Shell, store: StorageManager) -> None:
    loop = LinspaceLoop(
        "x", "1 MHz", "3 MHz", 3, [VariableDeclaration("y", "2 * x"), ExecuteShot()]
    )
    recipe = StepsConfiguration([loop])
    with store.session() as session:
        session.sequences.create(path(r"\odd"), recipe, TIME_LANES)
        session.sequences.set_preparing(path(r"\odd"), {}, ParameterNamespace.empty())
        session.sequences.set_running(path(r"\odd"), START)
        for index, parameters in enumerate(recipe.walk({})):
            record(session, path(r"\odd"), index, parameters, {})
    said = shell.run("show", "odd")
    assert "  x  1 MHz to 3 MHz (3 values)\n  y  2 to 6 MHz (3 values): 2 * x\n" in said


def test_a_parameter_named_as_a_column_of_all_shots_is_shown_once(
    shell: Shell, store: StorageManager
) -> None:
    recipe = StepsConfiguration([LinspaceLoop("sequence", "1 s", "2 s", 2, [ExecuteShot()])])
    with store.session() as session:
        session.sequences.create(path(r"\odd"), recipe, TIME_LANES)
        session.sequences.set_preparing(path(r"\odd"), {}, ParameterNamespace.empty())
        session.sequences.set_running(path(r"\odd"), START)
        for index, parameters in enumerate(recipe.walk({})):
            record(session, path(r"\odd"), index, parameters, {"n": index})
    said = shell.run("show", "odd")
    assert "Varied\n  sequence  1 s to 2 s (2 values)\n\nData" in said
    assert "parameter.sequence (s)" in shell.run("plot", "odd", "--terminal")


def test_what_one_shot_has_is_not_called_the_same_in_all(
    shell: Shell, store: StorageManager
) -> None:
    place = path(r"\odd")
    with store.session() as session:
        launch(session, place, shots=3)
        for index in range(3):
            some: dict[str, Parameter] = {"y": quantity(2, "mW")} if index == 1 else {}
            record(session, place, index, {"pulse.length": quantity(1, "us"), "x": 1, **some}, {})
    varied, _, same = shell.run("show", "odd").partition("The same in all shots")
    assert "  y             2 mW (in 1 of 3 shots)\n" in varied
    assert "  x  1\n" in same
    assert "y" not in same.partition("Data")[0]


@pytest.mark.usefixtures("lab")
def test_a_folder_is_not_a_sequence(shell: Shell) -> None:
    for command in ("show", "shots", "tag"):
        assert shell.run(command, "2026") == ""
        assert shell.code == 1
        assert "`shotstore ls 2026`" in shell.error


# shots


@pytest.mark.usefixtures("store")
def test_shots_are_a_table(shell: Shell) -> None:
    header, *rows, end = shell.run("shots", "2026/rabi").splitlines()
    assert header.split() == ["SHOT", "START", "length", f"({MICROSECONDS})", "atoms", "camera"]
    assert [row.split()[0] for row in rows] == ["0", "1", "2"]
    assert [row.split()[2:] for row in rows] == [
        ["1", "1000", "left"],
        ["2.5", "2000", "left"],
        ["4", "3000", "left"],
    ]
    assert end == "The same in all of them: offset = 2 MHz"


@pytest.mark.usefixtures("store")
def test_some_shots_and_columns_are_chosen(shell: Shell) -> None:
    header, row, end = shell.run("shots", "2026/rabi", "-c", "offset,atoms", "--last", "1").split(
        "\n"
    )[:3]
    assert header.split() == ["SHOT", "START", "offset", "(MHz)", "atoms"]
    assert row.split()[0] == "2"
    assert end == "The last 1 of 3 shots; --all shows all."
    said = shell.run("shots", "2026/rabi", "--where", "length > 2 us", "--first", "1")
    assert said.splitlines()[1].split()[0] == "1"
    assert "The first 1 of 2 shots" in said
    assert shell.run("shots", "2026/rabi", "-w", "atoms > 9e9") == "No shot meets the condition.\n"
    assert shell.run("shots", "drafts/later") == "There are no shots.\n"


@pytest.mark.usefixtures("store")
def test_of_a_single_shot_what_is_varied_is_a_column(shell: Shell) -> None:
    header, row, others, _ = shell.run("shots", "2026/rabi", "--first", "1").splitlines()
    assert header.split() == ["SHOT", "START", "length", f"({MICROSECONDS})", "atoms", "camera"]
    assert row.split()[2:] == ["1", "1000", "left"]
    assert others == "Its other parameters: offset = 2 MHz"


@pytest.mark.usefixtures("store")
def test_programs_get_exact_numbers(shell: Shell) -> None:
    found = shell.json("shots", "2026/rabi")
    assert found["units"] == {"pulse.length": MICROSECONDS, "offset": "MHz"}
    assert found["shots"][1] == {
        "shot_index": 1,
        "shot_start_time": "2026-11-22T12:00:01.250000+00:00",
        "shot_end_time": "2026-11-22T12:00:01.750000+00:00",
        "pulse.length": 2.5,
        "offset": 2,
        "atoms": 2000.0,
        "camera": "left",
    }


def test_the_last_shots_of_a_long_run_are_shown(shell: Shell, store: StorageManager) -> None:
    place = path(r"\long")
    with store.session() as session:
        launch(session, place, shots=None)
        for index in range(60):
            record(session, place, index, {"i": index}, {"counts": index, "text": "a\nb\033[31m"})
    lines = shell.run("shots", "long").splitlines()
    assert lines[1].split()[0] == "10"
    assert lines[-1] == "The last 50 of 60 shots; --all shows all."
    assert "\033" not in "".join(lines)
    assert len(shell.run("shots", "long", "--all").splitlines()) == 61
    assert len(shell.json("shots", "long", "--all")["shots"]) == 60


@pytest.mark.usefixtures("lab")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-c", "frame"), 2, "shotstore export"),
        (("-c", "lengths"), 1, "did you mean 'pulse.length'"),
        (("-w", "length > 2"), 1, f"write 2 {MICROSECONDS}"),
        (("--first", "1", "--last", "1"), 2, "Only one of"),
    ],
)
def test_what_is_asked_of_shots_has_to_make_sense(
    shell: Shell, arguments: tuple[str, ...], code: int, message: str
) -> None:
    assert shell.run("shots", "2026/rabi", *arguments) == ""
    assert shell.code == code
    assert message in shell.error


def test_parts_of_a_complex_number_are_named_with_its_label(
    shell: Shell, lab: HDF5StorageManager
) -> None:
    with lab.session() as session:
        bring_to(session, State.RUNNING, path(r"\complex"))
        record(session, path(r"\complex"), 5, {"mot.detuning": 5}, {"cavity.field": 1 + 2j})
    header, *_ = shell.run("shots", "complex", "-c", "detuning,cavity.field.real").splitlines()
    assert header.split() == ["SHOT", "START", "detuning", "cavity.field.real"]
    header, *_ = shell.run("shots", "complex").splitlines()
    assert header.split()[-2:] == ["cavity.field.real", "cavity.field.imag"]


def test_a_shot_without_a_value_has_a_dash(shell: Shell, lab: HDF5StorageManager) -> None:
    with lab.session() as session:
        bring_to(session, State.RUNNING, path(r"\gaps"))
        record(session, path(r"\gaps"), 5, {"index": 5}, {"other": 1})
    rows = shell.rows("shots", "gaps")
    assert rows["0"][-1] == "-"
    assert rows["5"][-2:] == ["-", "1"]
