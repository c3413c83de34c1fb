from typing import Any

import pytest
from hypothesis import given

from shotstore.model import Expression, ParameterNamespace, quantity
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import namespaces

NESTED: dict[str, Any] = {
    "a": "1",
    "mot": {"detuning": "-12 MHz", "coil": {"current": "3 A"}},
    "b.c": "2",
}


def test_nested_names_are_joined_by_dots() -> None:
    namespace = ParameterNamespace.from_mapping(NESTED)
    assert namespace.flatten() == [
        ("a", Expression("1")),
        ("mot.detuning", Expression("-12 MHz")),
        ("mot.coil.current", Expression("3 A")),
        ("b.c", Expression("2")),
    ]
    assert namespace.names() == {"a", "mot.detuning", "mot.coil.current", "b.c"}
    assert [name for name, _ in namespace.items()] == ["a", "mot", "b.c"]


def test_get_finds_expressions_and_namespaces() -> None:
    namespace = ParameterNamespace.from_mapping(NESTED)
    assert namespace.get("mot.detuning") == Expression("-12 MHz")
    assert namespace.get("mot.coil") == ParameterNamespace.from_mapping({"current": "3 A"})
    assert namespace.get("b.c") == Expression("2")
    assert namespace.get("mot.power") is None
    assert namespace.get("detuning") is None


def test_of_duplicates_the_last_one_counts() -> None:
    namespace = ParameterNamespace(
        [("a", "1"), ("mot", {"x": "1"}), ("a", "2"), ("mot", {"y": "5"}), ("mot.x", "3")]
    )
    assert namespace.evaluate() == {"a": 2, "mot.x": 3, "mot.y": 5}
    assert namespace.get("a") == Expression("2")
    assert namespace.get("mot.x") == Expression("3")
    assert namespace.replace("a", "4").flatten()[0] == ("a", Expression("1"))
    assert namespace.replace("a", "4").evaluate()["a"] == 4


@given(namespaces)
def test_get_agrees_with_flatten(namespace: ParameterNamespace) -> None:
    for name, expression in dict(namespace.flatten()).items():
        found = namespace.get(name)
        # A later namespace may have the name of an expression.
        assert found == expression or isinstance(found, ParameterNamespace)


@given(namespaces)
def test_replace_changes_one_value_and_nothing_else(namespace: ParameterNamespace) -> None:
    before = dict(namespace.flatten())
    for name in before:
        after = namespace.replace(name, "42")
        assert dict(after.flatten()) == before | {name: Expression("42")}
        assert [name for name, _ in after.flatten()] == [name for name, _ in namespace.flatten()]


def test_replace_needs_an_expression_to_replace() -> None:
    namespace = ParameterNamespace.from_mapping(NESTED)
    for name in ("nonsense", "mot", "mot.coil"):
        with pytest.raises(KeyError, match=name):
            namespace.replace(name, "1")


def test_evaluate_keeps_order_and_follows_dependencies() -> None:
    namespace = ParameterNamespace.from_mapping(
        {"total": "2 * mot.power + 1 mW", "mot": {"power": "base * 2"}, "base": "3 mW"}
    )
    values = namespace.evaluate()
    assert list(values) == ["total", "mot.power", "base"]
    assert exactly_equal(values["total"], quantity(13, "mW"))


def test_a_name_is_looked_up_from_the_inside_out() -> None:
    namespace = ParameterNamespace.from_mapping(
        {
            "x": "1",
            "y": "10",
            "mot": {"x": "2", "sum": "x + y + coil.x + mot.x", "coil": {"x": "100", "z": "x + y"}},
        }
    )
    values = namespace.evaluate()
    assert values["mot.sum"] == 2 + 10 + 100 + 2
    assert values["mot.coil.z"] == 110


def test_a_parameter_wins_over_a_unit() -> None:
    namespace = ParameterNamespace.from_mapping({"m": "3", "length": "2 m"})
    assert namespace.evaluate() == {"m": 3, "length": 6}


@pytest.mark.parametrize(
    ("content", "circle"),
    [
        ({"a": "b", "b": "2 * a"}, "a -> b -> a|b -> a -> b"),
        ({"s": "5 s"}, "s -> s"),
        ({"mot": {"x": "y", "y": "mot.x"}}, "mot.x -> mot.y -> mot.x|mot.y -> mot.x -> mot.y"),
    ],
)
def test_a_circle_is_a_value_error_that_names_it(content: dict[str, str], circle: str) -> None:
    with pytest.raises(ValueError, match=f"in a circle: ({circle})"):
        ParameterNamespace.from_mapping(content).evaluate()


@pytest.mark.parametrize("expression", ["1 +", "1 / 0", "nonsense"])
def test_an_error_names_the_parameter(expression: str) -> None:
    namespace = ParameterNamespace.from_mapping({"mot": {"x": expression}})
    with pytest.raises(ValueError, match=r"^Parameter 'mot\.x': The expression"):
        namespace.evaluate()


def test_a_long_chain_is_not_a_problem() -> None:
    chain = {f"p{index}": f"p{index + 1} + 1" for index in range(3000)} | {"p3000": "0"}
    assert ParameterNamespace.from_mapping(chain).evaluate()["p0"] == 3000


def test_the_empty_namespace() -> None:
    assert ParameterNamespace.empty() == ParameterNamespace.from_mapping({})
    assert ParameterNamespace.empty().evaluate() == {}


@pytest.mark.parametrize("content", [{"a b": "1"}, {"mot": {"": "1"}}, {"a.": "1"}])
def test_names_are_checked(content: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is not a parameter name"):
        ParameterNamespace.from_mapping(content)


def test_values_are_checked() -> None:
    content: Any = {"a": 1}
    with pytest.raises(TypeError, match="An expression is text"):
        ParameterNamespace.from_mapping(content)


def test_namespaces_are_values() -> None:
    content: dict[str, Any] = {"a": "1", "mot": {"x": "2"}}
    namespace = ParameterNamespace.from_mapping(content)
    content["mot"]["x"] = "3"
    assert namespace == ParameterNamespace.from_mapping({"a": "1", "mot": {"x": "2"}})
    assert hash(namespace) == hash(ParameterNamespace(namespace.items()))
