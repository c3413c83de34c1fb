"""Shots are taken again: the last attempt counts, and the earlier ones are kept."""

from typing import Any

import numpy as np
import pytest

from shotstore import (
    Attempt,
    ExperimentSession,
    SequenceNotRunningError,
    ShotExistsError,
    ShotId,
    ShotNotFoundError,
    StorageManager,
)
from shotstore.model import Data, Parameter, quantity
from shotstore.state import State
from shotstore.testing.content import changed, content, reopened
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    PATH,
    SECOND,
    START,
    bring_to,
    finish,
    here_or_committed,
    indices,
    launch,
    path,
    recipe,
    record,
    relaunch,
)
from shotstore.testing.failing_sessions import discarded

FRAME = np.arange(12, dtype=np.uint16).reshape(3, 4)


@here_or_committed
def take(
    session: ExperimentSession,
    index: int,
    value: int,
    data: dict[str, Data] | None = None,
    parameters: dict[str, Parameter] | None = None,
) -> None:
    """Take a shot, perhaps once more."""
    start = START + (100 * index + value) * SECOND
    session.sequences.create_shot(
        ShotId(PATH, index),
        {"value": value} if parameters is None else parameters,
        {"counts": 10 * value} if data is None else data,
        start,
        start + SECOND,
        replace=True,
    )


def retaken(storage: StorageManager) -> None:
    """Record the shots 0, 1, 2, then 1 again, and 3, each with a value of its own."""
    launch(storage)
    for value, index in enumerate([0, 1, 2, 1, 3]):
        take(storage, index, value)


def retaken_with_frames(storage: StorageManager) -> None:
    """The same, with frames."""
    launch(storage)
    for value, index in enumerate([0, 1, 2, 1, 3]):
        take(storage, index, value, {"counts": 10 * value, "frame": FRAME + value})


def parts(attempt: Attempt) -> tuple[Any, ...]:
    """What an attempt says."""
    return attempt.start_time, attempt.end_time, dict(attempt.parameters), dict(attempt.data)


def test_of_a_shot_that_was_taken_again_the_last_attempt_counts(storage: StorageManager) -> None:
    retaken_with_frames(storage)
    for place in (storage, reopened(storage)):
        with place.session() as session:
            assert indices(session) == [0, 2, 1, 3]
            sequence = session.get_sequence(PATH)
            assert len(sequence) == 4
            assert [shot.index for shot in sequence] == [0, 1, 2, 3]
            values = [shot.get_parameters()["value"] for shot in sequence]
            assert values == [0, 3, 2, 4]
            shot = sequence.get_shot(1)
            assert exactly_equal(shot.get_data(), {"counts": 30, "frame": FRAME + 3})
            assert shot.get_data_by_label("counts") == 30
            assert shot.get_start_time() == START + 103 * SECOND
            assert shot.get_end_time() == START + 104 * SECOND
            assert session.sequences.get_summaries(PATH)[0].number_of_shots == 4


def test_earlier_attempts_are_kept(storage: StorageManager) -> None:
    retaken_with_frames(storage)
    take(storage, 1, 7, data={"other": "text"}, parameters={"power": quantity(2.5, "mW")})
    with reopened(storage).session() as session:
        shot = session.get_sequence(PATH).get_shot(1)
        assert shot.get_data() == {"other": "text"}
        first, second = shot.attempts
        for attempt, value in ((first, 1), (second, 3)):
            start = START + (100 + value) * SECOND
            data = {"counts": 10 * value, "frame": FRAME + value}
            assert exactly_equal(parts(attempt), (start, start + SECOND, {"value": value}, data))
        assert session.get_sequence(PATH).get_shot(0).attempts == []
        assert len(session.sequences.get_shot_attempts(PATH, 1)) == 2
        with pytest.raises(ShotNotFoundError):
            session.sequences.get_shot_attempts(PATH, 9)


def test_the_first_attempt_may_be_recorded_so_too(storage: StorageManager) -> None:
    launch(storage)
    with changed(storage, PATH) as (session, found):
        take(session, 4, 1)
        assert session.get_sequence(PATH).get_shot(4).attempts == []
    assert list(found["shots"]) == [4]


def test_columns_are_of_the_attempts_that_count(storage: StorageManager) -> None:
    retaken_with_frames(storage)
    with storage.session() as session:
        columns = session.sequences.get_columns(PATH, parameters=["value"], labels=["frame"])
        assert columns.shot_index.tolist() == [0, 2, 1, 3]
        assert columns.parameters["value"].values.tolist() == [0, 2, 3, 4]
        assert [frame[0, 0] for frame in columns.data["frame"].values] == [0, 2, 3, 4]
        some = session.sequences.get_columns(PATH, parameters=["value"], rows=[2, 1])
        assert some.shot_index.tolist() == [1, 2]
        assert some.parameters["value"].values.tolist() == [3, 2]
        with pytest.raises(IndexError):
            session.sequences.get_columns(PATH, rows=[4])


def test_the_schemas_are_of_the_attempts_that_count(storage: StorageManager) -> None:
    launch(storage)
    take(storage, 0, 0, {"wrong": 1.5, "x": 1}, {"detuning": quantity(1.0, "MHz")})
    take(storage, 1, 0, {"x": 2.5}, {"detuning": quantity(1, "kHz"), "other": 3})
    take(storage, 0, 0, {"x": 3}, {"detuning": quantity(2.0, "MHz")})
    with reopened(storage).session() as session:
        assert list(session.sequences.get_data_schema(PATH)) == ["x"]
        schema = session.sequences.get_parameter_schema(PATH)
        assert set(schema) == {"detuning", "other"}
        assert schema["detuning"].units == "kHz"
        columns = session.sequences.get_columns(PATH, parameters=["detuning"], labels=["x"])
        assert columns.parameters["detuning"].values.tolist() == [1, 2000]
        assert columns.data["x"].values.tolist() == [2.5, 3]


def test_a_shot_is_taken_again_in_the_same_session(storage: StorageManager) -> None:
    launch(storage)
    with changed(storage, PATH) as (session, found):
        for value, index in enumerate([2, 2, 0, 2]):
            take(session, index, value)
        assert indices(session) == [0, 2]
        assert len(session.get_sequence(PATH).get_shot(2).attempts) == 2
    assert [shot[2] for shot in found["shots"].values()] == [{"value": 2}, {"value": 3}]


def test_without_replace_a_shot_stays_as_it_is(storage: StorageManager) -> None:
    launch(storage, shots=2)
    record(storage)
    with pytest.raises(ShotExistsError, match=r"replace=True; else the first .* free is 1"):
        record(storage)
    record(storage, index=1)
    with pytest.raises(ShotExistsError, match=r"replace=True; else it has all its 2"):
        record(storage)
    with storage.session() as session:
        assert session.get_sequence(PATH).get_shot(0).attempts == []


def test_a_shot_is_taken_again_of_all_that_are_expected(storage: StorageManager) -> None:
    launch(storage, shots=2)
    for value, index in enumerate([0, 1, 0]):
        take(storage, index, value)
    with storage.session() as session, pytest.raises(ValueError, match="makes 2 shots"):
        take(session, 2, 3)
    finish(storage)
    with storage.session() as session:
        stats = session.sequences.get_stats(PATH)
        assert (stats.number_completed_shots, stats.expected_number_shots) == (2, 2)


def test_only_a_running_sequence_takes_a_shot_again(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with storage.session() as session, pytest.raises(SequenceNotRunningError):
        take(session, 0, 1)


def test_replace_is_a_truth_value(storage: StorageManager) -> None:
    launch(storage)
    with storage.session() as session, pytest.raises(TypeError, match="replace"):
        session.sequences.create_shot(
            ShotId(PATH, 0),
            {},
            {},
            START,
            START,
            replace="yes",  # type: ignore[arg-type]
        )


def test_a_sequence_ends_and_goes_on_with_its_attempts(storage: StorageManager) -> None:
    retaken(storage)
    with storage.session() as session:
        session.sequences.set_interrupted(PATH, "now")
    before = content(storage)[str(PATH)]
    assert list(before["shots"]) == [0, 2, 1, 3]
    with changed(storage, PATH) as (session, found):
        session.sequences.resume(PATH)
        take(session, 0, 9)
        assert len(session.get_sequence(PATH).get_shot(1).attempts) == 1
    assert list(found["shots"]) == [2, 1, 3, 0]
    finish_now(storage)
    with reopened(storage).session() as session:
        assert indices(session) == [2, 1, 3, 0]
        assert session.get_sequence(PATH).get_shot(0).attempts[0].parameters == {"value": 0}


@here_or_committed
def finish_now(session: ExperimentSession) -> None:
    """Let the sequence end now."""
    session.sequences.set_finished(PATH, "now")


def test_a_session_keeps_to_the_attempts_that_it_has_seen(storage: StorageManager) -> None:
    launch(storage)
    for value, index in enumerate([0, 1]):
        take(storage, index, value)
    with storage.session() as reader:
        before = content(reader)
        take(storage, 0, 5)
        take(storage, 2, 6)
        finish_now(storage)
        assert exactly_equal(content(reader), before)
        assert reader.get_sequence(PATH).get_shot(0).attempts == []
        assert reader.get_sequence(PATH).get_shot(0).get_data_by_label("counts") == 0
        columns = reader.sequences.get_columns(PATH, labels=["counts"])
        assert columns.data["counts"].values.tolist() == [0, 10]


def test_a_session_that_has_seen_the_end_keeps_to_it_when_the_run_goes_on(
    storage: StorageManager,
) -> None:
    retaken(storage)
    with storage.session() as session:
        session.sequences.set_interrupted(PATH, "now")
    with storage.session() as reader:
        state = reader.sequences.get_state(PATH)
        with storage.session() as session:
            session.sequences.resume(PATH)
            take(session, 3, 8)
            take(session, 5, 9)
        assert state is State.INTERRUPTED
        assert indices(reader) == [0, 2, 1, 3]
        assert reader.get_sequence(PATH).get_shot(3).attempts == []


def test_what_was_discarded_was_not_taken_again(storage: StorageManager) -> None:
    retaken(storage)
    before = content(storage)
    with discarded(storage.session) as session:
        take(session, 0, 9)
    assert exactly_equal(content(storage), before)
    take(storage, 0, 5)
    with storage.session() as session:
        assert indices(session) == [2, 1, 3, 0]


def test_a_reset_deletes_the_attempts(storage: StorageManager) -> None:
    retaken(storage)
    finish_now(storage)
    with changed(storage, PATH) as (session, found):
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, index=1)
        assert session.get_sequence(PATH).get_shot(1).attempts == []
    assert list(found["shots"]) == [1]


def test_a_moved_sequence_keeps_the_attempts(storage: StorageManager) -> None:
    retaken(storage)
    finish_now(storage)
    with storage.session() as session:
        session.paths.move(PATH, path(r"\moved"))
    with reopened(storage).session() as session:
        [attempt] = session.get_sequence(r"\moved").get_shot(1).attempts
        assert attempt.parameters == {"value": 1}


def test_a_shot_that_is_taken_again_is_followed_once_more(storage: StorageManager) -> None:
    launch(storage)
    followed = storage.follow(PATH, poll=0)
    seen = []
    for value, index in enumerate([0, 1, 0]):
        take(storage, index, value)
        shot = next(followed)
        seen.append((shot.index, shot.get_data_by_label("counts"), len(shot.attempts)))
    assert seen == [(0, 0, 0), (1, 10, 0), (0, 20, 1)]
    # Of what was taken again before the next look, the last attempt alone.
    for value, index in enumerate([3, 2, 3, 2], start=3):
        take(storage, index, value)
    finish_now(storage)
    assert [(shot.index, shot.get_data_by_label("counts")) for shot in followed] == [
        (3, 50),
        (2, 60),
    ]


def test_to_skip_what_was_seen_skips_each_attempt(storage: StorageManager) -> None:
    retaken(storage)
    finish_now(storage)
    for skip, left in ((0, [0, 2, 1, 3]), (3, [1, 3]), (4, [3]), (5, [])):
        assert [shot.index for shot in storage.follow(PATH, skip=skip)] == left


def test_a_run_takes_a_shot_again(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        for number, _ in enumerate(run):
            run.save(x=number)
            if number == 1:
                run.save(index=0, x=10)
        run.save(index=0, x=20)
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        assert sequence.get_state() is State.FINISHED
        assert [shot.get_data()["x"] for shot in sequence] == [20, 1, 2]
        attempts = sequence.get_shot(0).attempts
        assert [attempt.data["x"] for attempt in attempts] == [0, 10]
        assert attempts[1].parameters == sequence.get_shot(0).get_parameters()


def test_results_and_tags_stay_with_the_attempt_that_they_are_of(storage: StorageManager) -> None:
    retaken(storage)
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        sequence.get_shot(0).set_results({"fit": 1.5})
        sequence.get_shot(1).set_results({"fit": 2.5})
        sequence.get_shot(1).add_tag("bad")
    take(storage, 1, 9)
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        assert sequence.get_shot(1).get_results() == {}
        assert sequence.get_shot(1).get_tags() == set()
        assert sequence.get_shot(0).get_results() == {"fit": 1.5}
        sequence.get_shot(1).set_results({"fit": 3.5})
    finish_now(storage)
    with reopened(storage).session() as session:
        sequence = session.get_sequence(PATH)
        assert [shot.get_results() for shot in sequence] == [{"fit": 1.5}, {"fit": 3.5}, {}, {}]
