import math
import pickle
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore.model import Expression, Parameter, quantity
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import characters, parameter_names, parameter_values


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-0.0", -0.0),
        ("2**70", 2**70),
        ("True", True),
        ("False", False),
        ("pi", math.pi),
        ("-inf", -math.inf),
        ("nan", math.nan),
        ("-2**2", -4),
        ("2**3**2", 512),
        ("2^-1", 0.5),
        ("--3", 3),
        ("7 - 4 - 2", 1),
        ("12 / 3 / 2", 2.0),
        ("2 (3 + 4)", 14),
        ("2 sin(pi / 2) (3)", 6.0),
        ("min(3, 1, 2)", 1),
        ("floor(-0.5)", -1),
        (" \n1 +\t1 ", 2),
    ],
)
def test_numbers(text: str, value: Parameter) -> None:
    assert exactly_equal(Expression(text).evaluate({}), value)


@pytest.mark.parametrize(
    ("text", "magnitude", "unit"),
    [
        ("-12 MHz", -12, "MHz"),
        ("10kHz", 10, "kHz"),
        ("MHz", 1, "MHz"),
        ("9.81 m/s^2", 9.81, "m / s ** 2"),
        ("3 m²", 3, "m ** 2"),
        ("2.0 kg m s⁻²", 2.0, "kg m / s ** 2"),
        ("(1 / 2) s", 0.5, "s"),
        ("1 m + 50 cm", 1.5, "m"),
        ("20 degC", 20, "degC"),
        ("-20 °C", -20, "degC"),
        ("20 degC + 5 delta_degC", 25, "degC"),
        ("50 %", 50, "%"),
        ("5 min", 5, "minute"),
        ("min(1 m, 20 cm)", 20, "cm"),
        ("abs(-3 m)", 3, "m"),
        ("sqrt(4 m**2)", 2.0, "m"),
        ("1 MHz / (1 kHz)", 1.0, "MHz / kHz"),
        ("5 dimensionless", 5, ""),
    ],
)
def test_quantities(text: str, magnitude: float, unit: str) -> None:
    assert exactly_equal(Expression(text).evaluate({}), quantity(magnitude, unit))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sin(90 deg)", 1.0),
        ("sin(90°)", 1.0),
        ("exp(1)", math.e),
        ("floor(7 MHz / (2 MHz))", 3),
        ("round(1 MHz / (1 kHz))", 1000),
        ("arctan(1)", math.pi / 4),
        ("log10(1000)", 3.0),
    ],
)
def test_functions_of_numbers_give_plain_numbers(text: str, value: Parameter) -> None:
    assert exactly_equal(Expression(text).evaluate({}), value)


def test_names_are_looked_up_in_the_variables() -> None:
    variables: dict[str, Parameter] = {
        "offset": quantity(1, "MHz"),
        "mot.detuning": np.float64(1.5),
        "µ": 3,
    }
    assert exactly_equal(Expression("10 MHz + 2 * offset").evaluate(variables), quantity(12, "MHz"))
    assert exactly_equal(Expression("2 mot.detuning").evaluate(variables), 3.0)
    assert exactly_equal(Expression("µ").evaluate(variables), 3)


def test_a_quantity_of_another_registry_can_be_a_variable() -> None:
    variables = {"a": pint.UnitRegistry().Quantity(1, "MHz")}
    assert Expression("a + 1 MHz").evaluate(variables) == quantity(2, "MHz")


@given(parameter_names, parameter_values)
def test_a_variable_wins_over_constants_and_units(name: str, value: Parameter) -> None:
    for name_of_one in (name, "pi", "MHz", "m"):
        assert exactly_equal(Expression(name_of_one).evaluate({name_of_one: value}), value)


def test_a_function_can_share_its_name_with_a_variable() -> None:
    assert Expression("max(max, 2)").evaluate({"max": 5}) == 5


_plain = st.one_of(st.integers(0, 9), st.floats(0.125, 9, width=16)).map(str)
_arithmetic = st.recursive(
    _plain,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", " - "]), inner).map("".join),
        inner.map("({})".format),
        inner.map("-{}".format),
        inner.map("({})**2".format),
    ),
    max_leaves=12,
)


@given(_arithmetic)
def test_arithmetic_follows_the_rules_of_python(text: str) -> None:
    try:
        expected = eval(text)
    except ZeroDivisionError:
        with pytest.raises(ValueError, match="zero"):
            Expression(text).evaluate({})
    else:
        assert exactly_equal(Expression(text).evaluate({}), expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "(",
        "1 +",
        "1)",
        "* 2",
        "1 000",
        "1e5 9",
        "a.5",
        "1.5.5",
        "x = 3",
        "'a",
        "3 'a'",
        "f(,)",
        "sin()",
        "lambda: 1",
        "a[0]",
        "a @ b",
        "a // b",
        "a\\b",
        "٣",
        "1" * 5000,
    ],
    ids=lambda text: repr(text[:20]),
)
def test_a_syntax_error_shows_the_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"The expression .* at character") as caught:
        Expression(text).evaluate({"a": 1, "b": 1, "c": 1, "x": 1})
    assert repr(text)[1:20] in str(caught.value)


@pytest.mark.parametrize("text", ["1 / 2 s", "10 MHz / 2 kHz", "m / s kg", "1 / 2 (3)"])
def test_a_factor_behind_a_division_is_refused_as_ambiguous(text: str) -> None:
    with pytest.raises(ValueError, match=r"ambiguous .* write a / \(b c\)"):
        Expression(text).evaluate({})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 MHz + 1 m", "Cannot convert"),
        ("1 MHz + 1", "Cannot convert"),
        ("exp(1 m)", "Cannot convert"),
        ("2 ** (1 m)", "Cannot convert"),
        ("20 degC * 2", "offset unit"),
        ("1 / 0", "division by zero"),
        ("10.0 ** 400", "too large"),
        ("sqrt(-1)", "domain"),
        ("(-8) ** (1 / 3)", "no real root"),
        ("sin(1, 2)", "one argument, not 2"),
        ("True MHz", "Invalid magnitude"),
    ],
)
def test_what_cannot_be_computed_is_a_value_error_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        Expression(text).evaluate({})
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("mot.detunin", "mot.detuning"),
        ("Mhz", "MHz"),
        ("nonsense", None),
        ("__import__", None),
    ],
)
def test_an_unknown_name_is_a_value_error_with_similar_names(text: str, hint: str | None) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is neither a parameter nor a unit") as caught:
        Expression(text).evaluate({"mot.detuning": 1})
    assert (f"did you mean {hint}?" in str(caught.value)) == (hint is not None)


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9**9",
        "99999**99999 * 0",
        "((10**5000)**2)**2",
        "2**2**2**2**2**2" + "**2" * 1000,
        "2**(1 hour**9999999 / (1 s**9999999))",
        "((m**100)**100)**100",
        "m**nan",
        "(" * 10_000,
        "(" * 10_000 + "1" + ")" * 10_000,
        "sqrt(" * 10_000,
    ],
    ids=lambda text: text[:20],
)
def test_no_text_takes_long(text: str) -> None:
    with pytest.raises(ValueError, match=r"too large|nested|exponent"):
        Expression(text).evaluate({})


def test_a_long_text_is_not_a_deep_one() -> None:
    assert Expression("+".join(["1"] * 5000)).evaluate({}) == 5000
    assert Expression("-" * 5000 + "1").evaluate({}) == 1


@given(st.one_of(st.text(characters), st.text(st.sampled_from("12.e+-*/^() ,a²sMHzpi°%"))))
def test_no_text_has_an_error_of_another_kind(text: str) -> None:
    try:
        value = Expression(text).evaluate({"a": 1})
    except ValueError:
        return
    assert isinstance(value, bool | int | float | pint.Quantity)


def test_the_text_is_not_looked_at_before_it_is_evaluated() -> None:
    unfinished = Expression("10 MHz +")
    assert unfinished.text == str(unfinished) == "10 MHz +"


@pytest.mark.parametrize("value", [1, 1.5, None, b"1", ["1"]])
def test_only_text_is_an_expression(value: Any) -> None:
    with pytest.raises(TypeError, match="An expression is text"):
        Expression(value)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(ValueError, match="lone surrogate"):
        Expression("\ud800")


def test_names() -> None:
    assert Expression("sin(a) + mot.b * 2 MHz").names() == {"a", "mot.b", "MHz"}


def test_expressions_are_values() -> None:
    expression = Expression("2 * a")
    assert expression == Expression(expression) == pickle.loads(pickle.dumps(expression))
    assert len({expression, Expression("2 * a"), Expression("2*a")}) == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [("'Rb87'", "Rb87"), ('"it\'s"', "it's"), ("''", ""), (" ( '2 MHz' ) ", "2 MHz"), ("x", "a")],
)
def test_a_text_is_written_in_quotes(text: str, value: str) -> None:
    assert Expression(text).evaluate({"x": "a"}) == value
    assert Expression("'Rb87'").names() == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "'a' + 'b'",
        "2 * 'a'",
        "'a' * 2",
        "-'a'",
        "x + 1",
        "min('a', 'b')",
        "abs(x)",
        "'a'**2",
        "'a' m",
    ],
)
def test_nothing_is_computed_with_texts(text: str) -> None:
    with pytest.raises(ValueError, match="'a' is a text, with which nothing can be computed"):
        Expression(text).evaluate({"x": "a"})


@pytest.mark.parametrize("text", ["Rb87", "2 Rb87"])
def test_a_name_that_nothing_has_may_be_a_text_without_quotes(text: str) -> None:
    with pytest.raises(
        ValueError,
        match=r"'Rb87' is neither a parameter nor a unit.*, and a text is written in quotes",
    ):
        Expression(text).evaluate({})
