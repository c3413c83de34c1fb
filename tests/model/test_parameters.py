import json
import subprocess
import sys
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import given

from shotstore.model import (
    JSON,
    Parameter,
    check_parameter_name,
    check_parameters,
    parameter_from_json,
    parameter_to_json,
    quantity,
)
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import parameter_names, parameter_values, parameters


@given(parameter_names)
def test_identifiers_joined_by_dots_are_names(name: str) -> None:
    assert check_parameter_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "a.", ".a", "a..b", "a b", "1a", "a-b", "a\n", "\ud800"])
def test_other_texts_are_not_names(name: str) -> None:
    with pytest.raises(ValueError, match="is not a parameter name"):
        check_parameter_name(name)


def test_a_name_that_is_not_a_text_is_refused() -> None:
    unnamed: Any = {1: 1}
    with pytest.raises(ValueError, match="is not a parameter name"):
        check_parameters(unnamed)


@given(parameters)
def test_parameters_are_returned_as_they_are(parameters: dict[str, Parameter]) -> None:
    assert exactly_equal(check_parameters(parameters), parameters)


@given(parameter_values)
def test_a_parameter_comes_back_from_strict_json_as_it_was(value: Parameter) -> None:
    text = json.dumps(parameter_to_json(value), allow_nan=False)
    assert exactly_equal(parameter_from_json(json.loads(text)), value)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.bool_(False), False),
        (np.int32(3), 3),
        (np.float32(0.5), 0.5),
        (pint.Quantity(np.float64(1.5), "MHz"), quantity(1.5, "MHz")),
        (pint.UnitRegistry().Quantity(2, "MHz"), quantity(2, "MHz")),
    ],
    ids=str,
)
def test_a_parameter_gets_its_plain_type(value: object, plain: object) -> None:
    assert exactly_equal(check_parameters({"a": value})["a"], plain)


def test_a_quantity_changed_later_does_not_change_the_parameter() -> None:
    given_quantity = quantity(1.0, "MHz")
    checked = check_parameters({"a": given_quantity})
    given_quantity.ito("kHz")
    assert exactly_equal(checked["a"], quantity(1.0, "MHz"))


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"1",
        1j,
        np.array(1.0),
        np.longdouble(1),
        np.timedelta64(1, "s"),
        [1],
        pint.Quantity(np.array([1.0]), "m"),
        pint.Quantity(np.array(1.0), "m"),
        pint.Quantity(1j, "m"),
    ],
    ids=repr,
)
def test_anything_else_is_a_type_error_that_names_the_parameter(value: object) -> None:
    with pytest.raises(TypeError, match=r"Parameter 'mot\.detuning'"):
        check_parameters({"mot.detuning": value})


def test_an_unknown_unit_is_a_value_error_that_names_the_parameter() -> None:
    other: pint.UnitRegistry[Any] = pint.UnitRegistry()
    other.define("recoil = 2 kHz")
    with pytest.raises(ValueError, match=r"Parameter 'mot\.detuning': .* 'recoil'"):
        check_parameters({"mot.detuning": other.Quantity(1, "recoil")})


@pytest.mark.parametrize(
    "content", [None, [], {"magnitude": 1}, {"magnitude": True, "unit": "m"}, {"unit": "m"}]
)
def test_what_is_not_a_stored_parameter_is_refused(content: JSON) -> None:
    with pytest.raises(ValueError, match=r"is not a stored number|invalid literal"):
        parameter_from_json(content)


def test_plain_parameters_need_no_pint() -> None:
    program = """
import sys
from shotstore.model import Expression, check_parameters, parameter_to_json
parameter_to_json(check_parameters({"a": Expression("2 * 3").evaluate({})})["a"])
assert "pint" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
