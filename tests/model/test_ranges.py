"""From where to where a recipe takes its parameters, without running it."""

import math

import pytest
from hypothesis import given

from shotstore.model import (
    ArangeLoop,
    ExecuteShot,
    LinspaceLoop,
    ParameterRange,
    ParameterRanges,
    Step,
    StepsConfiguration,
    UnknownIterationConfiguration,
    VariableDeclaration,
    quantity,
)
from shotstore.testing import strategies
from shotstore.testing.lab import Schedule

SHOT = ExecuteShot()


def ranges(*steps: Step, **initial: object) -> ParameterRanges:
    return StepsConfiguration(steps).get_parameter_ranges(initial)  # type: ignore[arg-type]


def test_a_loop_tells_its_bounds_as_they_are_written_and_as_numbers() -> None:
    found = ranges(LinspaceLoop("mot.detuning", "-10 MHz", "500 kHz", 11, [SHOT]))
    assert found.varied == {
        "mot.detuning": ParameterRange("-10 MHz", "500 kHz", 11, -10.0, 0.5, "MHz")
    }
    assert found.declared == {}


def test_steps_of_a_given_size_end_before_their_bound() -> None:
    found = ranges(ArangeLoop("i", "0", "3", "1", [SHOT])).varied
    assert found == {"i": ParameterRange("0", "3", 3, 0, 2, None)}


def test_loops_in_loops_are_found() -> None:
    found = ranges(LinspaceLoop("a", "0", "1", 2, [LinspaceLoop("b", "5 s", "1 s", 3, [SHOT])]))
    assert list(found.varied) == ["a", "b"]
    assert found.varied["b"] == ParameterRange("5 s", "1 s", 3, 5.0, 1.0, "s")


def test_several_loops_over_a_parameter_are_one_range_from_the_lowest_to_the_highest() -> None:
    found = ranges(
        LinspaceLoop("f", "0 MHz", "10 MHz", 11, [SHOT]),
        LinspaceLoop("f", "-50 kHz", "50 kHz", 5, [SHOT]),
    ).varied
    assert found == {"f": ParameterRange("-50 kHz", "10 MHz", 16, -0.05, 10.0, "MHz")}


def test_of_loops_in_different_dimensions_no_numbers_are_told() -> None:
    found = ranges(
        LinspaceLoop("f", "0 MHz", "10 MHz", 11, [SHOT]), LinspaceLoop("f", "1", "2", 5, [SHOT])
    ).varied
    assert found == {"f": ParameterRange("0 MHz", "2", 16, None, None, None)}


def test_a_loop_without_values_has_no_numbers() -> None:
    found = ranges(ArangeLoop("i", "3", "0", "1", [SHOT])).varied
    assert found == {"i": ParameterRange("3", "0", 0, None, None, None)}
    found = ranges(
        ArangeLoop("i", "3", "0", "1", [SHOT]), LinspaceLoop("i", "5", "6", 2, [SHOT])
    ).varied
    assert found == {"i": ParameterRange("5", "6", 2, 5.0, 6.0, None)}


def test_bounds_use_what_was_set_before_and_what_is_known_from_outside() -> None:
    found = ranges(
        VariableDeclaration("width", "2 * unit"),
        LinspaceLoop("f", "-width", "width", 3, [SHOT]),
        unit=quantity(4, "kHz"),
    )
    assert found.varied == {"f": ParameterRange("-width", "width", 3, -8.0, 8.0, "kHz")}
    assert found.declared == {"width": ParameterRange("2 * unit", "2 * unit", 1, 8, 8, "kHz")}


def test_what_depends_on_an_unknown_parameter_has_no_numbers() -> None:
    found = ranges(
        LinspaceLoop("f", "offset.x", "1 MHz", 3, [SHOT]),
        ArangeLoop("g", "0 MHz", "offset.x", "1 MHz", [SHOT]),
    ).varied
    assert found["f"] == ParameterRange("offset.x", "1 MHz", 3, None, None, None)
    assert found["g"] == ParameterRange("0 MHz", "offset.x", None, None, None, None)


def test_what_changes_from_pass_to_pass_of_a_loop_has_no_numbers() -> None:
    found = ranges(
        VariableDeclaration("n", "0"),
        LinspaceLoop(
            "f",
            "0",
            "1",
            2,
            [
                VariableDeclaration("n", "n + 1"),
                VariableDeclaration("g", "2 * f"),
                VariableDeclaration("h", "3"),
                LinspaceLoop("inner", "0", "f", 2, [SHOT]),
                LinspaceLoop("other", "0", "h", 2, [SHOT]),
            ],
        ),
        LinspaceLoop("later", "0", "f", 2, [SHOT]),
    )
    assert found.declared["n"] == ParameterRange("0", "n + 1", 2, None, None, None)
    assert found.declared["g"].first is None
    assert found.declared["h"].first == 3
    assert found.varied["inner"].last is None
    assert found.varied["other"].last == 3
    assert found.varied["later"].last is None


def test_a_parameter_that_is_set_to_several_values_spans_them() -> None:
    found = ranges(*(VariableDeclaration("a", text) for text in ("1 s", "3 s", "2000 ms", "1 s")))
    assert found.declared == {"a": ParameterRange("1 s", "3 s", 3, 1, 3, "s")}


def test_a_name_of_the_recipe_wins_over_a_unit() -> None:
    found = ranges(VariableDeclaration("s", "7"), VariableDeclaration("t", "2 * s")).declared
    assert found["t"] == ParameterRange("2 * s", "2 * s", 1, 14, 14, None)


@pytest.mark.parametrize("text", ["", "1 +", "1 / 0", "nan MHz", "1 MHz", "True"])
def test_a_bound_that_cannot_be_evaluated_has_no_number(text: str) -> None:
    found = ranges(LinspaceLoop("a", "0", text, 3, [SHOT])).varied
    assert found == {"a": ParameterRange("0", text, 3, None, None, None)}


def test_other_values_than_finite_numbers_are_told_as_they_are() -> None:
    found = ranges(VariableDeclaration("on", "True"), VariableDeclaration("far", "-inf")).declared
    assert (found["on"].first, found["far"].first) == (True, -math.inf)


def test_a_class_that_does_not_say_it_tells_nothing() -> None:
    for iteration in (UnknownIterationConfiguration("tag", {"a": 1}), Schedule((1.0, 2.0))):
        assert iteration.get_parameter_ranges({}) == ParameterRanges()


@given(strategies.steps_configurations, strategies.parameters)
def test_every_recipe_has_ranges(recipe: StepsConfiguration, initial: dict[str, float]) -> None:
    found = recipe.get_parameter_ranges(initial)
    assert found.varied.keys() | found.declared.keys() == recipe.get_parameter_names()
