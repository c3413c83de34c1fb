"""The grammar of conditions, which shots and sequences share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore import InvalidConditionError
from shotstore.model import Parameter, quantity
from shotstore.model.condition_grammar import parse_condition
from shotstore.model.conditions import And, Comparison, Condition, Not, Or, Value, comparisons_in
from shotstore.testing.strategies import characters


def comparisons(text: str, *known: str) -> list[tuple[str, str, str]]:
    found = comparisons_in(parse_condition(text, known.__contains__))
    return [(each.name, each.symbol, str(each.value)) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x > 5 MHz", [("x", ">", "5 MHz")]),
        ("x!=5", [("x", "!=", "5")]),
        ("x == 5", [("x", "=", "5")]),
        ("x ≠ 5", [("x", "!=", "5")]),
        ("1 s ≤ x ≤ 2 s", [("x", ">=", "1 s"), ("x", "<=", "2 s")]),
        ("3≥x", [("x", "<=", "3")]),
        ("5 MHz <= mot.x", [("mot.x", ">=", "5 MHz")]),
        ("-5 MHz = x", [("x", "=", "-5 MHz")]),
        ("pi < x", [("x", ">", "pi")]),
        ("true = is_on", [("is_on", "=", "true")]),
        ("1 s < x <= 2 s", [("x", ">", "1 s"), ("x", "<=", "2 s")]),
        ("2 s >= x > 1 s", [("x", "<=", "2 s"), ("x", ">", "1 s")]),
        ("x > 1 and y = 2 & 3 < z", [("x", ">", "1"), ("y", "=", "2"), ("z", ">", "3")]),
        # Both look like names, and the first one is it.
        ("m > s", [("m", ">", "s")]),
        ("(1 + 2) MHz < x", [("x", ">", "(1 + 2) MHz")]),
        ("x > sqrt(2) (MHz)", [("x", ">", "sqrt(2) (MHz)")]),
        ("det* > 5 MHz", [("det*", ">", "5 MHz")]),
        ("x = 1 MHz +- 0.1 MHz", [("x", "=", "1 MHz +- 0.1 MHz")]),
        ("1±.1 != x", [("x", "!=", "1 +- .1")]),
        ("x > 1 + -2", [("x", ">", "1 + -2")]),
        ("comment = 'salt and pepper'", [("comment", "=", "'salt and pepper'")]),
        ('comment = "a < b"', [("comment", "=", "'a < b'")]),
        ("'no 3' = comment", [("comment", "=", "'no 3'")]),
        ("t >= 2026-11-22 18:30+01:00", [("t", ">=", "2026-11-22 18:30+01:00")]),
        ("comment = it's mine", [("comment", "=", "it's mine")]),
    ],
)
def test_the_name_is_told_from_the_value(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert comparisons(text) == expected


def test_what_there_is_is_the_name_whatever_it_looks_like() -> None:
    assert comparisons("m > s", "s") == [("s", "<", "m")]
    assert comparisons("m > s", "m", "s") == [("m", ">", "s")]
    assert comparisons("5 MHz < x", "5 MHz") == [("5 MHz", "<", "x")]
    assert comparisons("3 < an odd label", "an odd label") == [("an odd label", ">", "3")]
    assert comparisons("'x or y' > 3", "x or y") == [("x or y", ">", "3")]
    assert comparisons("'x' = y", "x", "y") == [("y", "=", "'x'")]


def _comparison(letter: str) -> Comparison:
    return Comparison(letter, ">", Value("1"))


A, B, C = map(_comparison, "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1 and b > 1 or c > 1", Or((And((A, B)), C))),
        ("a > 1 or b > 1 and c > 1", Or((A, And((B, C))))),
        ("(a > 1 or b > 1) and c > 1", And((Or((A, B)), C))),
        ("a > 1 | b > 1 || c > 1", Or((A, B, C))),
        ("not a > 1 and b > 1", And((Not(A), B))),
        ("not (a > 1 and b > 1)", Not(And((A, B)))),
        ("not not not a > 1", Not(A)),
        ("((a > 1))", A),
        ("not 1 < a > 1", Not(And((A, A)))),
    ],
)
def test_not_binds_before_and_and_that_before_or(text: str, expected: Condition) -> None:
    assert parse_condition(text) == expected


def test_a_condition_is_written_as_it_is_read() -> None:
    for text in (
        "not (a > 1 and (b < 2 MHz or c = 3 s +- 1 s))",
        "(comment != 'salt and pepper' or comment = \"it's\") and x >= 1",
        "not (a > 1 or 'signal > noise' = 2)",
        "('and' = 1 or \"don't or do\" = 2)",
    ):
        condition = parse_condition(text)
        assert str(condition) == text
        assert parse_condition(str(condition)) == condition


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "ends too early at character 1"),
        ("x", "ends too early at character 2"),
        ("x >", "ends too early at character 4"),
        ("> 5", "unexpected '>' at character 1"),
        ("x > 5 >", "ends too early"),
        ("x > 5 and y", "ends too early"),
        ("1 = x < 2", "unexpected '<' at character 7"),
        ("1 < x != 2", "unexpected '!='"),
        ("1 < x < 2 < 3", "unexpected '<' at character 11"),
        ("x =< 5", "unexpected '<' at character 4"),
        ("x > 1 and or y > 2", "unexpected 'or'"),
        ("x > not 1", "unexpected 'not'"),
        ("(x > 1", "ends too early"),
        ("x > 1)", r"unexpected '\)'"),
        ("x > (1", "ends too early"),
        ("x > (1 and y > 2)", "unexpected 'and'"),
        ("2 (x > 1)", r"unexpected '\('|unexpected '>'"),
        ("comment = 'abc", "a quote at character 11 that is not closed"),
        ("comment = 'a' b", "unexpected 'b'"),
        ("comment = b 'a'", "unexpected \"'a'\""),
        ("x > 1 +- 0.1", "a tolerance goes with = or !="),
        ("x = (1 +- 0.1) MHz", r"unexpected '\+-' at character 8"),
        ("x = +- 0.1", r"unexpected '\+-'"),
        ("x = 1 +- 0.1 +- 0.2", r"unexpected '\+-'"),
        ("x +- 1 = 5", "ends too early|tolerance of 'x'"),
        ("comment = salt and pepper", "ends too early"),
    ],
)
def test_what_is_not_a_condition_is_told_where_and_how_to_write_one(text: str, where: str) -> None:
    with pytest.raises(InvalidConditionError, match="write something like") as caught:
        parse_condition(text, {"x", "comment"}.__contains__)
    assert caught.match(f"is not a condition, as it .*({where})")


@pytest.mark.parametrize("text", ["(" * 10_000 + "x > 1", "(" * 10_000 + "x > 1" + ")" * 10_000])
def test_no_text_is_too_deep(text: str) -> None:
    with pytest.raises(InvalidConditionError, match="nested more than 50 deep"):
        parse_condition(text)


def test_a_long_text_is_not_a_deep_one() -> None:
    assert parse_condition("not " * 5000 + "a > 1") == A
    assert parse_condition(" and ".join(["a > 1"] * 5000)) == And((A,) * 5000)


@given(st.one_of(st.text(characters), st.text(st.sampled_from("12.ax<>=!&|+-±*'\"() ,ornotand"))))
def test_no_text_has_an_error_of_another_kind(text: str) -> None:
    try:
        found = list(comparisons_in(parse_condition(text)))
    except InvalidConditionError:
        return
    assert found


@pytest.mark.parametrize(
    ("value", "tolerance", "low", "high"),
    [
        ("3", None, 3, 3),
        ("3", "1", 2, 4),
        ("1 MHz", "100 kHz", quantity(0.9, "MHz"), quantity(1.1, "MHz")),
        ("20 degC", "1 delta_degC", quantity(19, "degC"), quantity(21, "degC")),
        ("-30 dBm", "1 dB", quantity(-31, "dBm"), quantity(-29, "dBm")),
        ("0", "2 s", quantity(-2, "s"), quantity(2, "s")),
        ("true", None, True, True),
    ],
)
def test_a_tolerance_goes_to_both_sides(
    value: str, tolerance: str | None, low: Parameter, high: Parameter
) -> None:
    assert Value(value, tolerance=tolerance).ends() == (low, high)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Value("3", is_quoted=True), "numbers are written without quotes"),
        (Value("3", tolerance="-1"), "must not be negative"),
        (Value("3", tolerance="nan"), "not a finite number"),
        (Value("3 MHz", tolerance="1 s"), "does not fit 'megahertz'"),
        (Value("3 MHz", tolerance="1"), "does not fit 'megahertz'"),
        (Value("3", tolerance="10 %"), "3 has no unit: write the tolerance as a number too"),
        (Value("3", tolerance="1 dB"), "3 has no unit"),
        (Value("soon"), "'soon' is neither a number nor a unit"),
        (Value("mot.power"), "compared with a value, not with another name"),
        (Value("3 Mhz"), "did you mean MHz"),
    ],
)
def test_what_is_not_a_number_is_told(value: Value, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        value.ends()
