import pickle
from typing import Any

import numpy as np
import pytest

from shotstore.model import (
    AnalogTimeLane,
    CameraTimeLane,
    DigitalTimeLane,
    Expression,
    Ramp,
    TakePicture,
    TimeLane,
    TimeLanes,
)


def test_lanes_of_equal_length_make_a_table() -> None:
    numpy_bool: Any = np.bool_(False)
    lanes = TimeLanes(
        ["load", "expose", "read"],
        ["1 s", "exposure", "20 ms"],
        {
            "shutter": DigitalTimeLane([(True, 1), (numpy_bool, 1), ("open", 1)]),
            "power": AnalogTimeLane([("1 mW", 1), (Ramp(), 1), ("0 mW", 1)]),
            "camera": CameraTimeLane([(None, 1), (TakePicture("atoms"), 1), (None, 1)]),
        },
    )
    assert lanes.number_steps == 3
    assert lanes.step_durations == (Expression("1 s"), Expression("exposure"), Expression("20 ms"))
    assert isinstance(lanes.lanes["shutter"], DigitalTimeLane)
    assert lanes.lanes["shutter"].spans == ((True, 1), (False, 1), (Expression("open"), 1))
    assert pickle.loads(pickle.dumps(lanes)) == lanes


def test_empty_lanes() -> None:
    assert TimeLanes.empty() == TimeLanes([], [], {})
    assert TimeLanes([], [], {"shutter": DigitalTimeLane([])}).number_steps == 0


@pytest.mark.parametrize(
    "lane",
    [
        DigitalTimeLane([(True, 3)]),
        AnalogTimeLane([("1", 1)]),
        CameraTimeLane([]),
    ],
    ids=repr,
)
def test_a_lane_of_another_length_is_a_value_error_that_names_it(lane: TimeLane) -> None:
    with pytest.raises(ValueError, match=f"Time lane 'odd' lasts {lane.number_steps} steps"):
        TimeLanes(["a", "b"], ["1 s", "1 s"], {"odd": lane})


def test_each_step_has_a_duration() -> None:
    with pytest.raises(ValueError, match="There are 2 step names and 1 step durations"):
        TimeLanes(["a", "b"], ["1 s"])


@pytest.mark.parametrize("length", [0, -1])
def test_a_span_lasts_a_step_or_more(length: int) -> None:
    with pytest.raises(ValueError, match="number of steps of a span must be 1 or more"):
        DigitalTimeLane([(True, length)])


@pytest.mark.parametrize("length", [True, 1.0, None])
def test_the_length_of_a_span_is_an_integer(length: Any) -> None:
    with pytest.raises(TypeError, match="number of steps of a span must be an integer"):
        AnalogTimeLane([("1 V", length)])


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (DigitalTimeLane, 1),
        (DigitalTimeLane, None),
        (DigitalTimeLane, Ramp()),
        (AnalogTimeLane, 1.0),
        (AnalogTimeLane, True),
        (CameraTimeLane, "atoms"),
        (CameraTimeLane, True),
    ],
)
def test_each_kind_of_lane_has_its_own_values(kind: type, value: object) -> None:
    with pytest.raises(TypeError):
        kind([(value, 1)])


@pytest.mark.parametrize(
    "arguments",
    [
        ([1], ["1 s"]),
        (["a"], [1]),
        ([], [], {1: DigitalTimeLane([])}),
        ([], [], {"a": [(True, 1)]}),
    ],
    ids=repr,
)
def test_the_parts_of_time_lanes_are_checked(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        TimeLanes(*arguments)


def test_time_lanes_do_not_change_with_what_they_were_made_of() -> None:
    names, lanes = ["a"], {"x": DigitalTimeLane([(True, 1)])}
    table = TimeLanes(names, ["1 s"], lanes)
    names.append("b")
    lanes.clear()
    assert table == TimeLanes(["a"], ["1 s"], {"x": DigitalTimeLane([(True, 1)])})


def test_names_are_texts_that_a_file_can_hold() -> None:
    for make in (
        lambda: TimeLanes(["\ud800"], ["1 s"]),
        lambda: TimeLanes([], [], {"\ud800": DigitalTimeLane([])}),
        lambda: TakePicture("\ud800"),
    ):
        with pytest.raises(ValueError, match="lone surrogate"):
            make()
