"""Conditions of any shape answer as plain Python does, on shots and on ranges."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs
import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

from shotstore import InvalidConditionError
from shotstore.analysis.finding.bounds import alternatives
from shotstore.analysis.tables import Table, TableColumn
from shotstore.analysis.tables.conditions import matching_rows
from shotstore.model.condition_grammar import parse_condition
from shotstore.records.columns import Column

Shot: TypeAlias = Mapping[str, Any]
"""``x`` in MHz, the plain number ``n``, the text ``c``; or fewer"""
Answer: TypeAlias = bool | None

_SYMBOLS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_TEXTS = ["", "a", "salt and pepper", "not (b)"]


@attrs.frozen
class Case:
    text: str
    answer: Callable[[Shot], Answer]
    """None where it is not known."""


@st.composite
def comparisons(draw: st.DrawFn, names: str) -> Case:
    name = draw(st.sampled_from(names))
    symbol = draw(st.sampled_from(list(_SYMBOLS)))
    number = draw(st.integers(-2, 3))
    written = {
        "x": draw(st.sampled_from([f"{number} MHz", f"{number * 1000} kHz"])),
        "n": draw(st.sampled_from([f"{number}", f"({number}.0)", f"1 + ({number - 1})"])),
        "c": "",
    }
    if name != "c" and symbol in ("=", "!=") and draw(st.booleans()):
        off = draw(st.integers(0, 2))
        tolerance = f"{off} MHz" if name == "x" else f"{off}"

        def is_near(shot: Shot) -> Answer:
            return _SYMBOLS[symbol](abs(shot[name] - number) <= off, True) if name in shot else None

        return Case(f"{name} {symbol} {written[name]} +- {tolerance}", is_near)
    value: Any = number
    if name == "c":
        value = draw(st.sampled_from(_TEXTS))
        written["c"] = f"'{value}'"

    def compare(shot: Shot) -> Answer:
        return _SYMBOLS[symbol](shot[name], value) if name in shot else None

    if draw(st.booleans()):
        return Case(f"{written[name]} {_TURNED[symbol]} {name}", compare)
    return Case(f"{name}{symbol}{written[name]}", compare)


@st.composite
def chains(draw: st.DrawFn) -> Case:
    first, second = (draw(st.sampled_from(["<", "<=", ">", ">="])) for _ in range(2))
    low, high = (draw(st.integers(-2, 3)) for _ in range(2))

    def compare(shot: Shot) -> Answer:
        if "n" not in shot:
            return None
        return _SYMBOLS[first](low, shot["n"]) and _SYMBOLS[second](shot["n"], high)

    return Case(f"{low} {first} n {second} {high}", compare)


def conjunction(answers: list[Answer]) -> Answer:
    if False in answers:
        return False
    return None if None in answers else True


def negated(answer: Answer) -> Answer:
    return None if answer is None else not answer


def joined(word: str, cases: list[Case]) -> Case:
    text = f" {word} ".join(f"({case.text})" for case in cases)

    def answer(shot: Shot) -> Answer:
        answers = [case.answer(shot) for case in cases]
        if word in ("and", "&"):
            return conjunction(answers)
        return negated(conjunction([negated(each) for each in answers]))

    return Case(text, answer)


def opposite(case: Case) -> Case:
    return Case(f"not ({case.text})", lambda shot: negated(case.answer(shot)))


def conditions(names: str) -> st.SearchStrategy[Case]:
    return st.recursive(
        st.one_of(comparisons(names), chains()),
        lambda inner: st.one_of(
            inner.map(opposite),
            st.builds(
                joined,
                st.sampled_from(["and", "or", "&", "|"]),
                st.lists(inner, min_size=1, max_size=3),
            ),
        ),
        max_leaves=8,
    )


_shots = st.fixed_dictionaries(
    {},
    optional={
        "x": st.integers(-2, 3).map(float),
        "n": st.integers(-2, 3),
        "c": st.sampled_from(_TEXTS),
    },
)


class _Shots(Table):
    """Shots that are in memory."""

    title = "shots"

    def __init__(self, shots: list[Shot]) -> None:
        self._shots = shots

    @property
    def columns(self) -> Mapping[str, TableColumn]:
        return {
            "x": TableColumn("x", "number", "MHz"),
            "n": TableColumn("n", "number"),
            "c": TableColumn("c", "text"),
        }

    def __len__(self) -> int:
        return len(self._shots)

    def read(
        self, names: Iterable[str], rows: npt.NDArray[np.integer[Any]] | None = None
    ) -> dict[str, Column]:
        assert rows is None
        missing = {"x": np.nan, "n": 0, "c": ""}
        return {
            name: Column(
                np.array([shot.get(name, missing[name]) for shot in self._shots]),
                np.array([name in shot for shot in self._shots], bool),
            )
            for name in names
        }


@given(conditions("xnc"), st.lists(_shots, min_size=1, max_size=8))
def test_the_shots_that_meet_a_condition_are_those_of_plain_python(
    case: Case, shots: list[Shot]
) -> None:
    expected = [row for row, shot in enumerate(shots) if case.answer(shot) is True]
    assert matching_rows(_Shots(shots), case.text).tolist() == expected


@given(conditions("xn"), _shots)
def test_a_single_shot_is_found_by_its_ranges_if_it_meets_the_condition(
    case: Case, shot: Shot
) -> None:
    try:
        found = alternatives(parse_condition(case.text))
    except InvalidConditionError:  # no value meets it
        found = []
    units = {"x": "MHz", "n": None}
    is_met = any(
        all(
            name in shot and bounds.meet(shot[name], shot[name], units[name])
            for name, bounds in ranges.items()
        )
        for ranges in found
    )
    assert is_met == (case.answer(shot) is True)
