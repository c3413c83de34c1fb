"""Recipes without a number of shots."""

import itertools

import pytest

from shotstore.model import DefaultSerializer, OpenEnded, ParameterSchema

INITIAL = {"offset": 2.0, "mot.detuning": -12}


def test_it_goes_on_without_an_end() -> None:
    shots = [*itertools.islice(OpenEnded().walk(INITIAL), 1000)]
    assert shots == [INITIAL] * 1000
    shots[0]["offset"] = 3.0
    assert shots[1] == INITIAL


def test_what_is_not_a_parameter_is_refused_before_the_first_shot() -> None:
    with pytest.raises(TypeError, match="offset"):
        OpenEnded().walk({"offset": None})  # type: ignore[dict-item]


def test_it_has_no_number_and_sets_nothing() -> None:
    assert OpenEnded().expected_number_shots() is None  # type: ignore[func-returns-value]
    assert OpenEnded().get_parameter_names() == set()
    assert OpenEnded().get_parameter_schema(INITIAL) == ParameterSchema.of(INITIAL)
    ranges = OpenEnded().get_parameter_ranges(INITIAL)
    assert (ranges.varied, ranges.declared) == ({}, {})


def test_it_is_a_value() -> None:
    assert OpenEnded() == OpenEnded()
    assert hash(OpenEnded()) == hash(OpenEnded())


def test_it_is_stored_by_its_name() -> None:
    serializer = DefaultSerializer()
    content = serializer.dump_iteration(OpenEnded())
    assert content == {"type": "open_ended", "content": {}}
    assert serializer.load_iteration(content) == OpenEnded()
    with pytest.raises(ValueError, match="shots"):
        serializer.load_iteration({"type": "open_ended", "content": {"shots": 3}})
