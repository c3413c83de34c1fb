"""Sequences are found by what is known of them, in every kind of storage."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest

from shotstore import (
    IncompatibleUnitsError,
    InvalidConditionError,
    InvalidPathFormatError,
    State,
    StorageManager,
)
from shotstore.analysis.finding.bounds import Bounds, alternatives
from shotstore.model import quantity
from shotstore.model.condition_grammar import parse_condition
from shotstore.model.conditions import And
from shotstore.testing.experiments import START, path

DETUNING = r"\2026\11\22\detuning"
FINE = r"\2026\11\23\detuning, fine"
HOLD = r"\2026\11\23\hold"
NOT_BEGUN = r"\2026\12\01\not yet begun"
RELATIVE = r"\2026\12\01\relative to the offset"
DRAFT = r"\drafts\two"
ALL = [DETUNING, FINE, HOLD, NOT_BEGUN, RELATIVE, DRAFT]


def found(lab: StorageManager, *pattern: Any, **conditions: Any) -> list[str]:
    return [str(summary.path) for summary in lab.find(*pattern, **conditions)]


def test_without_a_condition_all_are_found_in_order(lab: StorageManager) -> None:
    assert found(lab) == ALL
    with lab.session() as session:
        assert lab.find() == session.sequences.get_summaries(path("\\"))


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"\2026\*\*\det*", [DETUNING, FINE]),
        ("/2026/11", [DETUNING, FINE, HOLD]),
        ("hold", [HOLD]),
        (path(r"\2026\12"), [NOT_BEGUN, RELATIVE]),
        (DRAFT, [DRAFT]),
        (r"\nothing\here", []),
        (DRAFT + r"\inside", []),
        (r"\nothing\*", []),
    ],
)
def test_by_path(lab: StorageManager, pattern: Any, expected: list[str]) -> None:
    assert found(lab, pattern) == expected


def test_by_state(lab: StorageManager) -> None:
    assert found(lab, state=State.FINISHED) == [DETUNING, HOLD]
    assert found(lab, state="Draft") == [DRAFT]
    assert found(lab, state=["running", State.CRASHED]) == [NOT_BEGUN, RELATIVE]
    assert found(lab, state=[]) == []


@pytest.mark.parametrize("state", ["done", "", 3, ["finished", "done"]])
def test_another_state_is_refused(lab: StorageManager, state: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        lab.find(state=state)


def test_by_start_time_or_else_by_the_creation_date(lab: StorageManager) -> None:
    day = timedelta(days=1)
    assert found(lab, since=START + day) == [FINE, HOLD, NOT_BEGUN, RELATIVE, DRAFT]
    assert found(lab, since=START + day + timedelta(microseconds=1)) == [NOT_BEGUN, RELATIVE, DRAFT]
    assert found(lab, until=START + day) == [DETUNING, FINE, HOLD]
    assert found(lab, since="2026-11-23", until=date(2026, 12, 1)) == [
        FINE,
        HOLD,
        NOT_BEGUN,
        RELATIVE,
    ]
    assert found(lab, since="2026-12") == [NOT_BEGUN, RELATIVE, DRAFT]
    # The draft was created an hour before that.
    assert found(lab, since=START + 20 * day) == []
    assert found(lab, since=START + 20 * day - timedelta(hours=1)) == [DRAFT]


def test_a_time_that_cannot_be_understood_is_refused(lab: StorageManager) -> None:
    with pytest.raises(ValueError, match="soon"):
        lab.find(since="soon")


def test_by_number_of_shots(lab: StorageManager) -> None:
    assert found(lab, min_shots=3) == [DETUNING, FINE, HOLD]
    assert found(lab, min_shots=3, max_shots=10) == [FINE, HOLD]
    assert found(lab, max_shots=0) == [NOT_BEGUN, DRAFT]


def test_by_tag(lab: StorageManager) -> None:
    assert found(lab, tag="good") == [DETUNING, HOLD]
    assert found(lab, tag=["good", "for the paper"]) == [DETUNING]
    assert found(lab, tag="Good") == []


def test_by_what_is_varied(lab: StorageManager) -> None:
    assert found(lab, varied="mot.detuning") == [DETUNING, FINE, NOT_BEGUN, RELATIVE, DRAFT]
    assert found(lab, varied="detuning") == found(lab, varied="mot.detuning")
    assert found(lab, varied="mot.*") == found(lab, varied="mot.detuning")
    assert found(lab, varied="*time") == [HOLD]
    assert found(lab, varied=["detuning", "repetition"]) == [DRAFT]
    # It is set there, and not varied.
    assert FINE not in found(lab, varied="hold_time")
    assert found(lab, varied="tuning") == []


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        # What the recipes tell
        ({"mot.detuning": ("9 MHz", "100 MHz")}, [DETUNING, DRAFT]),
        ({"detuning": ("-1 GHz", "-1 MHz")}, [DETUNING]),
        ({"detuning": (None, quantity(-400, "kHz"))}, [DETUNING, FINE]),
        ({"detuning": ("60 MHz", None)}, [DRAFT]),
        ({"detuning": ("60.1 MHz", None)}, []),
        ({"mot.detuning": ("0.4 MHz", "0.6 MHz")}, [DETUNING, FINE]),
        ({"mot.detuning": "55 MHz"}, [DRAFT]),
        ({"detuning": (0, 0)}, [DETUNING, FINE]),
        ({"detuning": ("-11 MHz", 0), "hold_time": "20 ms"}, [FINE]),
        ({"hold_time": ("20 ms", "20 ms")}, [FINE, HOLD]),
        ({"hold_time": quantity(0.02, "s")}, [FINE, HOLD]),
        # The last value before 1 s
        ({"hold_time": ("0.95 s", "2 s")}, []),
        ({"hold_time": ("0.9 s", "2 s")}, [HOLD]),
        ({"repetition": (5, 10)}, [DRAFT]),
        ({"repetition": (1, 1)}, [RELATIVE, DRAFT]),
        # What the shots tell: they are at 7 and 8 MHz, and the offset is 2 MHz
        ({"mot.detuning": ("8 MHz", "9 MHz")}, [DETUNING, RELATIVE]),
        ({"mot.detuning": ("8.5 MHz", "9 MHz")}, [DETUNING]),
        # What the global parameters tell, where there are no shots
        ({"mot.detuning": ("2.5 MHz", "3 MHz")}, [DETUNING, NOT_BEGUN]),
        ({"offset": ("1 MHz", "3 MHz")}, [NOT_BEGUN, DRAFT]),
        ({"mot.power": ("3 mW", None)}, [NOT_BEGUN, DRAFT]),
        ({"gradient": ("500 G/m", "0.01 kG/cm")}, [NOT_BEGUN, DRAFT]),
        # Several
        ({"mot.detuning": ("0 MHz", "1 MHz"), "hold_time": ("0 s", "1 s")}, [FINE]),
        ({"nothing": (1, 2)}, []),
        ({"mot.detuning": (None, None)}, [DETUNING, FINE, NOT_BEGUN, RELATIVE, DRAFT]),
    ],
)
def test_by_the_values_of_parameters(
    lab: StorageManager, where: dict[str, Any], expected: list[str]
) -> None:
    assert found(lab, where=where) == expected


@pytest.mark.parametrize(
    ("where", "hint"),
    [
        ({"mot.detuning": (5, 10)}, "in MHz: .* from 1 MHz to 2 MHz"),
        ({"mot.detuning": ("1 s", "2 s")}, "in MHz"),
        ({"repetition": ("1 s", "2 s")}, "a plain number"),
    ],
)
def test_a_range_in_a_wrong_unit_that_finds_nothing_is_told(
    lab: StorageManager, where: dict[str, Any], hint: str
) -> None:
    with pytest.raises(IncompatibleUnitsError, match=f"Nothing was found.*{hint}"):
        lab.find(where=where)
    assert found(lab, r"\nothing", where=where) == []


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ((2, 1), ValueError),
        (("2 MHz", "1 kHz"), ValueError),
        (("1 MHz", "2 s"), IncompatibleUnitsError),
        ((1, 2, 3), ValueError),
        ("1 furlongs / whatever", ValueError),
        ([[1], 2], TypeError),
    ],
)
def test_bounds_that_make_no_sense_are_refused(
    lab: StorageManager, value: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        lab.find(where={"a": value})


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("detuning > 60 MHz", []),
        ("detuning >= 60 MHz", [DRAFT]),
        ("60 MHz <= detuning", [DRAFT]),
        ("detuning < -10 MHz", []),
        ("detuning <= -10 MHz", [DETUNING]),
        ("10 MHz < mot.detuning < 50 MHz", []),
        ("10 MHz < mot.detuning <= 50000 kHz", [DRAFT]),
        ("10 MHz <= mot.detuning < 50 MHz", [DETUNING]),
        ("10 MHz < mot.detuning and mot.detuning < 50 MHz", []),
        ("detuning = 55 MHz", [DRAFT]),
        ("hold_time > 0.9 s", []),
        ("hold_time > 890 ms", [HOLD]),
        ("hold_time < 0", []),
        ("-1 s < hold_time < 0", []),
        ("-1 s < hold_time <= 0", [HOLD]),
        ("repetition > 4 & detuning > 0", [DRAFT]),
        ("hold_time = 20 ms and detuning >= 500 kHz", [FINE]),
        ("hold_time = 20 ms and detuning > 500 kHz", []),
        # Of the recorded shots, and not of the recipe
        ("7 MHz < detuning < 8 MHz", [DETUNING, RELATIVE]),
        ("detuning > 8 MHz", [DETUNING, DRAFT]),
        # One or the other, of the same parameter and of several
        ("detuning < -5 MHz or detuning > 50 MHz", [DETUNING, DRAFT]),
        ("detuning > 50 MHz or hold_time > 0.5 s", [HOLD, DRAFT]),
        ("(detuning > 50 MHz or hold_time > 0.5 s) and repetition > 4", [DRAFT]),
        ("hold_time = 20 ms and (detuning >= 500 kHz or detuning < -100 MHz)", [FINE]),
        ("detuning = 1e9 MHz or hold_time = 1e9 s", []),
        # Not: some value that is another one, where there is a value
        ("hold_time != 20 ms", [HOLD]),
        ("not hold_time = 20 ms", [HOLD]),
        ("not hold_time > 100 ms", [FINE, HOLD]),
        ("not (detuning <= 8 MHz or hold_time > 0)", []),
        ("not (detuning <= 8 MHz and nothing > 0)", [DETUNING, DRAFT]),
        ("hold_time = 300 ms +- 100 ms", [HOLD]),
        ("hold_time = 30 ms ± 10 ms", [FINE, HOLD]),
        ("hold_time = 5 s +- 1 s", []),
    ],
)
def test_by_what_people_type(lab: StorageManager, where: str, expected: list[str]) -> None:
    assert found(lab, where=where) == expected


def test_conditions_on_one_parameter_hold_together(lab: StorageManager) -> None:
    low, high = parse_condition("detuning > 10 MHz"), parse_condition("detuning < 50 MHz")
    assert found(lab, where=low)
    assert found(lab, where=high)
    assert found(lab, where=And((low, high))) == []


def bounds_of(where: str) -> Mapping[str, Bounds]:
    (ranges,) = alternatives(parse_condition(where))
    return ranges


def test_the_end_of_a_range_over_many_decades_is_left_out_where_it_is_open() -> None:
    bounds = bounds_of("1e-12 mbar < pressure < 1e-10 mbar and full < inf")
    assert bounds["pressure"].meet(1e-12, 1.0, "mbar")
    assert bounds["pressure"].meet(1e-10 * (1 + 1e-12), 1.0, "mbar") is False
    assert bounds["pressure"].meet(1e-15, 1e-12, "mbar") is False
    assert bounds["pressure"].meet(1, 2, "s") is None
    assert bounds["full"].meet(1, 2, None)


def test_zero_has_no_need_of_a_unit_where_all_units_have_the_same() -> None:
    bounds = bounds_of("x > 0")["x"]
    assert bounds.meet(1, 2, "MHz")
    assert bounds.meet(1, 2, "delta_degC")
    assert bounds.meet(1, 2, "degC") is None
    assert bounds.meet(1, 2, "dBm") is None
    assert bounds.meet(1, 2, "dBm / Hz") is None


def test_many_comparisons_are_one_range() -> None:
    low = " and ".join(f"x > {number} kHz" for number in range(1000))
    high = " and ".join(f"x <= {number} MHz" for number in range(1, 1000))
    bounds = bounds_of(f"{low} and {high} and x > 0")["x"]
    assert bounds.meet(999, 999, "kHz") is False
    assert bounds.meet(0.9991, 0.9991, "MHz")
    assert bounds.meet(1, 1, "MHz")
    assert bounds.meet(1.1, 2, "MHz") is False


def test_a_value_in_two_units_is_a_range() -> None:
    bounds = bounds_of("x >= 0.9 us and x <= 0.0009 ms")["x"]
    assert bounds.meet(0.9, 0.9, "us")
    assert bounds.meet(0.8, 0.8, "us") is False


@pytest.mark.parametrize(
    ("where", "error", "message"),
    [
        ("x > 2 MHz and x < 1 MHz", InvalidConditionError, "No value meets 'x > 2 MHz and x < 1"),
        ("1 < x <= 1", InvalidConditionError, "No value meets"),
        ("x = 1 and x = 2", InvalidConditionError, "No value meets"),
        ("1 s < x < 2 MHz", IncompatibleUnitsError, "no unit in common"),
        ("x > 1 s and x > 2 MHz", IncompatibleUnitsError, "no unit in common"),
        ("0 < x < 20 degC", IncompatibleUnitsError, "no unit in common"),
        ("5 < 6", InvalidConditionError, "names no parameter where there is '5'"),
        ("my length > 6", InvalidConditionError, "names no parameter"),
        ("x > 5 nonsense", InvalidConditionError, "nonsense"),
        ("x", InvalidConditionError, "not a condition"),
        ("x > 2 and (x < 1 or x = 2)", InvalidConditionError, "No value meets"),
        ("comment = salt", InvalidConditionError, "a text is written in quotes, like 'salt'"),
        ("tag = bad", InvalidConditionError, "sequences are found by tags of their own"),
        ("shot_start_time > 'last week'", InvalidConditionError, "by times with since and until"),
        ("shot_index < 5", InvalidConditionError, "by the values that their parameters take"),
        (" and ".join(["(x < 1 or y > 2)"] * 9), InvalidConditionError, "256 alternatives"),
    ],
)
def test_what_cannot_be_meant_for_a_range_is_refused(
    lab: StorageManager, where: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        lab.find(where=where)


def test_a_condition_is_taken_as_text(lab: StorageManager) -> None:
    assert found(lab, where="detuning >= 5 MHz") == found(lab, where={"detuning": ("5 MHz", None)})
    assert found(lab, where="detuning >= 5 MHz")
    with pytest.raises(TypeError, match='"hold > 1 s"'):
        lab.find(where=["detuning > 5 MHz"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "asked",
    [
        {"state": 5},
        {"state": [5]},
        {"varied": 5},
        {"varied": [5]},
        {"tag": [None]},
        {"label": 5},
        {"text": b"x"},
        {"min_shots": "1"},
        {"max_shots": 1.5},
        {"where": 5},
        {"since": 5},
    ],
    ids=str,
)
def test_what_is_of_a_wrong_type_is_a_type_error(
    lab: StorageManager, asked: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        lab.find(**asked)


def test_by_the_label_of_data(lab: StorageManager) -> None:
    assert found(lab, label="atom_number") == [DETUNING, FINE, HOLD, RELATIVE]
    assert found(lab, label="Camera\\atoms") == [FINE]
    assert found(lab, label="camera") == []


def test_by_text(lab: StorageManager) -> None:
    assert found(lab, text="UNSTABLE") == [HOLD]
    assert found(lab, text="the laser is off") == [RELATIVE]
    assert found(lab, text="offset") == [NOT_BEGUN, RELATIVE]
    assert found(lab, r"\2026\12", text="detuning", state="crashed") == [RELATIVE]
    assert found(lab, r"\nothing", text="offset") == []


def test_all_conditions_are_met(lab: StorageManager) -> None:
    assert found(
        lab,
        r"\2026\11\*\*",
        state="finished",
        since="2026-11-01",
        until="2026-11",
        min_shots=10,
        max_shots=100,
        varied="detuning",
        where={"detuning": ("5 MHz", None)},
        label="atom_number",
        text="mot",
        tag="good",
    ) == [DETUNING]


def test_a_pattern_that_no_path_can_have_is_refused(lab: StorageManager) -> None:
    with pytest.raises(InvalidPathFormatError):
        lab.find("\\a\tb")
