"""What was recorded comes back: value, type, shape, byte order, unit, whatever stood before it."""

import enum
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shotstore import StorageManager
from shotstore.model import Data, Parameter, quantity
from shotstore.testing import strategies
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, START, launch, path, record
from shotstore.testing.round_trips import Shots, assert_comes_back, by_name

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
    st.one_of(strategies.data_values, strategies.measured, _frames, st.text("é", max_size=600)),
    max_size=3,
)

_counter = iter(range(10**9))


@strategies.tried(40)
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
    quantities: list[Parameter] = [
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


class _LabUnit(pint.facets.SystemRegistry.Unit, pint.facets.PlainRegistry.Unit):
    pass


class _LabQuantity(
    pint.facets.SystemRegistry.Quantity[Any],
    pint.facets.NonMultiplicativeRegistry.Quantity[Any],
    pint.facets.PlainRegistry.Quantity[Any],
):
    """The quantities of a registry that a control program has put together of pint's facets."""


class _LabRegistry(pint.UnitRegistry[Any]):
    Quantity = _LabQuantity  # type: ignore[assignment]
    Unit = _LabUnit  # type: ignore[assignment]


@pytest.mark.parametrize("registry", [pint.UnitRegistry, _LabRegistry])
@pytest.mark.parametrize("is_application_registry", [False, True])
def test_quantities_of_another_registry_are_taken(
    storage: StorageManager, registry: type[pint.UnitRegistry[Any]], is_application_registry: bool
) -> None:
    before = pint.get_application_registry().get()
    other = registry()
    if is_application_registry:
        pint.set_application_registry(other)
    try:
        launch(storage)
        record(storage, parameters={"gradient": other.Quantity(3.5, "gauss / centimeter")})
        with storage.session() as session:
            found = session.sequences.get_shot_parameters(PATH, 0)
            assert exactly_equal(found, {"gradient": quantity(3.5, "G / cm")})
            assert session.sequences.get_parameter_schema(PATH)["gradient"].units == "G / cm"
    finally:
        pint.set_application_registry(before)


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
        "looks encoded too": [{"tuple": []}, {"bytes": "AA"}, {"complex": [1, 2]}, {"time": ""}],
        "tuples": (1, (), (2.5, ["é", {"a": (None,)}])),
        "others": [b"\0\xff", 1 - 2j, complex(math.nan, -0.0), START],
        "arrays": [np.eye(2), np.array(["é"]), {"empty": np.array([])}],
        "long": list(range(20_000)),
    }
    assert_comes_back(storage, [({}, {"x": nested}), ({}, {"x": None}), ({}, {"x": []})])


OTHERS: list[Data] = [
    0j,
    1 - 2j,
    complex(-0.0, math.inf),
    complex(math.nan, -0.0),
    b"",
    b"a\0b\xff\0",
    b"x" * 100_000,
    (),
    (1, 2.0, None),
    ((1, "a"), b"b"),
    START,
    START.astimezone(timezone(timedelta(hours=5, minutes=30))),
    datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
    datetime.max.replace(tzinfo=timezone(-timedelta(hours=8, seconds=1))),
]


@pytest.mark.parametrize("each", [True, False])
def test_complex_numbers_bytes_tuples_and_times_come_back(
    storage: StorageManager, each: bool
) -> None:
    shots: Shots = [
        ({}, {"x": value, f"only {type(value).__name__}": value, "in": [value, (value,)]})
        for value in OTHERS + OTHERS[::-1] + [None, 1.5, np.array(1j), "x"]
    ]
    assert_comes_back(storage, shots, each=each)


def test_a_time_comes_back_with_its_offset_from_utc(storage: StorageManager) -> None:
    berlin = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
    launch(storage)
    record(storage, data={"time": berlin, "in": (berlin,)})
    with storage.session() as session:
        found = session.sequences.get_all_shot_data(PATH, 0)
    for time in (found["time"], found["in"][0]):  # type: ignore[index]
        assert isinstance(time, datetime)
        assert time.isoformat() == "2026-10-25T02:30:00+01:00"
        assert time.astimezone(UTC) == berlin.astimezone(UTC)


def test_a_time_with_an_offset_of_microseconds_is_the_same_instant(
    storage: StorageManager,
) -> None:
    time = START.astimezone(timezone(timedelta(microseconds=1)))
    assert_comes_back(storage, [({}, {"time": START, "in": [START]})])
    with storage.session() as session:
        record(session, index=5, data={"time": time, "in": [time]})
        assert session.sequences.get_all_shot_data(PATH, 5) == {"time": START, "in": [START]}


class Point(NamedTuple):
    x: float
    y: float


def test_tuples_complex_numbers_and_bytes_of_other_classes_become_plain(
    storage: StorageManager,
) -> None:
    given: dict[str, Any] = {
        "point": Point(1.0, 2.0),
        "complex": np.complex64(1 - 2j),
        "bytes": np.bytes_(b"a\0b"),
        "record": np.array([(1, b"x")], [("a", "i4"), ("b", "S1")]).tolist(),
    }
    launch(storage)
    record(storage, data=given)
    with storage.session() as session:
        found = session.sequences.get_all_shot_data(PATH, 0)
    expected = {"point": (1.0, 2.0), "complex": 1 - 2j, "bytes": b"a\0b", "record": [(1, b"x")]}
    assert exactly_equal(by_name(found), by_name(expected))


class Channel(enum.StrEnum):
    LEFT = "left"


def test_numpy_scalars_and_enums_become_plain_values(storage: StorageManager) -> None:
    numbers: dict[str, Any] = {
        "bool": np.True_,
        "int": np.uint8(3),
        "float": np.float32(0.5),
        "q": 0.0,
    }
    launch(storage)
    record(
        storage,
        parameters={**numbers, "q": quantity(np.int16(2), "s")},  # type: ignore[arg-type]
        data={**numbers, "text": np.str_("é"), "enum": Channel.LEFT},
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
