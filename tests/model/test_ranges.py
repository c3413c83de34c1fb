"""From where to where a recipe takes its parameters, without running it."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.model import (
    ArangeLoop,
    ExecuteShot,
    LinspaceLoop,
    ParameterRange,
    ParameterRanges,
    Step,
    StepsConfiguration,
    UnknownIterationConfiguration,
    ValuesLoop,
    VariableDeclaration,
    quantity,
)
from shotstore.testing import strategies
from shotstore.testing.lab import Schedule

SHOT = ExecuteShot()

_names = st.sampled_from(["x", "y", "z"])
_texts = st.sampled_from(["0", "1", "2", "x", "y + 1", "2 * z", "x * y"])
_steps = st.recursive(
    st.just(SHOT) | st.builds(VariableDeclaration, _names, _texts),
    lambda inner: (
        st.builds(
            LinspaceLoop, _names, _texts, _texts, st.integers(1, 3), st.lists(inner, max_size=4)
        )
        | st.builds(
            ValuesLoop, _names, st.lists(_texts | st.integers(0, 2), max_size=3), st.lists(inner)
        )
    ),
    max_leaves=8,
)
small_recipes = st.builds(StepsConfiguration, st.lists(_steps, max_size=6))


def ranges(*steps: Step, **initial: object) -> ParameterRanges:
    return StepsConfiguration(steps).get_parameter_ranges(initial)  # type: ignore[arg-type]


def test_a_loop_tells_its_bounds_as_they_are_written_and_as_numbers() -> None:
    found = ranges(LinspaceLoop("mot.detuning", "-10 MHz", "500 kHz", 11, [SHOT]))
    assert found.varied == {
        "mot.detuning": ParameterRange("-10 MHz", "500 kHz", 11, -10.0, 0.5, "MHz")
    }
    assert found.declared == {}


def test_a_loop_over_values_goes_from_the_lowest_to_the_highest() -> None:
    values = ["5 MHz", quantity(100, "kHz"), "-2 * x"]
    loop = ValuesLoop("f", values, [SHOT])
    found = ranges(loop, x=quantity(1, "MHz")).varied
    assert found == {"f": ParameterRange("-2 * x", "5 MHz", 3, -2.0, 5, "MHz")}
    assert ranges(loop).varied == {"f": ParameterRange("5 MHz", "-2 * x", 3, None, None, None)}
    assert str(found["f"]) == "-2 * x to 5 MHz (3 values)"


def test_the_range_of_texts_is_all_of_them() -> None:
    found = ranges(
        ValuesLoop("a", ["'x'", "y", "'x'"], [VariableDeclaration("b", "a"), SHOT]),
        VariableDeclaration("a", "'z'"),
        SHOT,
        y="why",
    ).varied
    assert found["a"] == ParameterRange("'x'", "'z'", 4, None, None, None, ("x", "why", "z"))
    assert str(found["a"]) == "'x', 'why', 'z' (4 values)"
    assert found["b"].first is None


def test_texts_beside_numbers_have_no_range() -> None:
    found = ranges(ValuesLoop("a", ["'x'", 1], [SHOT])).varied
    assert found == {"a": ParameterRange("'x'", "1", 2, None, None, None)}


def test_many_texts_are_not_written_out() -> None:
    found = ranges(ValuesLoop("a", [f"'{n}'" for n in range(9)], [SHOT])).varied
    assert str(found["a"]) == "'0', '1', '2', '3', '4', '5', ... (9 values)"


def test_a_loop_over_one_value_varies_nothing() -> None:
    found = ranges(ValuesLoop("a", [True], [VariableDeclaration("b", "a"), SHOT]))
    assert found.varied == {}
    assert found.declared["a"] == ParameterRange("True", "True", 1, True, True, None)
    assert found.declared["b"].first is True


def test_a_loop_over_no_values_has_no_shots() -> None:
    found = ranges(ValuesLoop("a", [], [VariableDeclaration("b", "1"), SHOT]))
    assert found.declared["a"] == ParameterRange("", "", 0, None, None, None)


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
    found = ranges(ArangeLoop("i", "3", "0", "1", [VariableDeclaration("j", "1"), SHOT]))
    assert found.declared == {
        "i": ParameterRange("3", "0", 0, None, None, None),
        "j": ParameterRange("1", "1", 1, 1, 1, None),
    }
    assert not found.varied
    found = ranges(ArangeLoop("i", "3", "0", "1", [SHOT]), LinspaceLoop("i", "5", "6", 2, [SHOT]))
    assert found.varied == {"i": ParameterRange("5", "6", 2, 5.0, 6.0, None)}


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
    assert found.varied["n"] == ParameterRange("n + 1", "n + 1", None, None, None, None)
    assert found.varied["g"] == ParameterRange("2 * f", "2 * f", None, None, None, None)
    assert found.declared == {"h": ParameterRange("3", "3", 1, 3, 3, None)}
    assert found.varied["inner"].last is None
    assert found.varied["other"].last == 3
    assert found.varied["later"].last is None


def test_a_parameter_that_is_set_to_several_values_spans_them() -> None:
    found = ranges(*(VariableDeclaration("a", text) for text in ("1 s", "3 s", "2000 ms", "1 s")))
    assert found.declared == {"a": ParameterRange("1 s", "3 s", 3, 1, 3, "s")}


def set_to(*texts: str) -> list[Step]:
    """A shot for each value of a parameter."""
    return [step for text in texts for step in (VariableDeclaration("a", text), SHOT)]


def test_what_is_declared_anew_before_a_shot_is_varied() -> None:
    found = ranges(*set_to("1 s", "3 s", "2000 ms", "1 s"))
    assert found == ParameterRanges({"a": ParameterRange("1 s", "3 s", 3, 1, 3, "s")}, {})
    found = ranges(*set_to("gain", "2 * gain"))
    assert found.varied == {"a": ParameterRange("gain", "2 * gain", 2, None, None, None)}


def test_what_is_the_same_in_all_shots_is_not_varied() -> None:
    assert ranges(*set_to("700 us", "0.7 ms")).varied == {}
    assert ranges(*set_to("2 * gain", "2 * gain")).varied == {}
    found = ranges(VariableDeclaration("a", "1"), VariableDeclaration("a", "2"), SHOT, SHOT)
    assert found.declared == {"a": ParameterRange("2", "2", 1, 2, 2, None)}
    assert ranges(LinspaceLoop("a", "5 MHz", "6 MHz", 1, [SHOT])).varied == {}
    assert ranges(LinspaceLoop("a", "0", "1", 2, [])).varied == {}
    assert ranges(LinspaceLoop("i", "0", "1", 2, set_to("3"))).declared["a"].first == 3


def test_a_value_that_only_some_shots_have_is_varied() -> None:
    found = ranges(SHOT, VariableDeclaration("a", "2"), SHOT)
    assert found.varied == {"a": ParameterRange("2", "2", 1, 2, 2, None)}
    assert ranges(SHOT, VariableDeclaration("a", "2"), SHOT, a=2).varied == {}
    found = ranges(SHOT, VariableDeclaration("a", "2"), SHOT, a=1)
    assert found.varied == {"a": ParameterRange("1", "2", 2, 1, 2, None)}


def test_what_a_pass_of_a_loop_leaves_for_the_next_one_is_varied() -> None:
    found = ranges(
        VariableDeclaration("a", "0"),
        LinspaceLoop("i", "0", "1", 2, [SHOT, VariableDeclaration("a", "1")]),
    )
    assert list(found.varied) == ["i", "a"]
    # The last shot has the value that the loop has left: one that is in its range.
    found = ranges(LinspaceLoop("f", "0", "1", 2, [SHOT]), SHOT)
    assert found.varied == {"f": ParameterRange("0", "1", 2, 0, 1, None)}


def test_what_is_computed_from_a_varied_parameter_is_varied_where_it_differs() -> None:
    inner = LinspaceLoop("f", "0", "1", 2, [VariableDeclaration("b", "2 * g"), SHOT])
    found = ranges(LinspaceLoop("g", "0", "1", 1, [inner]))
    assert (list(found.varied), list(found.declared)) == (["f"], ["g", "b"])
    found = ranges(LinspaceLoop("g", "0", "1", 3, [inner]))
    assert list(found.varied) == ["g", "f", "b"]


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


@given(small_recipes)
def test_all_that_differs_between_the_shots_is_varied(recipe: StepsConfiguration) -> None:
    found = recipe.get_parameter_ranges({})
    try:
        shots = list(recipe.walk({}))
    except ValueError:
        return
    for name in recipe.get_parameter_names():
        values = [shot.get(name) for shot in shots]
        if name in found.declared:
            assert all(value == values[0] for value in values)
        for span in (found.varied.get(name), found.declared.get(name)):
            if span is not None and span.first is not None and span.count:
                assert span.last is not None
                low, high = sorted((span.first, span.last))
                numbers = [value for value in values if isinstance(value, int | float)]
                assert all(low <= number <= high for number in numbers)
