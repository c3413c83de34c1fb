import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.model import (
    ArangeLoop,
    ExecuteShot,
    LinspaceLoop,
    Parameter,
    ParameterType,
    Step,
    StepsConfiguration,
    ValuesLoop,
    VariableDeclaration,
    quantity,
)
from shotstore.testing.exactness import exactly_equal

SHOT = ExecuteShot()
NESTED = StepsConfiguration(
    [
        VariableDeclaration("mot.detuning", "-10 MHz + offset"),
        LinspaceLoop(
            "power",
            "0 mW",
            "1 mW",
            2,
            [ArangeLoop("repetition", "0", "2", "1", [SHOT]), VariableDeclaration("done", "True")],
        ),
        SHOT,
    ]
)


def walked(
    steps: list[Step], initial: dict[str, Parameter] | None = None
) -> list[dict[str, Parameter]]:
    return list(StepsConfiguration(steps).walk(initial or {}))


def test_a_walk_runs_the_steps_like_a_program() -> None:
    shots = list(NESTED.walk({"offset": quantity(1, "MHz")}))
    start = {"offset": quantity(1, "MHz"), "mot.detuning": quantity(-9, "MHz")}
    low, high = quantity(0.0, "mW"), quantity(1.0, "mW")
    expected = [
        start | {"power": low, "repetition": 0},
        start | {"power": low, "repetition": 1},
        start | {"power": high, "repetition": 0, "done": True},
        start | {"power": high, "repetition": 1, "done": True},
        start | {"power": high, "repetition": 1, "done": True},
    ]
    assert shots == expected
    assert NESTED.expected_number_shots() == len(expected)


def test_the_shots_of_a_walk_do_not_share_their_parameters() -> None:
    steps = StepsConfiguration([ArangeLoop("a", "0", "3", "1", [SHOT])])
    initial: dict[str, Parameter] = {"b": 1}
    shots = list(steps.walk(initial))
    shots[0]["a"] = 100
    assert [shot["a"] for shot in shots] == [100, 1, 2]
    assert initial == {"b": 1}


def test_a_declaration_may_use_the_variable_it_changes() -> None:
    increment = VariableDeclaration("a", "a + 1")
    shots = walked(
        [VariableDeclaration("a", "0"), LinspaceLoop("b", "0", "1", 3, [increment, SHOT])]
    )
    assert [shot["a"] for shot in shots] == [1, 2, 3]


def test_bounds_may_depend_on_the_loop_around() -> None:
    steps: list[Step] = [ArangeLoop("a", "0", "4", "1", [ArangeLoop("b", "0", "a", "1", [SHOT])])]
    assert len(walked(steps)) == 0 + 1 + 2 + 3
    assert StepsConfiguration(steps).expected_number_shots() is None


@pytest.mark.parametrize(
    ("steps", "number"),
    [
        ([], 0),
        ([VariableDeclaration("a", "1")], 0),
        ([SHOT, SHOT], 2),
        ([ArangeLoop("a", "0 ms", "1 s", "100 ms", [SHOT])], 10),
        ([ArangeLoop("a", "1", "1.3", "0.1", [SHOT])], 3),
        ([ArangeLoop("a", "0", "b", "1", [])], 0),
        ([ArangeLoop("a", "0", "0", "1", [ArangeLoop("c", "0", "b", "1", [SHOT])])], 0),
        ([ArangeLoop("a", "0", "b", "1", [SHOT])], None),
        ([ArangeLoop("a", "0", "1", "0", [SHOT])], None),
        ([ArangeLoop("a", "0", "1 m", "1", [SHOT])], None),
        ([ArangeLoop("a", "0", "1 +", "1", [SHOT])], None),
        ([ArangeLoop("a", "0", "10**400", "1", [SHOT])], 10**400),
        ([ArangeLoop("a", "0.5", "10**400", "1", [SHOT])], None),
        ([ValuesLoop("a", [], [SHOT])], 0),
        ([ValuesLoop("a", ["b", 1, "1 +"], [SHOT, SHOT])], 6),
        ([VariableDeclaration("s", "2"), ArangeLoop("a", "0", "s / (1 s)", "1", [SHOT])], None),
    ],
)
def test_expected_number_of_shots(steps: list[Step], number: int | None) -> None:
    assert StepsConfiguration(steps).expected_number_shots() == number


def test_the_expected_number_of_a_huge_scan_is_multiplied() -> None:
    steps: list[Step] = [SHOT]
    for depth in range(20):
        steps = [LinspaceLoop(f"a{depth}", "0", "1", 10**6, steps)]
    assert StepsConfiguration(steps).expected_number_shots() == 10**120


def test_a_loop_over_values_takes_them_in_their_order_as_they_are() -> None:
    values = ["5 MHz", quantity(2, "kHz"), "2 * x", True, 3, 1.5, np.float64(2), quantity(3, "")]
    shots = walked([ValuesLoop("a", values, [SHOT])], {"x": 4})
    expected = [quantity(5, "MHz"), quantity(2, "kHz"), 8, True, 3, 1.5, 2.0, quantity(3, "")]
    assert exactly_equal([shot["a"] for shot in shots], expected)


def test_the_values_of_a_loop_are_known_before_the_first_of_them() -> None:
    loop = ValuesLoop("a", ["a + 1", "a + 2"], [SHOT])
    assert [shot["a"] for shot in walked([VariableDeclaration("a", "0"), loop])] == [1, 2]


def test_the_values_of_a_loop_may_be_a_range_or_an_array() -> None:
    for values in (range(3), np.arange(3), [0, 1, 2]):
        assert ValuesLoop("a", values, []) == ValuesLoop("a", [0, 1, 2], [])


def test_values_that_look_alike_are_different_ones() -> None:
    one, *others = [1, 1.0, True, "1", quantity(1, "")]
    for other in others:
        assert ValuesLoop("a", [one], []) != ValuesLoop("a", [other], [])
    assert ValuesLoop("a", [quantity(1, "MHz")], []) != ValuesLoop("a", [quantity(1000, "kHz")], [])
    nan = ValuesLoop("a", [float("nan")], [])
    assert nan == ValuesLoop("a", [-float("nan")], [])
    assert hash(nan) == hash(ValuesLoop("a", [-float("nan")], []))


@pytest.mark.parametrize("values", ["123", 3, [None], [1j], [[1]], quantity(1, "MHz")])
def test_what_is_not_a_list_of_values_is_refused(values: Any) -> None:
    with pytest.raises(TypeError):
        ValuesLoop("a", values, [])


def test_the_schema_has_the_types_of_all_values_of_a_loop() -> None:
    loop = ValuesLoop("a", [1, 2, 2.5, 3], [ArangeLoop("b", "0", "a", "1", [SHOT])])
    schema = StepsConfiguration([loop]).get_parameter_schema({})
    assert schema == {"a": ParameterType("float"), "b": ParameterType("float")}


_bounds = st.integers(-3, 3).map(str)
_small_steps = st.recursive(
    st.just(SHOT),
    lambda inner: st.one_of(
        st.builds(
            LinspaceLoop,
            st.sampled_from("ab"),
            _bounds,
            _bounds,
            st.integers(1, 3),
            st.lists(inner, max_size=2),
        ),
        st.builds(
            ArangeLoop,
            st.sampled_from("ab"),
            _bounds,
            _bounds,
            st.sampled_from(["1", "-1", "0.7"]),
            st.lists(inner, max_size=2),
        ),
        st.builds(
            ValuesLoop,
            st.sampled_from("ab"),
            st.lists(st.one_of(_bounds, st.booleans(), st.floats()), max_size=3),
            st.lists(inner, max_size=2),
        ),
    ),
    max_leaves=5,
)


@given(st.lists(_small_steps, max_size=3))
def test_a_walk_has_the_expected_number_of_shots(steps: list[Step]) -> None:
    assert len(walked(steps)) == StepsConfiguration(steps).expected_number_shots()


@given(st.lists(_small_steps, max_size=3))
def test_the_schema_covers_the_first_shot(steps: list[Step]) -> None:
    configuration = StepsConfiguration(steps)
    schema = configuration.get_parameter_schema({"x": True})
    shots = walked(steps, {"x": True})
    if shots:
        assert set(shots[0]) <= set(schema)
    assert set(schema) <= {"x"} | configuration.get_parameter_names()


def test_parameter_names() -> None:
    assert NESTED.get_parameter_names() == {"mot.detuning", "power", "repetition", "done"}


def test_the_schema_is_computed_from_the_first_value_of_each_loop() -> None:
    schema = NESTED.get_parameter_schema({"offset": quantity(1, "kHz"), "power": 3})
    assert schema == {
        "offset": ParameterType("int", "kHz"),
        "mot.detuning": ParameterType("float", "MHz"),
        "power": ParameterType("float", "mW"),
        "repetition": ParameterType("int"),
        "done": ParameterType("bool"),
    }


def test_the_schema_of_a_huge_scan_is_computed_at_once() -> None:
    steps: list[Step] = [SHOT]
    for depth in range(20):
        steps = [LinspaceLoop(f"a{depth}", "0", "1", 10**6, steps)]
    assert len(StepsConfiguration(steps).get_parameter_schema({})) == 20


def test_the_schema_of_a_recipe_without_shots() -> None:
    steps = StepsConfiguration([VariableDeclaration("a", "1 MHz")])
    assert steps.get_parameter_schema({"b": 1}) == {
        "a": ParameterType("int", "MHz"),
        "b": ParameterType("int"),
    }


def test_an_error_comes_when_the_walk_gets_there() -> None:
    shots = StepsConfiguration([SHOT, ArangeLoop("a", "0", "1", "0", [SHOT])]).walk({})
    assert next(shots) == {}
    with pytest.raises(ValueError, match="Loop over 'a': The step of a loop is zero"):
        next(shots)


def test_an_unknown_name_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="'nonsense' is neither a parameter nor a unit"):
        walked([VariableDeclaration("a", "nonsense")])


def test_a_linspace_may_have_a_single_value() -> None:
    shots = walked([LinspaceLoop("a", "3", "5", 1, [SHOT])])
    assert exactly_equal(shots, [{"a": 3.0}])


@pytest.mark.parametrize("num", [0, -1])
def test_a_linspace_needs_a_value(num: int) -> None:
    with pytest.raises(ValueError, match="number of values of a loop must be 1 or more"):
        LinspaceLoop("a", "0", "1", num, [])


@pytest.mark.parametrize("num", [True, 1.0, "3"])
def test_the_number_of_values_is_an_integer(num: Any) -> None:
    with pytest.raises(TypeError, match="number of values of a loop must be an integer"):
        LinspaceLoop("a", "0", "1", num, [])


def test_variables_have_the_names_of_parameters() -> None:
    with pytest.raises(ValueError, match="is not a parameter name"):
        VariableDeclaration("a b", "1")


@pytest.mark.parametrize("steps", [["1"], [None], [[SHOT]]])
def test_only_steps_are_steps(steps: list[Any]) -> None:
    with pytest.raises(TypeError, match="A step is a VariableDeclaration"):
        StepsConfiguration(steps)


def test_recipes_are_values() -> None:
    steps: list[Step] = [SHOT]
    configuration = StepsConfiguration(steps)
    steps.append(SHOT)
    assert configuration.steps == (SHOT,)
    assert pickle.loads(pickle.dumps(NESTED)) == NESTED
    assert hash(NESTED) == hash(StepsConfiguration(list(NESTED.steps)))
