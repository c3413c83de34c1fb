"""The grammar of conditions, which shots and sequences share."""

import pytest

from shotstore import InvalidConditionError
from shotstore.analysis.comparisons import Comparison, parse_condition


def comparisons(text: str, *known: str) -> list[tuple[str, str, str]]:
    found: list[Comparison] = parse_condition(text, known.__contains__)
    return [(each.name, each.symbol, each.value) for each in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x > 5 MHz", [("x", ">", "5 MHz")]),
        ("x!=5", [("x", "!=", "5")]),
        ("5 MHz <= mot.x", [("mot.x", ">=", "5 MHz")]),
        ("-5 MHz = x", [("x", "=", "-5 MHz")]),
        ("pi < x", [("x", ">", "pi")]),
        ("true = is_on", [("is_on", "=", "true")]),
        ("1 s < x <= 2 s", [("x", ">", "1 s"), ("x", "<=", "2 s")]),
        ("2 s >= x > 1 s", [("x", "<=", "2 s"), ("x", ">", "1 s")]),
        ("x > 1 and y = 2 & 3 < z", [("x", ">", "1"), ("y", "=", "2"), ("z", ">", "3")]),
        # Both look like names, and the first one is it.
        ("m > s", [("m", ">", "s")]),
    ],
)
def test_the_name_is_told_from_the_value(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert comparisons(text) == expected


def test_what_there_is_is_the_name_whatever_it_looks_like() -> None:
    assert comparisons("m > s", "s") == [("s", "<", "m")]
    assert comparisons("m > s", "m", "s") == [("m", ">", "s")]
    assert comparisons("5 MHz < x", "5 MHz") == [("5 MHz", "<", "x")]
    assert comparisons("3 < an odd label", "an odd label") == [("an odd label", ">", "3")]


@pytest.mark.parametrize(
    "text", ["", "x", "x >", "> 5", "x > 5 >", "x > 5 and y", "1 = x < 2", "1 < x != 2", "x =< 5"]
)
def test_what_is_no_condition_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(InvalidConditionError, match="write something like"):
        comparisons(text)
