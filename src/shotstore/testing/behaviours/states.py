"""The states of a sequence, and its times."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import pytest

from shotstore import (
    ExperimentSession,
    InvalidStateTransitionError,
    SequenceNotCrashedError,
    SequenceNotLaunchedError,
    SequenceStats,
    State,
    StorageManager,
    TracebackSummary,
)
from shotstore.model import ParameterNamespace
from shotstore.testing.content import changed, content_after, refused, reopened
from shotstore.testing.experiments import (
    DEVICES,
    ENDED,
    ENTER,
    ERROR,
    LAUNCHED,
    PARAMETERS,
    PATH,
    START,
    STOP,
    bring_to,
    create,
    path,
    record,
)


@pytest.mark.parametrize("new", State)
@pytest.mark.parametrize("old", State)
def test_a_state_is_entered_only_from_where_the_way_leads(
    storage: StorageManager, old: State, new: State
) -> None:
    bring_to(storage, old)
    with storage.session() as session:
        if State.is_transition_allowed(old, new):
            ENTER[new](session)
            assert session.sequences.get_state(PATH) is new
        else:
            with refused(session, InvalidStateTransitionError, r"\\2026\\rabi"):
                ENTER[new](session)
    with reopened(storage).session() as session:
        allowed = State.is_transition_allowed(old, new)
        assert session.sequences.get_state(PATH) is (new if allowed else old)


def test_a_sequence_goes_all_the_way_in_one_session(storage: StorageManager) -> None:
    with changed(storage) as (session, found):
        create(session)
        for state in (State.PREPARING, State.RUNNING, State.FINISHED, State.DRAFT):
            ENTER[state](session)
            assert session.sequences.get_state(PATH) is state
        for state in (State.PREPARING, State.CRASHED):
            ENTER[state](session)
    assert found[str(PATH)]["stats"].state is State.CRASHED


def test_sequences_are_found_by_their_state(storage: StorageManager) -> None:
    with storage.session() as session:
        for state in State:
            bring_to(session, state, path(rf"\{state.value}"))
            bring_to(session, state, path(rf"\folder\{state.value}"))
        inside = {state: session.sequences.get_sequences_in_state(state) for state in State}
    with reopened(storage).session() as session:
        for state in State:
            expected = {path(rf"\{state.value}"), path(rf"\folder\{state.value}")}
            assert session.sequences.get_sequences_in_state(state) == expected
            assert inside[state] == expected


# What belongs to each state


def test_stats_say_how_far_a_sequence_is(storage: StorageManager) -> None:
    seen = []

    def look() -> None:
        with storage.session() as session:
            seen.append(session.sequences.get_stats(PATH))

    create(storage, shots=3)
    look()
    with storage.session() as session:
        ENTER[State.PREPARING](session)
    look()
    with storage.session() as session:
        ENTER[State.RUNNING](session)
        record(session, index=2)
    look()
    with storage.session() as session:
        record(session, index=0)
        ENTER[State.FINISHED](session)
    look()
    assert seen == [
        SequenceStats(State.DRAFT, None, None, 0, 3),
        SequenceStats(State.PREPARING, None, None, 0, 3),
        SequenceStats(State.RUNNING, START, None, 1, 3),
        SequenceStats(State.FINISHED, START, STOP, 2, 3),
    ]


def test_a_sequence_that_crashed_while_preparing_has_no_start_and_no_shots(
    storage: StorageManager,
) -> None:
    bring_to(storage, State.PREPARING)
    found = content_after(storage, ENTER[State.CRASHED])[str(PATH)]
    assert found["stats"] == SequenceStats(State.CRASHED, None, STOP, 0, 10)
    assert found["shots"] == {}
    assert found["exception"] == ERROR
    assert found["parameters"] == PARAMETERS
    assert found["devices"] == DEVICES


@pytest.mark.parametrize("state", LAUNCHED)
def test_a_launched_sequence_keeps_what_it_was_launched_with(
    storage: StorageManager, state: State
) -> None:
    bring_to(storage, state)
    with storage.session() as session:
        session.set_global_parameters(ParameterNamespace.empty())
        assert session.sequences.get_global_parameters(PATH) == PARAMETERS
        assert session.sequences.get_device_configurations(PATH) == DEVICES


def test_a_draft_was_launched_with_nothing(storage: StorageManager) -> None:
    create(storage)
    with storage.session() as session:
        with pytest.raises(SequenceNotLaunchedError):
            session.sequences.get_global_parameters(PATH)
        with pytest.raises(SequenceNotLaunchedError):
            session.sequences.get_device_configurations(PATH)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CRASHED])
def test_only_a_crashed_sequence_has_an_exception(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    with storage.session() as session, pytest.raises(SequenceNotCrashedError):
        session.sequences.get_exception(PATH)


def test_an_exception_comes_back_with_all_that_belongs_to_it(storage: StorageManager) -> None:
    summary = TracebackSummary.from_exception(_nested_error())
    with storage.session() as session:
        bring_to(session, State.RUNNING)
        session.sequences.set_crashed(PATH, summary, STOP)
        assert session.sequences.get_exception(PATH) == summary
    with reopened(storage).session() as session:
        again = session.sequences.get_exception(PATH)
    assert again == summary
    assert again.cause is not None
    assert again.notes == ("a note: \\udcff \0 é",)
    assert [inner.exception_type for inner in again.exceptions] == ["ValueError", "OSError"]


def _nested_error() -> BaseException:
    try:
        try:
            raise KeyError("camera")
        except KeyError as error:
            group = ExceptionGroup("two at once", [ValueError("\udcff"), OSError(5, "no disk")])
            group.add_note("a note: \udcff \0 é")
            raise group from error
    except ExceptionGroup as error:
        return error


# Times


@pytest.mark.parametrize(
    ("old", "enter"),
    [
        (State.PREPARING, lambda session, time: session.sequences.set_running(PATH, time)),
        (State.RUNNING, lambda session, time: session.sequences.set_finished(PATH, time)),
        (State.RUNNING, lambda session, time: session.sequences.set_interrupted(PATH, time)),
        (State.RUNNING, lambda session, time: session.sequences.set_crashed(PATH, ERROR, time)),
    ],
    ids=["running", "finished", "interrupted", "crashed"],
)
def test_times_are_aware_or_now_and_come_back_in_utc(
    storage: StorageManager,
    old: State,
    enter: Callable[[ExperimentSession, object], None],
) -> None:
    bring_to(storage, old)
    with storage.session() as session:
        for wrong, error in (
            (datetime(2026, 1, 1), ValueError),  # noqa: DTZ001
            (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), ValueError),
            ("yesterday", TypeError),
            (None, TypeError),
        ):
            with pytest.raises(error, match="time"):
                enter(session, wrong)
        assert session.sequences.get_state(PATH) is old
    time = START.astimezone(timezone(timedelta(hours=-7))) + timedelta(microseconds=1)
    with storage.session() as session:
        enter(session, time)
    with reopened(storage).session() as session:
        stats = session.sequences.get_stats(PATH)
        found = stats.start_time if old is State.PREPARING else stats.stop_time
        assert found == time
        assert found is not None
        assert found.utcoffset() == timedelta(0)


def test_now_is_now(storage: StorageManager) -> None:
    before = datetime.now(UTC)
    with storage.session() as session:
        create(session)
        session.sequences.set_preparing(PATH, DEVICES, PARAMETERS)
        session.sequences.set_running(PATH, "now")
        session.sequences.set_finished(PATH, "now")
    with storage.session() as session:
        stats = session.sequences.get_stats(PATH)
    assert stats.start_time is not None
    assert stats.stop_time is not None
    assert before <= stats.start_time <= stats.stop_time <= datetime.now(UTC)


@pytest.mark.parametrize("state", ENDED)
def test_a_sequence_that_ends_before_it_starts_is_refused(
    storage: StorageManager, state: State
) -> None:
    def end(session: ExperimentSession, time: datetime | Literal["now"]) -> None:
        match state:
            case State.FINISHED:
                session.sequences.set_finished(PATH, time)
            case State.INTERRUPTED:
                session.sequences.set_interrupted(PATH, time)
            case State.CRASHED:
                session.sequences.set_crashed(PATH, ERROR, time)

    future = datetime.now(UTC) + timedelta(days=1)
    with storage.session() as session:
        create(session)
        ENTER[State.PREPARING](session)
        session.sequences.set_running(PATH, future)
        record(session)
    with storage.session() as session:
        with pytest.raises(ValueError, match="so it cannot end at"):
            end(session, future - timedelta(microseconds=1))
        assert session.sequences.get_state(PATH) is State.RUNNING
        assert session.sequences.get_stats(PATH).stop_time is None
    with storage.session() as session:
        # The clock was set back, which must not keep a recorder from ending its run.
        end(session, "now")
    with reopened(storage).session() as session:
        stats = session.sequences.get_stats(PATH)
        assert stats.state is state
        assert stats.stop_time == stats.start_time == future
