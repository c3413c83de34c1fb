"""Recording shots, and reading them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from shotstore import (
    DataId,
    DataNotFoundError,
    ExperimentSession,
    ShotId,
    ShotNotFoundError,
    State,
    StorageManager,
)
from shotstore.model import Data
from shotstore.testing.content import changed, content_after, reopened
from shotstore.testing.experiments import (
    PATH,
    SECOND,
    START,
    bring_to,
    create,
    finish,
    indices,
    launch,
    path,
    record,
)
from shotstore.testing.failing_sessions import discarded
from shotstore.testing.round_trips import Shots


def test_a_shot_is_read_back(storage: StorageManager) -> None:
    data: dict[str, Data] = {
        r"Camera\picture": np.arange(6).reshape(2, 3),
        "counts": 7,
        "comment": "good",
    }
    launch(storage)
    record(storage, index=3, parameters={"detuning": 1.5}, data=data)
    with reopened(storage).session() as session:
        sequences = session.sequences
        assert sequences.get_shots(PATH) == [ShotId(PATH, 3)]
        assert sequences.get_shot_parameters(PATH, 3) == {"detuning": 1.5}
        found = sequences.get_all_shot_data(PATH, 3)
        assert set(found) == set(data)
        np.testing.assert_array_equal(found[r"Camera\picture"], data[r"Camera\picture"])
        assert sequences.get_shot_data_by_label(DataId(ShotId(PATH, 3), "counts")) == 7
        assert sequences.get_shot_data_by_labels(PATH, 3, ["comment", "counts"]) == {
            "comment": "good",
            "counts": 7,
        }


def test_a_shot_is_read_by_an_index_of_numpy(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        session.sequences.create_shot(
            ShotId(PATH, np.int64(2)),  # type: ignore[arg-type]
            {},
            {},
            START,
            START,
        )
        assert session.sequences.get_shots(PATH) == [ShotId(PATH, 2)]
        assert session.sequences.get_shot_start_time(PATH, np.uint8(2)) == START  # type: ignore[arg-type]


@pytest.mark.parametrize("order", [[4, 0, 9], [9, 8, 0, 1], [5], list(range(10))])
def test_shots_may_come_in_any_order_with_gaps(storage: StorageManager, order: list[int]) -> None:
    launch(storage)
    for part in (order[:2], order[2:]):
        with storage.session() as session:
            for index in part:
                record(session, index=index)
    with reopened(storage).session() as session:
        assert indices(session) == order
        for index in range(10):
            if index in order:
                assert session.sequences.get_shot_parameters(PATH, index) == {"index": index}
                assert session.sequences.get_all_shot_data(PATH, index) == {"counts": 10 * index}
                start = session.sequences.get_shot_start_time(PATH, index)
                assert start == START + index * SECOND
            else:
                with pytest.raises(ShotNotFoundError):
                    session.sequences.get_shot_parameters(PATH, index)


def test_a_shot_without_parameters_and_data_is_a_shot(storage: StorageManager) -> None:
    launch(storage)
    record(storage, index=0, parameters={}, data={})
    with reopened(storage).session() as session:
        assert indices(session) == [0]
        assert session.sequences.get_shot_parameters(PATH, 0) == {}
        assert session.sequences.get_all_shot_data(PATH, 0) == {}


def test_shots_may_lack_what_others_have(storage: StorageManager) -> None:
    shots: Shots = [
        ({"a": 1}, {"x": 1.5, "frame": np.arange(3)}),
        ({"a": 2, "b": True}, {"frame": np.arange(3)}),
        ({"b": False}, {"x": None}),
        ({"a": 1}, {"x": 2.5, "frame": np.arange(4)}),
    ]
    with storage.session() as session:
        launch(session)
        for index, (parameters, data) in enumerate(shots):
            record(session, index=index, parameters=parameters, data=data)
    with reopened(storage).session() as session:
        for index, (parameters, data) in enumerate(shots):
            assert session.sequences.get_shot_parameters(PATH, index) == parameters
            found = session.sequences.get_all_shot_data(PATH, index)
            assert set(found) == set(data)
            for label in data:
                np.testing.assert_array_equal(found[label], data[label])


def test_times_are_aware_and_come_back_in_utc(storage: StorageManager) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    times = [
        (START.astimezone(zone), START.astimezone(zone) + timedelta(microseconds=1)),
        (datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        (START, START),
    ]
    with storage.session() as session:
        launch(session)
        for index, (start, end) in enumerate(times):
            session.sequences.create_shot(ShotId(PATH, index), {}, {}, start, end)
    with reopened(storage).session() as session:
        for index, (start, end) in enumerate(times):
            found = (
                session.sequences.get_shot_start_time(PATH, index),
                session.sequences.get_shot_end_time(PATH, index),
            )
            assert found == (start, end)
            assert [time.utcoffset() for time in found] == [timedelta(0)] * 2


def test_a_missing_shot_is_not_found(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=1)
        sequences = session.sequences
        reading: list[Callable[[int], object]] = [
            lambda index: sequences.get_shot_parameters(PATH, index),
            lambda index: sequences.get_all_shot_data(PATH, index),
            lambda index: sequences.get_shot_data_by_labels(PATH, index, []),
            lambda index: sequences.get_shot_data_by_label(DataId(ShotId(PATH, index), "counts")),
            lambda index: sequences.get_shot_start_time(PATH, index),
            lambda index: sequences.get_shot_end_time(PATH, index),
        ]
        for read in reading:
            for missing in (0, 2, -1, 10**30):
                with pytest.raises(ShotNotFoundError, match=rf"no shot {missing}"):
                    read(missing)


@pytest.mark.parametrize("state", [State.DRAFT, State.PREPARING])
def test_a_sequence_that_has_not_run_has_no_shots(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    with storage.session() as session:
        assert indices(session) == []
        with pytest.raises(ShotNotFoundError):
            session.sequences.get_all_shot_data(PATH, 0)


def test_missing_labels_are_all_named_with_the_closest_ones(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"atom_number": 1, "picture": 2})
        with pytest.raises(DataNotFoundError, match=r"'atom_nmber'.*'atom_number'"):
            session.sequences.get_shot_data_by_label(DataId(ShotId(PATH, 0), "atom_nmber"))
        with pytest.raises(DataNotFoundError, match=r"'temperature'.*'width'"):
            session.sequences.get_shot_data_by_labels(PATH, 0, ["temperature", "picture", "width"])


def test_a_label_of_another_shot_is_missing(storage: StorageManager) -> None:
    launch(storage)
    record(storage, index=0, data={"x": 1})
    record(storage, index=1, data={"y": np.arange(2)})
    record(storage, index=2, data={"x": 2})
    with storage.session() as session:
        for index, label in ((1, "x"), (0, "y"), (2, "y")):
            with pytest.raises(DataNotFoundError):
                session.sequences.get_shot_data_by_labels(PATH, index, [label])


def test_a_single_text_is_not_several_labels(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"x": 1})
        with pytest.raises(TypeError, match=r"\['x'\]"):
            session.sequences.get_shot_data_by_labels(PATH, 0, "x")
        assert session.sequences.get_shot_data_by_labels(PATH, 0, {"x": None}) == {"x": 1}
        assert session.sequences.get_shot_data_by_labels(PATH, 0, ["x", "x"]) == {"x": 1}


# Several shots in one session, and one in each of several


def test_a_sequence_is_created_run_and_ended_in_one_session(storage: StorageManager) -> None:
    def change(session: ExperimentSession) -> None:
        launch(session)
        for index in (3, 1, 2):
            record(session, index=index, data={"frame": np.full((2, 2), index)})
            assert indices(session)[-1] == index
        finish(session)

    with storage.session() as session:
        change(session)
        assert indices(session) == [3, 1, 2]
    with reopened(storage).session() as session:
        assert indices(session) == [3, 1, 2]
        frame = session.sequences.get_all_shot_data(PATH, 1)["frame"]
        np.testing.assert_array_equal(frame, np.full((2, 2), 1))


def test_shots_are_added_session_by_session(storage: StorageManager) -> None:
    launch(storage)
    for index in range(8):
        with storage.session() as session:
            assert indices(session) == list(range(index))
            record(session, index=index)
            assert indices(session) == list(range(index + 1))
    found = content_after(storage, finish)[str(PATH)]
    assert found["stats"].number_completed_shots == 8
    assert list(found["shots"]) == list(range(8))


def test_two_sequences_take_shots_in_one_session(storage: StorageManager) -> None:
    other = path(r"\other")
    launch(storage)
    launch(storage, other)
    with changed(storage) as (session, found):
        for index in range(3):
            record(session, PATH, index)
            record(session, other, 9 - index)
    assert list(found[str(PATH)]["shots"]) == [0, 1, 2]
    assert list(found[str(other)]["shots"]) == [9, 8, 7]


def test_shots_are_read_in_the_session_that_records_further_ones(storage: StorageManager) -> None:
    launch(storage)
    record(storage, index=0)
    with storage.session() as session:
        assert session.sequences.get_shot_parameters(PATH, 0) == {"index": 0}
        record(session, index=1)
        assert session.sequences.get_shot_parameters(PATH, 0) == {"index": 0}
        assert session.sequences.get_shot_parameters(PATH, 1) == {"index": 1}
        create(session, path(r"\new"))
        record(session, index=2)
        assert session.sequences.get_stats(PATH).number_completed_shots == 3


@pytest.mark.parametrize("shape", [(10,), (300, 400)])
def test_a_buffer_that_is_used_again_changes_no_shot(
    storage: StorageManager, shape: tuple[int, ...]
) -> None:
    buffer = np.zeros(shape, "u2")
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(1, 40):
            buffer[...] = index
            record(session, index=index, data={"picture": buffer})
        buffer[...] = 0
    with reopened(storage).session() as session:
        for index in range(1, 40):
            found = session.sequences.get_all_shot_data(PATH, index)["picture"]
            np.testing.assert_array_equal(found, np.full(shape, index, "u2"))


def test_a_crashed_session_leaves_the_earlier_shots(storage: StorageManager) -> None:
    launch(storage)
    record(storage, index=0)
    with discarded(storage) as session:
        for index in range(1, 5):
            record(session, index=index, data={"frame": np.ones((300, 300))})
    assert indices(storage) == [0]
    record(storage, index=1)
    with reopened(storage).session() as session:
        assert indices(session) == [0, 1]
        assert session.sequences.get_all_shot_data(PATH, 1) == {"counts": 10}
