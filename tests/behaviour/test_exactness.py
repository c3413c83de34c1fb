"""What was recorded comes back: value, type, shape, byte order, unit, whatever stood before it."""

import enum
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pint
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shotstore import PureSequencePath, ShotNotFoundError, State, StorageManager
from shotstore.model import Data, Parameter, quantity
from tests.builders import PATH, content, launch, path, record, reopened
from tests.model import strategies
from tests.model.exactness import exactly_equal

Shots = list[tuple[Mapping[str, Parameter], Mapping[str, Data]]]


def assert_comes_back(
    storage: StorageManager, shots: Shots, *, path: PureSequencePath = PATH, each: bool = True
) -> None:
    """Record the shots, each in a session of its own or all in one, and compare what is read."""
    numbered = list(enumerate(shots))
    with storage.session() as session:
        launch(session, path, shots=None)
    for part in [[shot] for shot in numbered] if each else [numbered]:
        with storage.session() as session:
            for index, (parameters, data) in part:
                record(session, path, index, parameters, data)
            assert_holds(session, path, shots[: part[-1][0] + 1] if part else [])
    with reopened(storage).session() as session:
        assert_holds(session, path, shots)


def assert_holds(session: Any, path: PureSequencePath, shots: Shots) -> None:
    assert [shot.index for shot in session.sequences.get_shots(path)] == list(range(len(shots)))
    for index, (parameters, data) in reversed(list(enumerate(shots))):
        found = session.sequences.get_shot_parameters(path, index)
        assert exactly_equal(by_name(found), by_name(parameters))
        found = session.sequences.get_all_shot_data(path, index)
        assert exactly_equal(by_name(found), by_name(data))
        for label, value in list(data.items())[:10]:
            one = session.sequences.get_shot_data_by_labels(path, index, [label])
            assert exactly_equal(one, {label: value})


def by_name(values: Mapping[str, object]) -> dict[str, object]:
    return dict(sorted(values.items()))


# Few names, so that the values of one name differ from shot to shot.
_labels = st.sampled_from(["x", "Camera\\picture", "..", "a/b#2", "%2F", "é\0"])
_frames = st.tuples(st.integers(0, 3), st.integers(1, 2)).flatmap(
    lambda shape: hnp.arrays(np.uint16, shape)
)
_parameters = st.dictionaries(
    st.one_of(st.sampled_from(["a", "a.b", "é"]), strategies.parameter_names),
    strategies.parameter_values,
    max_size=3,
)
_data = st.dictionaries(
    st.one_of(_labels, strategies.labels),
    st.one_of(strategies.data_values, _frames, st.text("é", max_size=600)),
    max_size=3,
)
_counter = iter(range(10**9))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(shots=st.lists(st.tuples(_parameters, _data), max_size=7), each=st.booleans())
def test_shots_of_all_kinds_come_back_side_by_side(
    storage: StorageManager, shots: Shots, each: bool
) -> None:
    assert_comes_back(storage, shots, path=path(rf"\{next(_counter)}"), each=each)


NUMBERS = [
    True,
    False,
    0,
    1,
    -1,
    1.0,
    0.0,
    -0.0,
    math.nan,
    math.inf,
    -math.inf,
    5e-324,
    2**63 - 1,
    -(2**63),
    2**63,
    2**64,
    2**70,
    -(2**70),
    10**5000,
]


@pytest.mark.parametrize("each", [True, False])
def test_numbers_of_one_name_keep_type_and_value(storage: StorageManager, each: bool) -> None:
    numbers = NUMBERS + NUMBERS[::-2]
    shots: Shots = [({"p": number}, {"d": number, "in": [number]}) for number in numbers]
    assert_comes_back(storage, shots, each=each)


def test_quantities_keep_unit_and_type(storage: StorageManager) -> None:
    quantities = [
        quantity(12, "MHz"),
        quantity(12.0, "MHz"),
        quantity(12.0, "kHz"),
        quantity(0.5, ""),
        0.5,
        quantity(math.nan, "µs"),
        quantity(-3, "delta_degC"),
        quantity(20.0, "degC"),
        quantity(2**70, "V / Hz ** 0.5"),
    ]
    shots: Shots = [({"p": value, "q": 1.0}, {}) for value in quantities]
    assert_comes_back(storage, shots)


def test_quantities_of_another_registry_are_taken(storage: StorageManager) -> None:
    foreign = pint.UnitRegistry().Quantity(3.5, "gauss / centimeter")
    with storage.session() as session:
        launch(session)
        record(session, parameters={"gradient": foreign})
    with storage.session() as session:
        found = session.sequences.get_shot_parameters(PATH, 0)
    assert exactly_equal(found, {"gradient": quantity(3.5, "G / cm")})


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
    "durations without unit": np.array([7], "m8"),
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
    with storage.session() as session:
        launch(session)
        record(session, data={"x": ARRAYS[kind]})
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


TEXTS = [
    "",
    " ",
    "é",
    "e\u0301",
    "a\0",
    "\0",
    "line\nbreak",
    "x" * 16,
    "x" * 17,
    "日" * 50_000,
    "🙂",
]


def test_texts_of_any_length_come_back(storage: StorageManager) -> None:
    shots: Shots = [({}, {"x": text}) for text in TEXTS + TEXTS[::-1]]
    assert_comes_back(storage, shots)


def test_what_is_nested_comes_back(storage: StorageManager) -> None:
    nested: Data = {
        "": [None, True, 1, 1.0, -0.0, math.nan, 2**70, "é\0", [], {}],
        "looks encoded": [{"float": "nan"}, {"int": "0x1"}, {"array": "AA"}, {"dict": {}}],
        "arrays": [np.eye(2), np.array(["é"]), {"empty": np.array([])}],
        "long": list(range(20_000)),
    }
    assert_comes_back(storage, [({}, {"x": nested}), ({}, {"x": None}), ({}, {"x": []})])


class Channel(enum.StrEnum):
    LEFT = "left"


def test_numpy_scalars_and_enums_become_plain_values(storage: StorageManager) -> None:
    numbers = {"bool": np.True_, "int": np.uint8(3), "float": np.float32(0.5), "q": 0.0}
    with storage.session() as session:
        launch(session)
        record(
            session,
            parameters={**numbers, "q": quantity(np.int16(2), "s")},  # type: ignore[arg-type, dict-item]
            data={**numbers, "text": np.str_("é"), "enum": Channel.LEFT},  # type: ignore[arg-type, dict-item]
        )
    with storage.session() as session:
        plain = {"bool": True, "int": 3, "float": 0.5}
        assert exactly_equal(
            by_name(session.sequences.get_shot_parameters(PATH, 0)),
            by_name({**plain, "q": quantity(2, "s")}),
        )
        assert exactly_equal(
            by_name(session.sequences.get_all_shot_data(PATH, 0)),
            by_name({**plain, "q": 0.0, "text": "é", "enum": "left"}),
        )


def test_arrays_of_hundreds_of_lengths_come_back(storage: StorageManager) -> None:
    random = np.random.default_rng(1)
    lengths = random.permutation(300)
    shots: Shots = [({}, {"tags": np.arange(n) * n, "xy": np.ones((n, 2), "f4")}) for n in lengths]
    assert_comes_back(storage, shots, each=False)


def test_a_thousand_parameters_come_back(storage: StorageManager) -> None:
    shots: Shots = [
        (
            {f"p{index}": quantity(index, "MHz") if index % 2 else index for index in range(1200)},
            {f"number {index}": index * 0.5 for index in range(1200)},
        )
    ] * 2
    assert_comes_back(storage, shots)


LONG_NAMES = ["x" * 255, "x" * 4096, "é" * 4096, "Camera\\" + "/" * 4096]


def test_labels_may_be_long_and_of_any_characters(storage: StorageManager) -> None:
    labels = [
        *LONG_NAMES,
        ".",
        "..",
        "...",
        "/",
        "#",
        "%",
        "a/../b",
        "a#2",
        "a#rows",
        "a",
        "\0",
        " ",
    ]
    shots: Shots = [
        ({}, dict.fromkeys(labels, 1.5)),
        ({}, {label: np.arange(index) for index, label in enumerate(labels)}),
        ({}, {label: label for label in labels}),
    ]
    assert_comes_back(storage, shots)


def test_parameter_names_may_be_long_and_in_any_script(storage: StorageManager) -> None:
    names = ["x" * 255, "mot." * 1000 + "detuning", "é" * 4096, "Δ", "a", "A", "a.b"]
    assert_comes_back(storage, [(dict.fromkeys(names, 1.5), {}), ({names[0]: 1}, {})])


# What cannot be stored


REFUSED: dict[str, tuple[object, type[Exception]]] = {
    "an array of objects": (np.array([{}, None]), TypeError),
    "a record with an object": (np.zeros(1, [("a", "O")]), TypeError),
    "a masked array": (np.ma.masked_array([1, 2], [True, False]), TypeError),
    "an object array inside": ([{"a": np.array([None])}], TypeError),
    "a tuple": ((1, 2), TypeError),
    "a set": ({1}, TypeError),
    "bytes": (b"abc", TypeError),
    "a complex number": (1j, TypeError),
    "an object": (object(), TypeError),
    "a key that is no text": ({1: 2}, TypeError),
    "half a surrogate pair": ("\ud800", ValueError),
    "half a pair inside": ([{"\udfff": 1}], ValueError),
    "half a pair in an array": (np.array([0xD800], "u4").view("U1"), ValueError),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_data_is_refused_by_its_label_before_anything_is_written(
    storage: StorageManager, kind: str
) -> None:
    value, error = REFUSED[kind]
    with storage.session() as session:
        launch(session)
        record(session)
    with storage.session() as session:
        before = content(session)
        data: dict[str, Any] = {"good": np.arange(3), "the bad one": value}
        with pytest.raises(error, match="the bad one"):
            record(session, index=1, data=data)
        assert content(session) == before
        record(session, index=1)
    with storage.session() as session:
        assert len(session.sequences.get_shots(PATH)) == 2


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
        ({"a": "text"}, TypeError),
        ({"a": None}, TypeError),
        ({"a": np.arange(2)}, TypeError),
        ({"a": 1j}, TypeError),
        ({"a": quantity(1, "s") * np.arange(2)}, TypeError),  # type: ignore[operator]
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


@pytest.mark.parametrize("label", ["", "\ud800", "x" * 10_000_000], ids=lambda s: ascii(s)[:9])
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
