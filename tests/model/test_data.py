import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from shotstore.model import Data, check_data, structured_from_json, structured_to_json
from shotstore.model.quantities import quantities_in
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.strategies import arrays, data, structured_data


@given(data)
def test_data_is_returned_as_it_is(data: dict[str, Data]) -> None:
    assert exactly_equal(quantities_in(check_data(data)), data)


@given(structured_data)
def test_data_comes_back_from_strict_json_as_it_was(value: Data) -> None:
    text = structured_to_json(value)
    json.loads(text, parse_constant=pytest.fail)
    assert text.encode().decode() == text
    assert exactly_equal(structured_from_json(text), value)


@given(arrays)
def test_a_view_comes_back_whatever_its_order_in_memory(array: np.ndarray) -> None:
    view = array.T[::-1] if array.ndim else array
    content = structured_from_json(structured_to_json([view]))
    assert isinstance(content, list)
    [again] = content
    assert exactly_equal(again, view)
    assert isinstance(again, np.ndarray)
    assert again.flags.writeable


def test_an_array_with_a_thousand_fields_comes_back() -> None:
    array = np.zeros(2, [(f"channel_{index}", "<f8") for index in range(1000)])
    assert exactly_equal(structured_from_json(structured_to_json([array])), [array])


@pytest.mark.parametrize(
    "value",
    [
        {"float": "nan"},
        {"int": "0x10"},
        {"array": "AAAA"},
        {"dict": {"dict": {"float": math.nan}}},
        {"float": "nan", "more": 1},
        {},
    ],
    ids=str,
)
def test_a_dict_that_looks_like_our_own_encoding_comes_back(value: Data) -> None:
    assert exactly_equal(structured_from_json(structured_to_json(value)), value)


def test_plain_values_are_plain_json() -> None:
    value: Data = {"atoms": [1, 2.5, None, True, "é"]}
    assert structured_to_json(value) == '{"atoms":[1,2.5,null,true,"é"]}'


def test_lists_and_dicts_are_copied() -> None:
    inner = [1]
    value = {"inner": inner}
    checked = check_data({"a": value})
    inner.append(2)
    value["more"] = []
    assert checked == {"a": {"inner": [1]}}


def test_numpy_scalars_are_taken_as_python_ones() -> None:
    checked = check_data({"a": [np.float32(0.5), {np.str_("k"): np.int64(1)}, np.bool_(True)]})
    assert exactly_equal(checked, {"a": [0.5, {"k": 1}, True]})


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_array_classes_that_add_nothing_become_plain_arrays() -> None:
    records = np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
    checked = check_data({"matrix": np.asmatrix([[1]]), "records": records})
    assert [type(array) for array in checked.values()] == [np.ndarray, np.ndarray]
    assert isinstance(checked["records"], np.ndarray)
    assert checked["records"].dtype == records.dtype


@pytest.mark.parametrize(
    ("value", "advice"),
    [
        ({1}, "sorted"),
        (np.datetime64(1, "s"), "numpy.asarray"),
        (np.void(b"a"), "numpy.asarray"),
        (..., "data is"),
        (len, "data is"),
        ({1: 2}, "keys of a dict must be str"),
        (np.array([None]), "Python objects"),
        (np.zeros(1, [("a", "i4"), ("b", [("c", "O")])]), "Python objects"),
        (np.array(["a"], dtype=np.dtypes.StringDType()), "tolist"),
        (np.ma.masked_array([1, 2], [True, False]), "mask"),
        (np.zeros(2, [("a", "i4"), ("b", "i4")])[["b", "a"]], "repack_fields"),
    ],
    ids=repr,
)
@pytest.mark.parametrize("place", ["", "[1]['x']"])
def test_what_is_not_data_is_a_type_error_that_says_where_and_what_to_do(
    value: object, advice: str, place: str
) -> None:
    with pytest.raises(TypeError) as caught:
        check_data({"Camera\\picture": [0, {"x": value}] if place else value})
    assert f"'Camera\\picture'{' at ' + place if place else ' '}" in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [
        {"": 1},
        {"\ud800": 1},
        {"a": "\ud800"},
        {"a": [{"\udfff": 1}]},
        {"a": np.array(["x", "\udc00"])},
        {"a": np.array([("\ud800",)], [("f", ">U3")])},
    ],
    ids=ascii,
)
def test_texts_that_no_file_can_hold_are_a_value_error(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"surrogate|empty"):
        check_data(data)


def test_a_label_that_is_not_a_text_is_a_type_error() -> None:
    unlabelled: Any = {1: 1}
    with pytest.raises(TypeError, match="data label must be a str, not of type int"):
        check_data(unlabelled)


def test_nesting_has_a_limit() -> None:
    value: Data = 0
    for _ in range(100):
        value = [value]
    assert structured_from_json(structured_to_json(check_data({"a": value})["a"])) == value
    with pytest.raises(ValueError, match=r"Data 'a' .* nested more than 100 deep"):
        check_data({"a": {"b": value}})


def test_a_list_that_contains_itself_is_a_value_error() -> None:
    value: list[object] = []
    value += [value, value]
    with pytest.raises(ValueError, match="contain itself"):
        check_data({"a": value})


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        "[Infinity]",
        '{"float":1}',
        '{"dict":1}',
        '{"array":"AAAA"}',
        '{"array":"!"}',
        '{"array":"k05VTVBZAQB2AA=="}',
        "[" * 100_000,
        "",
    ],
    ids=lambda text: text[:20],
)
def test_text_that_is_not_ours_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="is not stored data"):
        structured_from_json(text)
