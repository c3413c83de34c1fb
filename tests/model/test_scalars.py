import enum
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from shotstore.model.scalars import (
    JSON,
    check_positive,
    has_lone_surrogate,
    number_from_json,
    number_to_json,
    plain_scalar,
)
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import numbers


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):  # noqa: UP042 - str() of a StrEnum would be right anyway
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.bool_(True), True),
        (np.int8(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.float64(0.1), 0.1),
        (np.float16(0.5), 0.5),
        (np.str_("é"), "é"),
        (Level.LOW, 1),
        (Word.RED, "red"),
    ],
)
def test_what_equals_a_plain_value_becomes_one(value: object, plain: object) -> None:
    assert exactly_equal(plain_scalar(value), plain)


@pytest.mark.parametrize(
    "value",
    [
        np.longdouble(1),
        np.complex128(1),
        np.datetime64(1, "s"),
        np.timedelta64(1, "s"),
        np.bytes_(b"a"),
        b"a",
        None,
    ],
    ids=repr,
)
def test_what_would_change_is_left_alone(value: object) -> None:
    assert plain_scalar(value) is value


@given(numbers)
def test_a_number_comes_back_from_strict_json_as_it_was(number: int | float) -> None:
    text = json.dumps(number_to_json(number), allow_nan=False)
    assert exactly_equal(number_from_json(json.loads(text)), number)


@pytest.mark.parametrize(
    "content",
    [
        True,
        None,
        "1",
        [],
        {},
        {"float": 1},
        {"float": "x"},
        {"int": "x"},
        {"int": "1", "unit": "m"},
    ],
)
def test_what_is_not_a_stored_number_is_refused(content: JSON) -> None:
    with pytest.raises(ValueError, match=r"is not a stored number|invalid literal"):
        number_from_json(content)


def test_a_lone_surrogate_is_found() -> None:
    assert has_lone_surrogate("a\ud800")
    assert not has_lone_surrogate("\U0001f600 é")


@pytest.mark.parametrize("value", [True, 1.0, "1", None])
def test_a_count_is_an_integer(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^Number must be an integer"):
        check_positive(value, "Number")


def test_a_count_is_positive() -> None:
    numpy_int: Any = np.int64(1)
    assert check_positive(numpy_int, "Number") == 1
    with pytest.raises(ValueError, match="Number must be 1 or more, not 0"):
        check_positive(0, "Number")
