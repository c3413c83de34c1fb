"""A quantity that was measured comes back with its unit, which goes with its label everywhere."""

from typing import Any

import numpy as np
import pint
import pytest

from shotstore import IncompatibleUnitsError, StorageManager
from shotstore.model import Data, DataType, quantity
from shotstore.testing.content import refused, reopened
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, launch, record
from shotstore.testing.round_trips import Shots, assert_comes_back

MAGNITUDES: list[Any] = [
    0,
    -0.0,
    float("nan"),
    2**70,
    -(10**5000),
    1.5 - 2j,
    np.arange(3, dtype=">i2"),
    np.arange(4, dtype=">i2"),
    np.ones((2, 3), "f4"),
    np.zeros((0, 3)),
    np.zeros((3, 0), "u1"),
    np.array(2.5),
    np.array([1j], "c8"),
    np.ones((1,) * 31),
]


@pytest.mark.parametrize("each", [True, False])
@pytest.mark.parametrize("unit", ["", "µK", "degC", "dBm", "V / Hz ** 0.5", "delta_degC"])
def test_quantities_of_numbers_and_arrays_come_back(
    storage: StorageManager, unit: str, each: bool
) -> None:
    shots: Shots = [({}, {"x": quantity(each, unit)}) for each in MAGNITUDES + MAGNITUDES[::-2]]
    assert_comes_back(storage, shots, each=each)


def test_one_label_may_have_a_unit_here_and_none_there(storage: StorageManager) -> None:
    values: list[Data] = [1, quantity(1, "V"), quantity(1, "mV"), quantity(1, ""), None, "1", {}]
    values += [quantity(np.ones(2), "V"), np.ones(2), quantity(np.ones(2), "mV")]
    assert_comes_back(storage, [({}, {"x": value}) for value in values])


def test_a_quantity_is_kept_as_it_was_when_it_was_recorded(storage: StorageManager) -> None:
    array = np.zeros(3)
    with storage.session() as session:
        launch(session)
        record(session, data={"x": quantity(array, "V")})
        array[:] = 1
        found: Any = session.sequences.get_all_shot_data(PATH, 0)["x"]
        assert found.magnitude.tolist() == [0, 0, 0]
        found.magnitude[:] = 2
        again: Any = session.sequences.get_shot_data_by_labels(PATH, 0, ["x"])["x"]
        assert again.magnitude.tolist() == [0, 0, 0]


def test_quantities_of_any_registry_become_those_of_the_application(
    storage: StorageManager,
) -> None:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry()
    with storage.session() as session:
        launch(session)
        record(session, data={"x": registry.Quantity(np.float32(0.5), "megahertz")})
    with storage.session() as session:
        assert exactly_equal(
            session.sequences.get_all_shot_data(PATH, 0), {"x": quantity(0.5, "MHz")}
        )


def test_columns_have_one_unit(storage: StorageManager) -> None:
    shots: list[dict[str, Data]] = [
        {"n": quantity(1, "mK"), "a": quantity(np.array([1, 2], "u2"), "V"), "t": None},
        {"n": quantity(500, "µK"), "a": quantity(np.array([3, 4], "u2"), "mV")},
        {"n": None, "t": quantity(np.array([1.0]), "s")},
        {"n": quantity(2**70, "nK"), "t": quantity(np.array([1j, 2]), "ms")},
    ]
    with storage.session() as session:
        launch(session)
        for index, data in enumerate(shots):
            record(session, index=index, data=data)
    with reopened(storage).session() as session:
        assert session.sequences.get_data_schema(PATH) == {
            "n": DataType("float", units="mK"),
            "a": DataType("array", np.dtype(float), (2,), "V"),
            "t": DataType("array", np.dtype(complex), (None,), "s"),
        }
        found = session.sequences.get_columns(PATH, labels=["n", "a", "t"]).data
        kelvin = found["n"].values[[0, 1, 3]].astype(float)
        np.testing.assert_allclose(kelvin, [1, 0.5, 2e-6 * 2.0**69], rtol=1e-12)
        assert found["n"].is_present.tolist() == [True, True, False, True]
        np.testing.assert_allclose(found["a"].values[:2], np.array([[1, 2], [0.003, 0.004]]))
        assert found["t"].values[:2].tolist() == [None, None]
        np.testing.assert_allclose(found["t"].values[3], np.array([0.001j, 0.002]))
        some = session.sequences.get_columns(PATH, labels=["n"], rows=[1]).data["n"]
        np.testing.assert_allclose(some.values, [0.5])


@pytest.mark.parametrize(
    "values",
    [
        [1, quantity(1, "V")],
        [quantity(1, "s"), quantity(1, "V")],
        [quantity(np.ones(2), "s"), np.ones(2)],
        [quantity(np.ones(2), "s"), quantity(np.ones(3), "V")],
        [quantity(1.0, ""), 2**70],
    ],
    ids=str,
)
def test_units_that_do_not_fit_are_told(storage: StorageManager, values: list[Data]) -> None:
    with storage.session() as session:
        launch(session)
        for index, value in enumerate(values):
            record(session, index=index, data={"the label": value})
        with pytest.raises(IncompatibleUnitsError, match=r"Data 'the label' is .* read these"):
            session.sequences.get_columns(PATH, labels=["the label"])
        session.sequences.get_columns(PATH, labels=["the label"], rows=[0])


def test_beside_data_of_another_kind_a_quantity_is_a_dict(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"x": quantity(1.5, "V")})
        record(session, index=1, data={"x": "text"})
        assert session.sequences.get_data_schema(PATH) == {"x": DataType("json")}
        column = session.sequences.get_columns(PATH, labels=["x"]).data["x"]
        assert column.values.tolist() == [{"magnitude": 1.5, "units": "V"}, "text"]


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([quantity(1, "V")], TypeError, "is a quantity inside of other data: store"),
        ({"a": quantity(np.ones(2), "V")}, TypeError, "is a quantity inside of other data: store"),
        (quantity(np.array(["a"]), "V"), TypeError, "is a quantity whose magnitude is of type <U1"),
        (quantity(np.array([True]), "V"), TypeError, "whose magnitude is of type bool"),
    ],
    ids=str,
)
def test_what_is_not_a_quantity_of_numbers_is_refused(
    storage: StorageManager, value: Any, error: type[Exception], message: str
) -> None:
    with storage.session() as session:
        launch(session)
        with refused(session, error, f"Data 'x'.*{message}"):
            record(session, data={"good": 1, "x": value})


def test_an_unknown_unit_is_refused(storage: StorageManager) -> None:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry()
    registry.define("recoil_nobody_knows = 2 kHz")
    with storage.session() as session:
        launch(session)
        with refused(session, ValueError, "Data 'x': .*recoil_nobody_knows"):
            record(session, data={"x": registry.Quantity(1, "recoil_nobody_knows")})


def test_results_have_units_as_data_has(storage: StorageManager) -> None:
    trace = quantity(np.arange(3.0), "V")
    with storage.session() as session:
        launch(session)
        for index in range(3):
            record(session, index=index)
        session.sequences.set_results(PATH, 0, {"fit": quantity(1.5, "mK"), "trace": trace})
        columns = {"shot_index": [1, 2], "fit": quantity(np.array([2.0, 3.0]), "µK")}
        session.sequences.set_many_results(PATH, columns)
    with reopened(storage).session() as session:
        found = [session.sequences.get_results(PATH, index) for index in range(3)]
        assert exactly_equal(found[0], {"fit": quantity(1.5, "mK"), "trace": trace})
        assert exactly_equal(found[2], {"fit": quantity(3.0, "µK")})
        schema = session.sequences.get_result_schema(PATH)
        assert schema["fit"] == DataType("float", units="mK")
        assert schema["trace"].units == "V"
        stored = session.sequences.get_results(PATH, history=True)
        assert exactly_equal(stored[0].values["trace"], trace)
