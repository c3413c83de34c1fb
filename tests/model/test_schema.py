import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from shotstore.model import (
    Data,
    DataType,
    Parameter,
    ParameterSchema,
    ParameterType,
    quantity,
)
from shotstore.testing.strategies import parameters


def test_the_schema_of_some_parameters() -> None:
    schema = ParameterSchema.of(
        {"a": True, "b": 1, "c": 1.0, "mot.x": quantity(1.0, "MHz"), "n": quantity(1, "")}
    )
    assert schema == {
        "a": ParameterType("bool", None),
        "b": ParameterType("int", None),
        "c": ParameterType("float", None),
        "mot.x": ParameterType("float", "MHz"),
        "n": ParameterType("int", ""),
    }
    assert schema["mot.x"].units == "MHz"
    assert list(schema) == ["a", "b", "c", "mot.x", "n"]


@given(parameters)
def test_a_schema_has_each_parameter(parameters: dict[str, Parameter]) -> None:
    schema = ParameterSchema.of(parameters)
    assert list(schema) == list(parameters)
    assert schema.merged(schema) == schema


def test_merging_widens_types_and_keeps_the_first_unit() -> None:
    first = ParameterSchema.of({"a": 1, "b": quantity(1, "MHz"), "c": 2.0})
    second = ParameterSchema.of({"c": 1, "a": 1.0, "b": quantity(1.0, "kHz"), "d": True})
    assert first.merged(second) == {
        "a": ParameterType("float"),
        "b": ParameterType("float", "MHz"),
        "c": ParameterType("float"),
        "d": ParameterType("bool"),
    }


def test_a_type_is_one_of_three() -> None:
    name: Any = "complex"
    with pytest.raises(ValueError, match="complex"):
        ParameterType(name)


def test_schemas_are_values() -> None:
    types = {"a": ParameterType("int")}
    schema = ParameterSchema(types)
    types.clear()
    assert schema == {"a": ParameterType("int")}
    assert pickle.loads(pickle.dumps(schema)) == schema
    assert ParameterSchema() == {}


@pytest.mark.parametrize("other", [np.array("a"), np.array(b"a"), np.array("2026", "M8[s]")])
def test_numbers_beside_texts_or_times_stay_what_they_are(other: Data) -> None:
    for number in (1j, np.array(5), np.array(True)):
        merged = DataType.of(number).merged(DataType.of(other))
        assert merged == DataType.of(other).merged(DataType.of(number)) == DataType("json")
