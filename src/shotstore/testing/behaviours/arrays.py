"""Arrays of all types and shapes come back to the last bit."""

import math

import numpy as np
import pytest

from shotstore import StorageManager
from shotstore.model import Data
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, launch, record
from shotstore.testing.round_trips import Shots, assert_comes_back

ARRAYS = {
    "frame": np.arange(12, dtype=np.uint16).reshape(3, 4),
    "big endian": np.arange(4, dtype=">i4"),
    "one byte": np.arange(3, dtype="i1"),
    "half": np.array([0.5, math.nan, -math.inf], np.float16),
    "nan payload": np.array([0x7FF8_0000_0000_1234], "u8").view("f8"),
    "long double": np.array([1, 3], np.longdouble) / 3,
    "complex": np.array([1 + 2j, math.nan * 1j]),
    "big endian complex": np.array([1 - 2j], ">c8"),
    "long complex": np.array([1 + 2j], np.clongdouble),
    "bool": np.array([[True], [False]]),
    "0-d": np.array(2.5),
    "0-d text": np.array("é"),
    "0-d date": np.array("2026-11-22", "M8[D]"),
    "0-d structured": np.array((1, 2.5), [("a", "i2"), ("b", "f8")]),
    "0-d structured text": np.array((1, "é"), [("a", "i2"), ("b", "U3")]),
    "empty": np.array([], "f4"),
    "empty frame": np.zeros((3, 0), "u2"),
    "no frames": np.zeros((0, 3), "u2"),
    "no texts": np.array([], "U3"),
    "no records": np.zeros((0, 2), [("a", "U2")]),
    "texts": np.array([["aé", "日本語"], ["", "a\0b"]]),
    "big endian texts": np.array(["é"], ">U4"),
    "texts without room": np.zeros(3, [("a", "U0")])["a"],
    "bytes": np.array([b"a\0b", b"", b"\xff"]),
    "no bytes": np.zeros(3, [("a", "S0")])["a"],
    "raw": np.array([b"\0\1\2"]).view("V3"),
    "dates": np.array(["2026-11-22", "NaT"], "M8[D]"),
    "big endian dates": np.array(["2026-11-22T12:00:00.5"], ">M8[ms]"),
    "durations": np.array([1, -5], "m8[ns]"),
    "durations without unit": np.array([7]).view("m8"),
    "records": np.array([(1, 2.5)], [("a", "<i4"), ("b", ">f8")]),
    "records of all": np.array(
        [(1, "é", [1.5, 2], "2026-11-22", (True, 1j))],
        [
            ("a", "i2"),
            ("b", "U3"),
            ("c", "f8", 2),
            ("d", "M8[s]"),
            ("e", [("f", "?"), ("g", "c8")]),
        ],
    ),
    "aligned records": np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "titled records": np.ones(2, [(("the title", "a"), "i4")]),
    "oddly named records": np.ones(2, [("a b", "i4"), ("é/%", "i4"), ("", "i4")]),
    "records with frames": np.ones(2, [("frame", "u2", (200, 300)), ("time", "f8")]),
    "records with long names": np.ones(2, [("x" * 70_000, "i4")]),
    "wide records": np.ones(2, [(f"channel {index}", "f4") for index in range(3000)]),
    "long items": np.array([b"x" * 100_000, b"y"]),
    "long texts": np.array(["é" * 50_000]),
    "31 dimensions": np.ones((1,) * 31),
    "64 dimensions": np.ones((2,) + (1,) * 63, ">u2"),
    "31 dimensions of records": np.ones((1,) * 31, [("a", "U1")]),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_an_array_comes_back_to_the_last_bit(storage: StorageManager, kind: str) -> None:
    array = ARRAYS[kind]
    assert_comes_back(storage, [({}, {"x": array}), ({}, {}), ({}, {"x": array})], each=False)
    with storage.session() as session:
        found = session.sequences.get_all_shot_data(PATH, 2)["x"]
        assert isinstance(found, np.ndarray)
        assert found.dtype.str == array.dtype.str
        assert found.dtype.names == array.dtype.names


def test_arrays_of_all_kinds_follow_each_other_under_one_label(storage: StorageManager) -> None:
    shots: Shots = [({}, {"x": array}) for array in (*ARRAYS.values(), *ARRAYS.values())]
    assert_comes_back(storage, shots, each=False)


def test_arrays_in_any_layout_come_back(storage: StorageManager) -> None:
    cube = np.arange(24, dtype="u2").reshape(2, 3, 4)
    views: dict[str, Data] = {
        "transposed": cube.T,
        "reversed": cube[::-1, :, ::2],
        "broadcast": np.broadcast_to(np.arange(3.0), (4, 3)),
        "field": np.ones(3, [("a", "i1"), ("b", ">f8")])["b"],
        "read-only": np.frombuffer(b"\1\2\3\4", "u1"),
    }
    assert_comes_back(storage, [({}, views)])


@pytest.mark.parametrize("kind", ["frame", "0-d", "texts", "dates", "records of all", "bool"])
def test_an_array_that_comes_back_belongs_to_the_caller(storage: StorageManager, kind: str) -> None:
    launch(storage)
    record(storage, data={"x": ARRAYS[kind]})
    with storage.session() as session:
        found = session.sequences.get_all_shot_data(PATH, 0)["x"]
        assert isinstance(found, np.ndarray)
        found[...] = np.zeros((), found.dtype)
        again = session.sequences.get_all_shot_data(PATH, 0)["x"]
        assert exactly_equal(again, ARRAYS[kind])


def test_changing_an_array_after_it_was_recorded_changes_nothing(storage: StorageManager) -> None:
    array = np.arange(5)
    with storage.session() as session:
        launch(session)
        record(session, data={"x": array, "in": [array]})
        array[:] = 0
    with storage.session() as session:
        found = session.sequences.get_all_shot_data(PATH, 0)
    assert exactly_equal(found, {"x": np.arange(5), "in": [np.arange(5)]})


def test_arrays_of_a_hundred_lengths_come_back(storage: StorageManager) -> None:
    random = np.random.default_rng(1)
    lengths = random.permutation(100)
    shots: Shots = [({}, {"tags": np.arange(n) * n, "xy": np.ones((n, 2), "f4")}) for n in lengths]
    assert_comes_back(storage, shots, each=False)
