"""A scan gives what each shot holds, in the types and units that it says."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shotstore import (
    ExperimentSessionNotActiveError,
    IncompatibleUnitsError,
    PathIsNotSequenceError,
    PathNotFoundError,
    StorageManager,
    TransactionConflictError,
)
from shotstore.analysis.pictures.points import collect_points
from shotstore.analysis.tables.names import name_columns, origins
from shotstore.model import Data, quantity
from shotstore.model.data import structured_from_json
from shotstore.testing import strategies
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    PATH,
    SECOND,
    START,
    create,
    finish,
    launch,
    path,
    record,
    relaunch,
)

OTHER = path(r"\2026\zeeman")
_counter = iter(range(10**9))


def _has_times(value: Data) -> bool:
    if isinstance(value, np.ndarray):
        kinds = [field[0].base.kind for field in (value.dtype.fields or {}).values()]
        return bool({value.dtype.kind, *kinds} & set("mM"))
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(map(_has_times, items))


# The times that Hypothesis makes are beyond what polars can hold.
_values = strategies.data_values.filter(lambda value: not _has_times(value))
_alike = st.one_of(
    st.builds(np.full, st.just((2, 3)), st.integers(0, 9), st.sampled_from(["u2", ">u2", "f4"])),
    st.integers(0, 4).map(lambda length: np.arange(length, dtype="u8")),
    st.integers(0, 3).map(lambda length: np.ones((length, 2), "c8")),
    st.dictionaries(st.sampled_from("ab"), st.one_of(st.none(), st.integers(0, 9)), max_size=2),
)
_data = st.dictionaries(
    st.sampled_from(["x", "a", "shot_index", "data.x"]),
    st.one_of(_values, _alike, st.none(), st.booleans(), st.integers(-(2**130), 2**130)),
    max_size=3,
)
_parameters = st.dictionaries(
    st.sampled_from(["a", "b.c", "x"]),
    st.one_of(st.booleans(), st.integers(-(2**130), 2**130), st.floats()),
    max_size=2,
)


@strategies.tried(60)
@given(shots=st.lists(st.tuples(_parameters, _data), max_size=6))
def test_a_scan_holds_what_the_shots_hold(
    storage: StorageManager, shots: list[tuple[dict[str, bool | int | float], dict[str, Data]]]
) -> None:
    sequence = path(rf"\{next(_counter)}")
    with storage.session() as session:
        launch(session, sequence, None)
        for index, (parameters, data) in enumerate(shots):
            record(session, sequence, 20 - index, parameters, data)
        inside = session.sequences.scan(sequence).collect()
    with storage.session() as session:
        found = session.sequences.scan(sequence)
        table = found.collect()
        names = list(session.sequences.get_parameter_schema(sequence)) if shots else []
        schema = session.sequences.get_data_schema(sequence)
        columns = name_columns(origins(names, schema))
        assert table.schema == found.collect_schema()
        assert table.equals(inside)
    assert storage.scan(sequence).collect().equals(table)
    assert table["shot_index"].to_list() == list(range(21 - len(shots), 21))
    for row, (parameters, data) in zip(table.iter_rows(named=True), shots[::-1], strict=True):
        assert all(_holds(row[name], parameters[name]) for name in parameters)
        for label, value in data.items():
            dtype = schema[label].dtype
            same = value.astype(dtype) if dtype and isinstance(value, np.ndarray) else value
            for name, at in columns.items():
                if at.kind == "label" and at.name == label:
                    part = same if at.part is None or same is None else getattr(same, at.part)
                    assert _holds(row[name], part)


def _holds(found: Any, value: Any) -> bool:
    """Whether what a column has is what was recorded."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and not isinstance(found, str):
        value = value[()]
    if value is None or found is None:
        return found is value
    if isinstance(found, str):
        text = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
        is_text = isinstance(text, str) and found == text
        return is_text or exactly_equal(structured_from_json(found), value)
    if isinstance(value, dict):
        return set(value) <= set(found) and all(
            _holds(item, value.get(key)) for key, item in found.items()
        )
    if isinstance(value, np.void):
        return all(_holds(found[name], value[name]) for name in value.dtype.names or ())
    if isinstance(value, np.ndarray | list | tuple):
        return len(found) == len(value) and all(map(_holds, found, value))
    if isinstance(value, complex | np.complexfloating):
        return _holds(found[0], value.real) and _holds(found[1], value.imag)
    if isinstance(found, float):
        with np.errstate(over="ignore"):
            try:
                expected = float(value)
            except OverflowError:
                expected = float("inf") if value > 0 else float("-inf")
        return found == expected or (found != found and expected != expected)
    return bool(found == value)


def record_run(storage: StorageManager) -> None:
    """Record two sequences, and one draft beside them."""
    with storage.session() as session:
        create(session, path(r"\2026\draft"))
        launch(session, shots=None)
        for index in (4, 2, 0, 3):
            record(
                session,
                index=index,
                parameters={"detuning": quantity(index + 0.5, "MHz"), "repetition": index},
                data={"atoms": np.full((2, 3), index, "u2"), "detuning": "a label"},
            )
        launch(session, OTHER, shots=None)
        record(
            session,
            OTHER,
            index=1,
            parameters={"detuning": quantity(7000, "kHz"), "field": 0.5},
            data={"atoms": np.full((2, 3), 7, "u2"), "atom_number": 10},
        )


def test_a_scan_of_a_sequence_is_sorted_and_typed(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        shots = session.sequences.scan(PATH)
        assert shots.collect_schema() == {
            "sequence": pl.String,
            "shot_index": pl.Int64,
            "shot_start_time": pl.Datetime("us", "UTC"),
            "shot_end_time": pl.Datetime("us", "UTC"),
            "detuning": pl.Float64,
            "repetition": pl.Int64,
            "atoms": pl.Array(pl.UInt16, (2, 3)),
            "data.detuning": pl.String,
        }
        table = shots.collect()
        assert table["sequence"].unique().to_list() == [str(PATH)]
        assert table["shot_index"].to_list() == [0, 2, 3, 4]
        assert table["detuning"].to_list() == [0.5, 2.5, 3.5, 4.5]
        assert table["shot_start_time"][1] == START + 2 * SECOND
        assert table["atoms"].to_numpy()[:, 0, 0].tolist() == [0, 2, 3, 4]


def test_a_query_gives_what_it_asks_for(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        shots = session.get_sequence(PATH).scan()
        large = pl.col("detuning") > 1
        assert shots.filter(large).select("repetition").collect().to_series().to_list() == [2, 3, 4]
        assert shots.filter(large).head(2).collect()["repetition"].to_list() == [2, 3]
        assert shots.head(2).filter(large).collect()["repetition"].to_list() == [2]
        assert shots.filter(large, pl.col("atoms").arr.first().arr.first() > 2).select(
            "data.detuning", "shot_index"
        ).collect().rows() == [("a label", 3), ("a label", 4)]
        assert shots.filter(large | (pl.col("shot_index") == 0)).collect().height == 4
        assert shots.filter(detuning=100).collect().is_empty()
        assert shots.select(pl.len()).collect().item() == 4
        assert shots.tail(1).collect()["shot_index"].to_list() == [4]
        mean = shots.filter(large).select(pl.col("repetition").mean())
        assert pl.collect_all([mean, mean])[1].item() == 3
        both = shots.join(shots.select("shot_index", again="repetition"), on="shot_index")
        assert both.filter(pl.col("again") != pl.col("repetition")).collect().is_empty()


def test_a_scan_of_several_sequences_has_the_columns_of_all(storage: StorageManager) -> None:
    record_run(storage)
    shots = storage.scan(r"\2026")
    table = shots.collect()
    assert table["sequence"].to_list() == [str(PATH)] * 4 + [str(OTHER)]
    assert table["detuning"].to_list() == [0.5, 2.5, 3.5, 4.5, 7.0]
    assert table["field"].to_list() == [None] * 4 + [0.5]
    assert table["repetition"].to_list() == [0, 2, 3, 4, None]
    assert table["atom_number"].to_list() == [None] * 4 + [10]
    assert shots.head(5).filter(sequence=str(OTHER)).collect().height == 1
    assert shots.head(4).filter(sequence=str(OTHER)).collect().is_empty()
    assert shots.filter(sequence=str(OTHER)).head(1).collect()["detuning"].item() == 7
    assert storage.scan().collect().equals(table)
    assert storage.scan(OTHER).collect()["detuning"].to_list() == [7000]


def test_a_scan_of_no_shots_has_its_columns_nevertheless(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        assert session.sequences.scan(PATH).collect().shape == (0, 4 + 1)
        assert session.sequences.scan(PATH).collect_schema()["pulse.length"] == pl.Float64
    assert storage.scan().collect().shape == (0, 4)
    with storage.session() as session, pytest.raises(PathNotFoundError):
        session.sequences.scan(path(r"\nothing"))
    with storage.session() as session, pytest.raises(PathIsNotSequenceError):
        session.sequences.scan(path(r"\2026"))
    with pytest.raises(PathNotFoundError):
        storage.scan(r"\nothing")


def test_units_that_do_not_fit_are_told_where_they_are_read(storage: StorageManager) -> None:
    with storage.session() as session:
        for sequence, unit in ((PATH, "MHz"), (OTHER, "V")):
            launch(session, sequence, None)
            record(session, sequence, 0, {"x": quantity(1, unit)})
    shots = storage.scan()
    assert shots.select("counts").collect().height == 2
    with pytest.raises(IncompatibleUnitsError, match=r"MHz in .*rabi and in V in .*zee"):
        shots.collect()


def test_a_scan_of_a_session_ends_with_it(storage: StorageManager) -> None:
    record_run(storage)
    with storage.session() as session:
        shots = session.sequences.scan(PATH)
    with pytest.raises(ExperimentSessionNotActiveError, match=r"storage\.scan"):
        shots.collect()


def test_a_scan_of_a_storage_has_what_is_committed_when_it_is_collected(
    storage: StorageManager,
) -> None:
    record_run(storage)
    shots = storage.scan().select("sequence", "shot_index", "repetition")
    assert shots.collect().height == 5
    with storage.session() as session:
        record(session, index=8, parameters={"repetition": 2, "further": 1})
        launch(session, path(r"\2026\zz"))
        record(session, path(r"\2026\zz"))
        finish(session, OTHER)
        session.paths.delete_path(OTHER, delete_sequences=True)
        assert shots.collect().height == 5
    assert shots.collect()["sequence"].to_list() == [str(PATH)] * 5 + [r"\2026\zz"]
    with storage.session() as session:
        finish(session)
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, index=0, parameters={"repetition": 0.5})
    with pytest.raises(TransactionConflictError, match="'repetition'"):
        shots.collect()


def test_integers_beyond_64_bits_keep_their_value(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        record(
            session, index=0, parameters={"a": 2**100, "b": 1}, data={"c": 2**200, "d": -(2**64)}
        )
        record(session, index=1, parameters={"a": 1, "b": 1}, data={"c": 1, "d": None})
    with storage.session() as session:
        assert session._reader_().get_sequence(PATH).has_wide_integers()
        table = session.sequences.scan(PATH).collect()
    assert table["a"].to_list() == [2**100, 1]
    assert table["c"].to_list() == [2.0**200, 1.0]
    assert table["d"].to_list() == [-(2**64), None]
    assert table.schema["b"] == pl.Int64


def test_integers_beyond_all_floats_are_infinite_where_floats_are_asked_for(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index, number in enumerate((10**400, -(10**400), 1)):
            record(session, index=index, parameters={"a": index}, data={"x": number})
        sequence = session.get_sequence(PATH)
        assert sequence.scan().collect()["x"].to_list() == [np.inf, -np.inf, 1]
        assert sequence.to_arrays(["x"])["x"].tolist() == [10**400, -(10**400), 1]
        assert collect_points(sequence, "a", "x").curves[0].y.tolist() == [np.inf, -np.inf, 1]
