"""What is not data, not a label or not a parameter is refused before anything is written."""

from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shotstore import ShotNotFoundError, State, StorageManager
from shotstore.model import quantity
from shotstore.testing.content import refused
from shotstore.testing.experiments import PATH, indices, launch, record

NO_DATA: dict[str, tuple[object, type[Exception]]] = {
    "an array of objects": (np.array([{}, None]), TypeError),
    "a record with an object": (np.zeros(1, [("a", "O")]), TypeError),
    "a masked array": (np.ma.masked_array([1, 2], [True, False]), TypeError),
    "an object array inside": ([{"a": np.array([None])}], TypeError),
    "a set": ({1}, TypeError),
    "a naive datetime": (datetime(2026, 11, 22), TypeError),  # noqa: DTZ001
    "a date in a tuple": ((1, date(2026, 11, 22)), TypeError),
    "a path": (Path("a"), TypeError),
    "a fraction": (Fraction(1, 3), TypeError),
    "an object": (object(), TypeError),
    "a key that is not a text": ({1: 2}, TypeError),
    "half a surrogate pair": ("\ud800", ValueError),
    "half a pair inside": ([{"\udfff": 1}], ValueError),
    "half a pair in an array": (np.array([0xD800], "u4").view("U1"), ValueError),
}


@pytest.mark.parametrize("kind", NO_DATA)
def test_what_is_no_data_is_refused_by_its_label_before_anything_is_written(
    storage: StorageManager, kind: str
) -> None:
    value, error = NO_DATA[kind]
    launch(storage)
    record(storage)
    with storage.session() as session:
        data: dict[str, Any] = {"good": np.arange(3), "the bad one": value}
        with refused(session, error, "the bad one"):
            record(session, index=1, data=data)
        record(session, index=1)
    assert indices(storage) == [0, 1]


def test_a_list_that_contains_itself_is_refused(storage: StorageManager) -> None:
    endless: list[Any] = []
    endless.append(endless)
    with storage.session() as session:
        launch(session)
        with pytest.raises(ValueError, match="the bad one"):
            record(session, data={"the bad one": endless})
        record(session)


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"a": "\ud800"}, ValueError),
        ({"a": b"text"}, TypeError),
        ({"a": None}, TypeError),
        ({"a": np.arange(2)}, TypeError),
        ({"a": 1j}, TypeError),
        ({"a": quantity(1, "s") * np.arange(2)}, TypeError),
        ({"not a name": 1}, ValueError),
        ({"a..b": 1}, ValueError),
        ({"": 1}, ValueError),
    ],
    ids=str,
)
def test_what_is_no_parameter_is_refused(
    storage: StorageManager, parameters: dict[str, Any], error: type[Exception]
) -> None:
    with storage.session() as session:
        launch(session)
        with pytest.raises(error):
            record(session, parameters={"good": 1, **parameters})
        assert session.sequences.get_shots(PATH) == []
        record(session)


@pytest.mark.parametrize("label", ["", "\ud800"], ids=ascii)
def test_what_is_no_label_is_refused(storage: StorageManager, label: str) -> None:
    with storage.session() as session:
        launch(session)
        for value in (1.5, "text", np.arange(3)):
            with pytest.raises(ValueError):  # noqa: PT011
                record(session, data={"good": 1, label: value})
        with pytest.raises(ShotNotFoundError):
            session.sequences.get_all_shot_data(PATH, 0)
        record(session)
        assert session.sequences.get_state(PATH) is State.RUNNING
