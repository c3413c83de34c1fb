"""Results of shots: stored at any time after them, by whoever finds them."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from shotstore import (
    DataNotFoundError,
    ExperimentSession,
    ShotNotFoundError,
    State,
    StorageManager,
)
from shotstore.model.quantities import quantity
from shotstore.testing.content import changed, content, content_after, refused
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    ENDED,
    PATH,
    bring_to,
    create,
    finish,
    here_or_committed,
    launch,
    path,
    record,
)

IMAGE = np.arange(12, dtype="f4").reshape(3, 4)


@here_or_committed
def run(session: ExperimentSession, shots: int = 3) -> None:
    """A finished sequence with so many shots, in reverse order."""
    launch(session)
    for index in reversed(range(shots)):
        record(session, index=index)
    finish(session)


@here_or_committed
def fit(session: ExperimentSession, index: int = 0, value: Any = 0.5) -> None:
    session.sequences.set_results(PATH, index, {"fraction": value}, by="a fit")


def test_results_are_what_was_stored(storage: StorageManager) -> None:
    run(storage)
    results: dict[str, Any] = {
        "fraction": 0.41,
        "number": 2**70,
        "is good": True,
        "Camera\\od": IMAGE,
        "comment": "größer",
        "fit": {"center": [1.5, (2, None)], "at": datetime(2026, 1, 1, tzinfo=UTC)},
        "empty": np.zeros((0, 4), ">u2"),
        "z": 1 + 2j,
        "name": "",
    }
    with changed(storage, PATH) as (session, found):
        session.sequences.set_results(PATH, 1, results, by="fit_cloud")
    assert exactly_equal(found["results"], {2: {}, 1: dict(sorted(results.items())), 0: {}})


def test_the_newest_counts_and_the_others_are_kept(storage: StorageManager) -> None:
    run(storage)
    before = datetime.now(UTC)
    with storage.session() as session:
        session.sequences.set_results(PATH, 0, {"a": 1, "b": "x"}, by="first")
        session.sequences.set_results(PATH, 1, {"a": 5})
        session.sequences.set_results(PATH, 0, {"a": 2.5}, by="second")
    with storage.session() as session:
        session.sequences.set_results(PATH, 0, {"b": 3})
    with storage.session() as session:
        shot = session.get_sequence(PATH).get_shot(0)
        assert shot.get_results() == {"a": 2.5, "b": 3}
        assert session.sequences.get_results(PATH) == {1: {"a": 5}, 0: {"a": 2.5, "b": 3}}
        history = shot.get_results(history=True)
        assert [(each.by, each.values) for each in history] == [
            ("first", {"a": 1, "b": "x"}),
            ("second", {"a": 2.5}),
            ("", {"b": 3}),
        ]
        times = [each.time for each in history]
        assert before <= times[0] <= times[1] <= times[2] <= datetime.now(UTC)
        every = session.get_sequence(PATH).get_results(history=True)
        assert [each.shot_index for each in every] == [0, 1, 0, 0]


def test_what_was_recorded_does_not_change(storage: StorageManager) -> None:
    run(storage)
    before = content(storage)[str(PATH)]
    after = content_after(storage, fit)[str(PATH)]
    for key in before:
        if "results" not in key:
            assert exactly_equal(after[key], before[key])


@pytest.mark.parametrize("state", [State.RUNNING, *ENDED])
def test_results_are_stored_in_every_state_in_which_there_are_shots(
    storage: StorageManager, state: State
) -> None:
    bring_to(storage, state)
    found = content_after(storage, fit)[str(PATH)]
    assert found["results"] == {0: {"fraction": 0.5}}


def test_shots_are_recorded_while_results_are_stored(storage: StorageManager) -> None:
    launch(storage)
    for index in range(4):
        record(storage, index=index)
        fit(storage, index, index / 4)
    finish(storage)
    with storage.session() as session:
        assert session.sequences.get_results(PATH) == {
            index: {"fraction": index / 4} for index in range(4)
        }


def test_a_shot_and_its_result_in_one_session(storage: StorageManager) -> None:
    with changed(storage, PATH) as (session, found):
        launch(session)
        record(session, index=3)
        fit(session, 3)
        record(session, index=1)
        fit(session, 1, 0.7)
        finish(session)
    assert found["results"] == {3: {"fraction": 0.5}, 1: {"fraction": 0.7}}


def test_results_of_many_shots(storage: StorageManager) -> None:
    run(storage)
    images = np.arange(24, dtype="u2").reshape(2, 3, 4)
    with changed(storage, PATH) as (session, found):
        session.get_sequence(PATH).set_results(
            {
                "shot_index": np.array([2, 0]),
                "fraction": np.array([0.25, 0.5], "f4"),
                "od": images,
                "text": ["a", "bcd"],
                "mixed": [None, np.zeros(3)],
                "count": (7, 2**65),
            },
            by="fit",
        )
    assert exactly_equal(
        found["results"],
        {
            2: {"count": 7, "fraction": 0.25, "od": images[0], "text": "a"},
            1: {},
            0: {
                "count": 2**65,
                "fraction": 0.5,
                "mixed": np.zeros(3),
                "od": images[1],
                "text": "bcd",
            },
        },
    )


def test_results_of_a_polars_frame(storage: StorageManager) -> None:
    polars = pytest.importorskip("polars")
    run(storage)
    frame = polars.DataFrame(
        {
            "shot_index": [0, 2],
            "fraction": [0.5, None],
            "n": [1, 2],
            "text": ["a", None],
            "trace": [[1.5, 2.5], [3.5, 4.5]],
        },
        schema_overrides={"trace": polars.Array(polars.Float64, 2)},
    )
    with storage.session() as session:
        session.sequences.set_many_results(PATH, frame)
        found = session.sequences.get_results(PATH)
    assert exactly_equal(
        found,
        {
            2: {"n": 2, "trace": np.array([3.5, 4.5])},
            0: {"fraction": 0.5, "n": 1, "text": "a", "trace": np.array([1.5, 2.5])},
        },
    )


@pytest.mark.parametrize("is_index", [True, False])
def test_results_of_a_pandas_frame(storage: StorageManager, is_index: bool) -> None:
    pandas = pytest.importorskip("pandas")
    run(storage)
    frame = pandas.DataFrame(
        {"shot_index": [0, 2], "fraction": [0.5, 0.25], "n": [1, 2], "text": ["a", None]}
    )
    with storage.session() as session:
        given = frame.set_index("shot_index") if is_index else frame
        session.sequences.set_many_results(PATH, given)
        found = session.sequences.get_results(PATH)
    assert exactly_equal(
        found, {2: {"fraction": 0.25, "n": 2}, 0: {"fraction": 0.5, "n": 1, "text": "a"}}
    )


@pytest.mark.parametrize(
    ("columns", "error", "match"),
    [
        ({"fraction": [1, 2]}, ValueError, "shot_index"),
        ({"shot_index": [0, 1]}, ValueError, "only column"),
        ({"shot_index": [0, 1, 0], "a": [1, 2, 3]}, ValueError, "more than once"),
        ({"shot_index": [0, 1], "a": [1, 2, 3]}, ValueError, "3 values for 2 shots"),
        ({"shot_index": [0, 9], "a": [1, 2]}, ShotNotFoundError, "no shot 9"),
        ({"shot_index": [0, -1], "a": [1, 2]}, ValueError, "negative"),
        ({"shot_index": [0, 0.5], "a": [1, 2]}, TypeError, "index"),
        ({"shot_index": [0, 1], "a": [1, {2}]}, TypeError, "'a'"),
        ({"shot_index": [0, 1], "a": 1}, TypeError, "'a'"),
        ({"shot_index": [0, 1], "a": np.float64(1)}, TypeError, "'a'"),
        ({"shot_index": [0, 1], "a": "ab"}, TypeError, "'a'"),
        ({"shot_index": [0, 1], "": [1, 2]}, ValueError, "empty"),
        ({"shot_index": [0, 1], "a": [1, 2], "counts": [1, 2]}, ValueError, "'counts' is a label"),
        ({"shot_index": [0, 1], "index": [1, 2]}, ValueError, "'index' is a parameter"),
        ([1, 2], TypeError, "dict of columns"),
        ("fraction", TypeError, "dict of columns"),
        (None, TypeError, "dict of columns"),
    ],
)
def test_wrong_columns_are_refused_before_anything_is_stored(
    storage: StorageManager, columns: Any, error: type[Exception], match: str
) -> None:
    run(storage)
    fit(storage)
    with storage.session() as session, refused(session, error, match):
        session.sequences.set_many_results(PATH, columns)


@pytest.mark.parametrize(
    ("results", "error"),
    [
        ({}, ValueError),
        ({"": 1}, ValueError),
        ({"\ud800": 1}, ValueError),
        ({"a": "\ud800"}, ValueError),
        ({"a": {1}}, TypeError),
        ({"a": 1, "b": np.array([None])}, TypeError),
        ({1: 1}, TypeError),
        ([1], TypeError),
        (None, TypeError),
        ({"counts": 1}, ValueError),
        ({"index": 1}, ValueError),
    ],
)
def test_wrong_results_are_refused_before_anything_is_stored(
    storage: StorageManager, results: Any, error: type[Exception]
) -> None:
    run(storage)
    fit(storage)
    with storage.session() as session, refused(session, error):
        session.sequences.set_results(PATH, 0, results)


def test_a_shot_that_is_not_there_has_no_results(storage: StorageManager) -> None:
    run(storage)
    create(storage, path(r"\draft"))
    with storage.session() as session:
        sequences = session.sequences
        for call in (
            lambda: sequences.set_results(PATH, 7, {"a": 1}),
            lambda: sequences.get_results(PATH, 7),
            lambda: sequences.remove_results(PATH, ["a"], 7),
            lambda: sequences.set_results(r"\draft", 0, {"a": 1}),
            lambda: sequences.get_results(r"\draft", 0),
            lambda: sequences.set_many_results(r"\draft", {"shot_index": [0], "a": [1]}),
        ):
            with refused(session, ShotNotFoundError):
                call()
        assert sequences.get_results(r"\draft") == {}
        assert sequences.get_results(r"\draft", history=True) == []
        assert dict(sequences.get_result_schema(r"\draft")) == {}


@pytest.mark.parametrize("by", [None, 5, b"fit"])
def test_by_what_is_a_text(storage: StorageManager, by: Any) -> None:
    run(storage)
    with storage.session() as session, refused(session, TypeError, "by"):
        session.sequences.set_results(PATH, 0, {"a": 1}, by=by)


def test_results_are_taken_away_and_stay_in_the_history(storage: StorageManager) -> None:
    run(storage)
    with storage.session() as session:
        columns = {"shot_index": [0, 1], "a": [1, 2], "b": [3, 4]}
        session.sequences.set_many_results(PATH, columns, by="fit")
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        sequence.get_shot(0).remove_results(["a"])
        assert sequence.get_results() == {1: {"a": 2, "b": 4}, 0: {"b": 3}}
        with refused(session, DataNotFoundError, "did you mean"):
            sequence.remove_results(["bb"])
        with refused(session, DataNotFoundError):
            sequence.get_shot(0).remove_results(["b", "a"])
        sequence.remove_results(["b", "a"])
        assert sequence.get_results() == {}
        assert len(sequence.get_result_schema()) == 0
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        assert sequence.get_results() == {}
        assert [each.values for each in sequence.get_results(history=True)][:2] == [
            {"a": 1, "b": 3},
            {"a": 2, "b": 4},
        ]
        session.sequences.set_results(PATH, 0, {"a": 9})
        assert sequence.get_results() == {0: {"a": 9}}


def test_the_schema_is_that_of_what_counts(storage: StorageManager) -> None:
    run(storage)
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        session.sequences.set_results(PATH, 0, {"a": "text", "od": IMAGE, "n": 1})
        session.sequences.set_results(PATH, 1, {"od": IMAGE, "n": 1.5})
        session.sequences.set_results(PATH, 0, {"a": 3})
        schema = sequence.get_result_schema()
        assert {name: kind.kind for name, kind in schema.items()} == {
            "a": "int",
            "od": "array",
            "n": "float",
        }
        assert schema["od"].shape == IMAGE.shape


# Units


def test_results_with_units_come_back_and_are_one_column(storage: StorageManager) -> None:
    run(storage)
    widths = np.array([1.0, 2.0])
    with storage.session() as session:
        sequences = session.sequences
        results = {"temperature": quantity(1.5, "mK"), "width": quantity(widths, "mm")}
        sequences.set_results(PATH, 0, results)
        columns = {"shot_index": [1, 2], "temperature": quantity(widths, "K")}
        sequences.set_many_results(PATH, columns)
    with storage.session() as session:
        found = session.sequences.get_results(PATH)
        assert exactly_equal(found[0]["temperature"], quantity(1.5, "mK"))
        assert exactly_equal(found[0]["width"], quantity(widths, "mm"))
        assert exactly_equal(found[2]["temperature"], quantity(2.0, "K"))
        schema = session.sequences.get_result_schema(PATH)
        arrays = session.get_sequence(PATH).to_arrays(["temperature"])
    first = schema["temperature"].units
    assert first in ("mK", "K")
    factor = 1000 if first == "mK" else 1
    np.testing.assert_allclose(arrays["temperature"], np.array([0.0015, 1, 2]) * factor)
