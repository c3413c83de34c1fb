"""The types that the columns of a scan have."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from shotstore import StorageManager
from shotstore.model import Data
from shotstore.testing.experiments import PATH, launch, path, record


def scan(storage: StorageManager, *values: Data, sequences: bool = False) -> pl.Series:
    """The column of the label x, under which shots, or sequences, have these values."""
    with storage.session() as session:
        for index, value in enumerate(values):
            sequence = path(rf"\{index}") if sequences else PATH
            if sequences or not index:
                launch(session, sequence, None)
            record(session, sequence, index, data={"x": value})
    return storage.scan().collect()["x"]


@pytest.mark.parametrize("sequences", [False, True], ids=["shots", "sequences"])
@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        ([1, True, None], pl.Int64, [1, 1, None]),
        ([1, 2.5], pl.Float64, [1.0, 2.5]),
        ([True, None], pl.Boolean, [True, None]),
        (["a", "\0"], pl.String, ["a", "\0"]),
        ([None, None], pl.Null, [None, None]),
        ([np.array(3, "u2"), np.array(4, "u2")], pl.UInt16, [3, 4]),
        ([np.zeros(2, "f4"), None], pl.Array(pl.Float32, 2), [[0.0, 0.0], None]),
        ([np.ones((1, 2), ">u2")] * 2, pl.Array(pl.UInt16, (1, 2)), [[[1, 1]]] * 2),
        ([np.ones(1, "u2"), np.zeros(1, "i8")], pl.Array(pl.Int64, 1), [[1], [0]]),
        ([np.zeros(1), np.zeros(0), None], pl.List(pl.Float64), [[0.0], [], None]),
        (
            [np.ones((1, 2)), np.zeros((0, 2))],
            pl.List(pl.Array(pl.Float64, 2)),
            [[[1.0, 1.0]], []],
        ),
        ([np.ones((1, 2)), np.zeros((1, 1))], pl.List(pl.List(pl.Float64)), [[[1, 1]], [[0]]]),
        ([{"a": np.array([1 + 2j])}], pl.Struct, [{"a": [[1.0, 2.0]]}]),
        ([np.array(["a", "bc"]), None], pl.Array(pl.String, 2), [["a", "bc"], None]),
        ([np.array([b"a"]), None], pl.Array(pl.Binary, 1), [[b"a"], None]),
        ([[1, 2.5], [], None], pl.List(pl.Float64), [[1.0, 2.5], [], None]),
        ([{"a": 1}, {"b": [True]}], pl.Struct, [{"a": 1, "b": None}, {"a": None, "b": [True]}]),
        ([{"a": np.ones(1)}, {}], pl.Struct({"a": pl.List(pl.Float64)}), [{"a": [1]}, {"a": None}]),
        ([{}, {}], pl.String, ["{}", "{}"]),
        ([1, "a", [1, "b"]], pl.String, ["1", '"a"', '[1,"b"]']),
        (
            [{"a": 1, "b": "x"}, {"a": "c", "b": "y"}],
            pl.Struct({"a": pl.String, "b": pl.String}),
            [{"a": "1", "b": "x"}, {"a": '"c"', "b": "y"}],
        ),
        ([{f"{key}": 1 for key in range(300)}] * 2, pl.String, None),
        (
            [np.array([(1, 2.5)], [("a", "u1"), ("b", "f4")])] * 2,
            pl.Array(pl.Struct({"a": pl.UInt8, "b": pl.Float32}), 1),
            [[{"a": 1, "b": 2.5}]] * 2,
        ),
    ],
    ids=str,
)
def test_values_have_a_type_that_holds_them_all(
    storage: StorageManager, sequences: bool, values: list[Data], dtype: Any, expected: list[Any]
) -> None:
    column = scan(storage, *values, sequences=sequences)
    assert column.dtype == dtype
    if expected is not None:
        assert column.to_list() == expected


@pytest.mark.parametrize("unit", ["s", "D", "ms", "us", "ns"])
def test_times_keep_their_precision(storage: StorageManager, unit: str) -> None:
    times = np.array(["2026-11-22", "NaT"], f"M8[{unit}]")
    column = scan(storage, times, times[:0])
    kept = unit if unit in ("ms", "us", "ns") else "us"
    assert column.dtype == pl.List(pl.Datetime(kept))  # type: ignore[arg-type]
    np.testing.assert_array_equal(column[0].to_numpy(), times)


def test_differences_of_times_are_durations(storage: StorageManager) -> None:
    steps = np.array([[1, 2], [3, "NaT"]], "m8[ns]")
    column = scan(storage, steps)
    assert column.dtype == pl.Array(pl.Duration("ns"), (2, 2))
    assert column[0].explode().to_physical().to_list() == [1, 2, 3, None]


def test_times_too_far_for_polars_are_refused(storage: StorageManager) -> None:
    with pytest.raises(ValueError, match="beyond what 64 bits of us can hold"):
        scan(storage, np.array([10**13], "M8[Y]"))


def test_columns_that_are_called_alike_are_told_apart(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        record(
            session,
            parameters={"x": 1, "sequence": 2},
            data={"x": 3, "data.x": 4, "shot_index": 5, "sequence": 6},
        )
    row = storage.scan().collect().row(0, named=True)
    names = ["x", "parameter.sequence", "data.data.x", "data.x", "data.shot_index", "data.sequence"]
    assert [row[name] for name in names] == [1, 2, 3, 4, 5, 6]
    assert row["sequence"] == str(PATH)
