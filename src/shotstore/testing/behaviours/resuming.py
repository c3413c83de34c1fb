"""Sequences that were interrupted, or have crashed, go on with the shots that they have."""

from datetime import UTC, datetime, timedelta

import pytest

from shotstore import (
    Interruption,
    InvalidStateTransitionError,
    SequenceNotCrashedError,
    SequenceNotRunningError,
    SequenceStats,
    State,
    StorageManager,
    TransactionConflictError,
)
from shotstore.testing.content import changed, content, content_after, refused, reopened
from shotstore.testing.experiments import (
    DEVICES,
    ENTER,
    ERROR,
    PARAMETERS,
    PATH,
    SECOND,
    START,
    STOP,
    bring_to,
    create,
    finish,
    indices,
    launch,
    path,
    record,
)

LATER = STOP + timedelta(hours=8)
RESUMABLE = [State.INTERRUPTED, State.CRASHED]


@pytest.mark.parametrize("state", RESUMABLE)
def test_a_resumed_sequence_runs_with_the_shots_that_it_has(
    storage: StorageManager, state: State
) -> None:
    bring_to(storage, state)
    before = content(storage)[str(PATH)]
    with changed(storage, PATH) as (session, found):
        session.sequences.resume(PATH, LATER)
        record(session, index=4)
        with pytest.raises(SequenceNotCrashedError):
            session.sequences.get_exception(PATH)
    assert found["stats"] == SequenceStats(State.RUNNING, START, None, 2, 10)
    assert list(found["shots"]) == [0, 4]
    assert found["shots"][0] == before["shots"][0]
    for kept in ("created", "iteration", "time lanes", "parameters", "devices"):
        assert found[kept] == before[kept]
    error = ERROR if state is State.CRASHED else None
    assert found["interruptions"] == (Interruption(state, STOP, error, LATER),)


def test_every_interruption_is_kept(storage: StorageManager) -> None:
    times = [STOP + minutes * timedelta(minutes=1) for minutes in range(6)]
    launch(storage)
    for index in range(3):
        with storage.session() as session:
            record(session, index=index)
        with storage.session() as session:
            if index == 1:
                session.sequences.set_crashed(PATH, ERROR, times[2 * index])
            else:
                session.sequences.set_interrupted(PATH, times[2 * index])
        with storage.session() as session:
            session.get_sequence(PATH).resume(times[2 * index + 1])
    with storage.session() as session:
        session.sequences.set_finished(PATH, times[5])
    with reopened(storage).session() as session:
        assert session.get_sequence(PATH).get_interruptions() == (
            Interruption(State.INTERRUPTED, times[0], None, times[1]),
            Interruption(State.CRASHED, times[2], ERROR, times[3]),
            Interruption(State.INTERRUPTED, times[4], None, times[5]),
        )
        stats = session.sequences.get_stats(PATH)
        assert stats == SequenceStats(State.FINISHED, START, times[5], 3, 10)
        [summary] = session.sequences.get_summaries(PATH)
        assert summary.paused == timedelta(minutes=3)


def test_a_sequence_that_has_not_been_resumed_has_no_interruptions(storage: StorageManager) -> None:
    bring_to(storage, State.CRASHED)
    create(storage, path(r"\draft"))
    with storage.session() as session:
        for place in (PATH, path(r"\draft")):
            assert session.sequences.get_interruptions(place) == ()


def test_a_sequence_is_resumed_in_the_session_that_has_interrupted_it(
    storage: StorageManager,
) -> None:
    launch(storage)
    with changed(storage, PATH) as (session, found):
        record(session, index=3)
        ENTER[State.INTERRUPTED](session)
        assert indices(session) == [3]
        session.sequences.resume(PATH)
        record(session, index=1)
        assert indices(session) == [3, 1]
    assert list(found["shots"]) == [3, 1]


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (State.DRAFT, "launch it with set_preparing and set_running"),
        (State.PREPARING, "call set_running"),
        (State.RUNNING, "is running already"),
        (State.FINISHED, "record further shots into a duplicate"),
    ],
)
def test_only_what_was_interrupted_or_has_crashed_is_resumed(
    storage: StorageManager, state: State, remedy: str
) -> None:
    bring_to(storage, state)
    with (
        storage.session() as session,
        refused(session, InvalidStateTransitionError, rf"\\2026\\rabi.*{remedy}"),
    ):
        session.sequences.resume(PATH)


def test_what_has_never_run_is_not_resumed(storage: StorageManager) -> None:
    bring_to(storage, State.PREPARING)
    with storage.session() as session:
        ENTER[State.CRASHED](session)
        with refused(session, InvalidStateTransitionError, "before it ran.*reset_to_draft"):
            session.sequences.resume(PATH)
        with refused(session, InvalidStateTransitionError, "running: make it a draft"):
            ENTER[State.RUNNING](session)


@pytest.mark.parametrize("state", RESUMABLE)
def test_what_else_is_tried_names_resume(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    with storage.session() as session:
        with refused(session, InvalidStateTransitionError, "with resume"):
            session.sequences.set_running(PATH, START)
        with refused(session, SequenceNotRunningError, "with resume"):
            record(session, index=1)


def test_a_time_before_the_last_one_is_refused(storage: StorageManager) -> None:
    bring_to(storage, State.INTERRUPTED)
    with storage.session() as session:
        with refused(session, ValueError, "ended at .*, so it cannot be resumed at"):
            session.sequences.resume(PATH, STOP - SECOND)
        session.sequences.resume(PATH, LATER)
        with refused(session, ValueError, "was resumed at .*, so it cannot end at"):
            session.sequences.set_finished(PATH, LATER - SECOND)


def test_now_is_never_before_the_last_time(storage: StorageManager) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    launch(storage)
    with storage.session() as session:
        session.sequences.set_interrupted(PATH, future)
        session.sequences.resume(PATH)  # the clock was set back
        session.sequences.set_interrupted(PATH, "now")
        assert session.sequences.get_stats(PATH).stop_time == future
        [interruption] = session.sequences.get_interruptions(PATH)
        assert interruption == Interruption(State.INTERRUPTED, future, None, future)


def test_a_resumed_sequence_is_a_running_one(storage: StorageManager) -> None:
    bring_to(storage, State.INTERRUPTED)
    with storage.session() as session:
        session.sequences.resume(PATH)
    with reopened(storage).session() as session:
        assert session.sequences.get_sequences_in_state(State.RUNNING) == {PATH}
        assert session.sequences.get_sequences_in_state(State.INTERRUPTED) == set()
        assert session.sequences.get_summaries(PATH)[0].state is State.RUNNING


def test_a_reset_forgets_the_interruptions(storage: StorageManager) -> None:
    bring_to(storage, State.CRASHED)
    with storage.session() as session:
        session.sequences.resume(PATH, LATER)
        session.sequences.set_finished(PATH, LATER)
    found = content_after(storage, ENTER[State.DRAFT])[str(PATH)]
    assert found["interruptions"] == ()
    assert found["shots"] == {}


def test_a_moved_sequence_keeps_its_interruptions_and_is_resumed_again(
    storage: StorageManager,
) -> None:
    bring_to(storage, State.INTERRUPTED)
    moved = path(r"\archive\rabi")
    with storage.session() as session:
        session.sequences.resume(PATH, LATER)
        record(session, index=1)
        session.sequences.set_interrupted(PATH, LATER)
        session.paths.move(PATH, moved)
    with changed(storage, moved) as (session, found):
        session.sequences.resume(moved, LATER)
        record(session, moved, index=2)
    assert len(found["interruptions"]) == 2
    assert list(found["shots"]) == [0, 1, 2]


def test_a_session_keeps_to_the_end_that_it_has_seen(storage: StorageManager) -> None:
    bring_to(storage, State.INTERRUPTED)
    with storage.session() as reader:
        before = content(reader)
        with storage.session() as session:
            session.sequences.resume(PATH)
        with storage.session() as session:
            record(session, index=1)
        assert content(reader) == before
        with pytest.raises(TransactionConflictError):
            reader.sequences.set_note(PATH, "acts on what is no more")


def test_the_error_of_an_earlier_crash_is_found(storage: StorageManager) -> None:
    bring_to(storage, State.CRASHED)
    with storage.session() as session:
        session.sequences.resume(PATH)
        session.sequences.set_finished(PATH, "now")
    assert [found.path for found in storage.find(text="the laser is OFF")] == [PATH]


def test_what_was_launched_stays_with_a_resumed_sequence(storage: StorageManager) -> None:
    bring_to(storage, State.CRASHED)
    with storage.session() as session:
        session.sequences.resume(PATH)
    with storage.session() as session:
        assert session.sequences.get_device_configurations(PATH) == DEVICES
        assert session.sequences.get_global_parameters(PATH) == PARAMETERS


def test_the_further_shots_of_a_resumed_sequence_are_followed(storage: StorageManager) -> None:
    bring_to(storage, State.INTERRUPTED)
    with storage.session() as session:
        session.sequences.resume(PATH, STOP)
    followed = storage.follow(PATH, poll=0, skip=1)
    with storage.session() as session:
        record(session, index=7)
    assert next(followed).index == 7
    finish(storage)
    assert list(followed) == []
