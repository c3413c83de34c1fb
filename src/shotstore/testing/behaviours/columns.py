"""Many shots at once hold what each shot holds, in the types that the schemas say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore import (
    DataNotFoundError,
    ExperimentSession,
    IncompatibleUnitsError,
    StorageManager,
)
from shotstore.model import Data, DataType, Parameter, ParameterType, quantity
from shotstore.model.structures import structure_of
from shotstore.records.columns import Column, ShotColumns
from shotstore.testing import shot_by_shot, strategies
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import PATH, SECOND, START, create, launch, path, record

_counter = iter(range(10**9))
_numbers = st.one_of(
    st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from([1.5, -2, True])
)
_parameters = st.fixed_dictionaries(
    {},
    optional={"a": _numbers, "b.c": _numbers, "text": st.text(strategies.characters, max_size=20)},
)
_frames = st.sampled_from(
    [np.ones((2, 3), "u2"), np.full((2, 3), 7, "u2"), np.zeros((2, 3), ">u2")]
)
_tags = st.integers(0, 4).map(lambda length: np.arange(length, dtype="u8"))
_values = st.one_of(
    strategies.data_values, _frames, _tags, _numbers, st.none(), st.text("é\0", max_size=40)
)
_units = st.sampled_from(["MHz", "kHz", "1 / s"])
_measured = st.builds(quantity, st.one_of(_frames, _tags, st.integers(), st.floats()), _units)
_data = st.fixed_dictionaries(
    {}, optional={"x": _values, "y": _values, "z": st.one_of(_measured, st.none(), st.text())}
)


@strategies.tried(60)
@given(
    shots=st.lists(st.tuples(_parameters, _data), max_size=8),
    at=st.lists(st.integers(0, 7), max_size=8),
)
def test_columns_hold_what_the_shots_hold(
    storage: StorageManager,
    shots: list[tuple[dict[str, Parameter], dict[str, Data]]],
    at: list[int],
) -> None:
    sequence = path(rf"\{next(_counter)}")
    with storage.session() as session:
        launch(session, sequence, None)
        for index, (parameters, data) in enumerate(shots):
            record(session, sequence, 3 * index, parameters, data)
    with storage.session() as session:
        sequences = session.sequences
        names = list(sequences.get_parameter_schema(sequence)) if shots else []
        schema = sequences.get_data_schema(sequence)
        assert schema == shot_by_shot.data_schema(sequences, sequence)
        for rows in (None, [row for row in at if row < len(shots)]):
            found = sequences.get_columns(
                sequence, parameters=names, labels=list(schema), rows=rows
            )
            plain = shot_by_shot.columns(sequences, sequence, names, list(schema), rows)
            assert_same(found, plain)


def assert_same(found: ShotColumns, expected: ShotColumns) -> None:
    """Check that both hold the same, to the last bit and type."""
    assert exactly_equal(found.shot_index, expected.shot_index)
    assert exactly_equal(found.start_time, expected.start_time)
    assert exactly_equal(found.end_time, expected.end_time)
    for ours, theirs in ((found.parameters, expected.parameters), (found.data, expected.data)):
        assert list(ours) == list(theirs)
        for name, column in ours.items():
            assert exactly_equal(column.is_present, theirs[name].is_present)
            assert exactly_equal(plain(column), plain(theirs[name]))


def plain(column: Column) -> object:
    """Return what can be compared to the last bit: objects as a list."""
    if column.values.dtype == object:
        return list(column.values)
    return column.values


def record_differing_shots(session: ExperimentSession) -> None:
    """Record shots that differ in what they have."""
    launch(session, shots=None)
    detunings = [quantity(1, "MHz"), quantity(2000, "kHz"), None, quantity(3.5, "MHz")]
    for index, detuning in enumerate(detunings):
        parameters = {} if detuning is None else {"mot.detuning": detuning}
        data: dict[str, Data] = {
            "frame": np.full((2, 3), index, "u2"),
            "tags": np.arange(index, dtype="u8"),
        }
        if index != 1:
            data["number"] = index
        record(session, index=10 - index, parameters=parameters, data=data)


def test_units_are_converted_and_gaps_are_marked(storage: StorageManager) -> None:
    with storage.session() as session:
        record_differing_shots(session)
    with storage.session() as session:
        sequences = session.sequences
        assert sequences.get_parameter_schema(PATH) == {
            "mot.detuning": ParameterType("float", "MHz")
        }
        found = sequences.get_columns(
            PATH, parameters=["mot.detuning"], labels=["number", "frame", "tags"]
        )
    assert found.shot_index.tolist() == [10, 9, 8, 7]
    assert found.start_time[0] == np.datetime64((START + 10 * SECOND).replace(tzinfo=None))
    detuning = found.parameters["mot.detuning"]
    np.testing.assert_array_equal(detuning.values, [1, 2, np.nan, 3.5])
    assert detuning.is_present.tolist() == [True, True, False, True]
    assert found.data["number"].values.tolist() == [0, 0, 2, 3]
    assert found.data["number"].is_present.tolist() == [True, False, True, True]
    assert found.data["frame"].values.shape == (4, 2, 3)
    assert found.data["frame"].values.dtype == np.uint16
    assert [len(tags) for tags in found.data["tags"].values] == [0, 1, 2, 3]


def test_the_data_schema_says_type_and_shape(storage: StorageManager) -> None:
    with storage.session() as session:
        record_differing_shots(session)
        session.sequences.set_finished(PATH, "now")
        inside = session.sequences.get_data_schema(PATH)
    with storage.session() as session:
        assert session.sequences.get_data_schema(PATH) == inside
        session.sequences.reset_to_draft(PATH)
        assert session.sequences.get_data_schema(PATH) == {}
    assert inside == {
        "frame": DataType("array", np.dtype("u2"), (2, 3)),
        "tags": DataType("array", np.dtype("u8"), (None,)),
        "number": DataType("int"),
    }


def test_structures_say_what_data_is_made_of(storage: StorageManager) -> None:
    values: list[Data] = [
        {"a": 1, "b": [1.5, float("nan")]},
        None,
        {"a": 2, "b": [3.5]},
        {"b": [1.5], "a": 1},
        [1, 2.5, 3, [None, True]],
        np.ones((2, 3), ">u2"),
        np.ones((0, 3), ">u2"),
        np.array(1.5),
        {"array": np.ones((0, 3), ">u2"), "text" * 100: "x"},
        "x",
        "\0",
        1,
        2**70,
        {"a": 2**70, "b": []},
        -(2**200),
        True,
        [],
        {"a": -1, "b": [2.5]},
    ]
    with storage.session() as session:
        launch(session, shots=None)
        for index, value in enumerate(values):
            record(session, index=index, data={"x": value, "n": index, "frame": np.ones((2, 2))})
        record(session, index=len(values), data={})
    with storage.session() as session:
        found = session._reader_().get_sequence(PATH).get_structures(["x", "n", "frame"])
    expected = dict.fromkeys(structure_of(value) for value in values if value is not None)
    assert found == {
        "x": list(expected),
        "n": ["int"],
        "frame": [("array", np.dtype(float), 2)],
    }
    assert len(expected) == 13


def test_a_sequence_without_shots_has_empty_columns(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        launch(session, path(r"\launched"))
        for sequence in (PATH, path(r"\launched")):
            reader = session._reader_().get_sequence(sequence)
            assert reader.get_structures([]) == {}
            assert not reader.has_wide_integers()
            assert len(session.sequences.get_columns(sequence).shot_index) == 0
            with pytest.raises(DataNotFoundError, match="they have none"):
                session.sequences.get_columns(sequence, labels=["x"])
            with pytest.raises(IndexError):
                session.sequences.get_columns(sequence, rows=[0])


def test_what_is_not_there_is_named(storage: StorageManager) -> None:
    with storage.session() as session:
        record_differing_shots(session)
        get = session.sequences.get_columns
        with pytest.raises(DataNotFoundError, match=r"'fram' \(did you mean 'frame'\?\)"):
            get(PATH, labels=["fram", "number"])
        with pytest.raises(DataNotFoundError, match=r"mot\.detuning"):
            get(PATH, parameters=["mot.detunin"])
        for rows in ([4], [-1], range(5)):
            with pytest.raises(IndexError, match="0 to 3"):
                get(PATH, rows=rows)
        for wrong in ([0.5], [[0]], ["0"]):
            with pytest.raises(TypeError):
                get(PATH, rows=wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            get(PATH, labels="frame")


def test_units_of_other_dimensions_are_not_mixed(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        record(session, index=0, parameters={"x": quantity(1, "MHz"), "y": 1.0})
        record(session, index=1, parameters={"x": quantity(1, "V"), "y": quantity(1.0, "V")})
        for name in ("x", "y"):
            with pytest.raises(IncompatibleUnitsError, match=f"Parameter {name} is"):
                session.sequences.get_columns(PATH, parameters=[name])
            found = session.sequences.get_columns(PATH, parameters=[name], rows=[0])
            assert found.parameters[name].values.tolist() == [1.0]


def test_columns_of_more_shots_than_are_read_at_once(storage: StorageManager) -> None:
    frame = np.arange(2**20, dtype="u2").reshape(1024, 1024)
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(20):  # 40 MB
            record(session, index=index, data={"frame": frame + np.uint16(index)})
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, parameters=["index"], labels=["frame"])
        some = session.sequences.get_columns(PATH, labels=["frame"], rows=range(1, 20, 2))
    assert found.data["frame"].values[:, 0, 0].tolist() == list(range(20))
    assert found.data["frame"].values.shape == (20, 1024, 1024)
    assert some.data["frame"].values[:, 0, 0].tolist() == list(range(1, 20, 2))
    assert found.parameters["index"].values.tolist() == list(range(20))


@pytest.mark.parametrize("numbers", [(1, 2**63), (1, -(2**70)), (1.5, 10**400), (True, 2**64)])
def test_numbers_too_large_for_a_type_of_numpy_stay_what_they_are(
    storage: StorageManager, numbers: tuple[int | float, int]
) -> None:
    with storage.session() as session:
        launch(session)
        for index, number in enumerate(numbers):
            record(session, index=index, parameters={"a": number}, data={"x": number})
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, parameters=["a"], labels=["x"])
    for column in (found.parameters["a"], found.data["x"]):
        assert column.values.dtype == object
        assert exactly_equal(list(column.values), list(numbers))


def test_columns_of_data_that_few_shots_have(storage: StorageManager) -> None:
    trace = np.arange(400.0)
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(301):
            record(session, index=index, data={"trace": trace + index} if index % 100 == 0 else {})
        inside = session.sequences.get_columns(PATH, labels=["trace"], rows=[300, 299, 0])
    with storage.session() as session:
        found = session.sequences.get_columns(PATH, labels=["trace"], rows=[300, 299, 0])
        whole = session.sequences.get_columns(PATH, labels=["trace"])
    assert_same(found, inside)
    assert found.data["trace"].is_present.tolist() == [True, False, True]
    assert found.data["trace"].values[:, 1].tolist()[::2] == [301, 1]
    assert np.flatnonzero(whole.data["trace"].is_present).tolist() == [0, 100, 200, 300]
