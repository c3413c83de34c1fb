"""The states of a sequence, its recipe and its times."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from shotstore import (
    ExperimentSession,
    InvalidStateTransitionError,
    PathIsSequenceError,
    SequenceNotCrashedError,
    SequenceNotEditableError,
    SequenceNotLaunchedError,
    SequenceStats,
    ShotNotFoundError,
    State,
    StorageManager,
    TracebackSummary,
)
from shotstore.model import (
    DefaultSerializer,
    DigitalTimeLane,
    ExecuteShot,
    IterationConfiguration,
    LinspaceLoop,
    Parameter,
    ParameterNamespace,
    ParameterSchema,
    StepsConfiguration,
    TimeLanes,
)
from tests.builders import (
    DEVICES,
    ERROR,
    PARAMETERS,
    PATH,
    SECOND,
    START,
    TIME_LANES,
    bring_to,
    content,
    content_after,
    create,
    finish,
    launch,
    path,
    recipe,
    recipe_of_unknown_length,
    record,
    relaunch,
    reopened,
)

STOP = START + 100 * SECOND
OTHER_LANES = TimeLanes(["a", "b"], ["1 s", "t"], {"shutter": DigitalTimeLane([(True, 2)])})
ENTER: dict[State, Callable[[ExperimentSession], object]] = {
    State.DRAFT: lambda session: session.sequences.reset_to_draft(PATH),
    State.PREPARING: lambda session: session.sequences.set_preparing(PATH, DEVICES, PARAMETERS),
    State.RUNNING: lambda session: session.sequences.set_running(PATH, START),
    State.FINISHED: lambda session: session.sequences.set_finished(PATH, STOP),
    State.INTERRUPTED: lambda session: session.sequences.set_interrupted(PATH, STOP),
    State.CRASHED: lambda session: session.sequences.set_crashed(PATH, ERROR, STOP),
}
LAUNCHED = [state for state in State if state is not State.DRAFT]
ENDED = [State.FINISHED, State.INTERRUPTED, State.CRASHED]


@pytest.mark.parametrize("new", State)
@pytest.mark.parametrize("old", State)
def test_a_state_is_entered_only_from_where_the_way_leads(
    storage: StorageManager, old: State, new: State
) -> None:
    with storage.session() as session:
        bring_to(session, old)
    with storage.session() as session:
        before = content(session)
        if State.is_transition_allowed(old, new):
            ENTER[new](session)
            assert session.sequences.get_state(PATH) is new
        else:
            with pytest.raises(InvalidStateTransitionError, match=r"\\2026\\rabi"):
                ENTER[new](session)
            assert content(session) == before
    with reopened(storage).session() as session:
        allowed = State.is_transition_allowed(old, new)
        assert session.sequences.get_state(PATH) is (new if allowed else old)


def test_a_sequence_goes_all_the_way_in_one_session(storage: StorageManager) -> None:
    def change(session: ExperimentSession) -> None:
        create(session)
        for state in (State.PREPARING, State.RUNNING, State.FINISHED, State.DRAFT):
            ENTER[state](session)
            assert session.sequences.get_state(PATH) is state
        for state in (State.PREPARING, State.CRASHED):
            ENTER[state](session)

    assert content_after(storage, change)[str(PATH)]["stats"].state is State.CRASHED


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

    with storage.session() as session:
        create(session, shots=3)
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
    with storage.session() as session:
        bring_to(session, State.PREPARING)
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
    with storage.session() as session:
        bring_to(session, state)
    with storage.session() as session:
        session.set_global_parameters(ParameterNamespace.empty())
        assert session.sequences.get_global_parameters(PATH) == PARAMETERS
        assert session.sequences.get_device_configurations(PATH) == DEVICES


def test_a_draft_was_launched_with_nothing(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
    with storage.session() as session:
        with pytest.raises(SequenceNotLaunchedError):
            session.sequences.get_global_parameters(PATH)
        with pytest.raises(SequenceNotLaunchedError):
            session.sequences.get_device_configurations(PATH)


@pytest.mark.parametrize("state", [state for state in State if state is not State.CRASHED])
def test_only_a_crashed_sequence_has_an_exception(storage: StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
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
    with storage.session() as session:
        bring_to(session, old)
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


# The recipe


def test_a_draft_is_edited(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, shots=3)

    def change(session: ExperimentSession) -> None:
        session.sequences.set_iteration_configuration(PATH, recipe(4))
        session.sequences.set_time_lanes(PATH, OTHER_LANES)

    found = content_after(storage, change)[str(PATH)]
    assert found["iteration"] == recipe(4)
    assert found["time lanes"] == OTHER_LANES
    assert found["stats"].expected_number_shots == 4


def test_an_edit_changes_nothing_else(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        session.paths.update_creation_date(PATH, START)
    found = content_after(storage, lambda s: s.sequences.set_time_lanes(PATH, OTHER_LANES))
    assert found[str(PATH)]["iteration"] == recipe()
    assert found[str(PATH)]["created"] == START


@pytest.mark.parametrize("state", LAUNCHED)
def test_only_a_draft_can_be_edited(storage: StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
    with storage.session() as session:
        before = content(session)
        with pytest.raises(SequenceNotEditableError, match=r"\\2026\\rabi"):
            session.sequences.set_iteration_configuration(PATH, recipe(1))
        with pytest.raises(SequenceNotEditableError):
            session.sequences.set_time_lanes(PATH, OTHER_LANES)
        assert content(session) == before


def test_a_recipe_of_unknown_length_expects_no_number_of_shots(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, shots=None)
        assert session.sequences.get_stats(PATH).expected_number_shots is None
    with reopened(storage).session() as session:
        assert session.sequences.get_stats(PATH).expected_number_shots is None
        assert session.sequences.get_iteration_configuration(PATH) == recipe_of_unknown_length()


def test_a_sequence_is_not_created_twice(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
    with storage.session() as session:
        before = content(session)
        with pytest.raises(PathIsSequenceError):
            create(session)
        assert content(session) == before


def test_what_is_no_recipe_is_refused(storage: StorageManager) -> None:
    with storage.session() as session:
        wrong: object = "10 shots"
        with pytest.raises(TypeError):
            session.sequences.create(PATH, wrong, TIME_LANES)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            session.sequences.create(PATH, recipe(), wrong)  # type: ignore[arg-type]
        assert session.paths.get_all_paths() == set()
        create(session)
        with pytest.raises(TypeError):
            session.sequences.set_iteration_configuration(PATH, wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            session.sequences.set_time_lanes(PATH, wrong)  # type: ignore[arg-type]
        assert session.sequences.get_iteration_configuration(PATH) == recipe()


def test_a_recipe_of_more_shots_than_can_be_counted_is_refused(storage: StorageManager) -> None:
    inner = LinspaceLoop("a", "0", "1", 10**12, [ExecuteShot()])
    endless = StepsConfiguration([LinspaceLoop("b", "0", "1", 10**12, [inner])])
    with storage.session() as session:
        create(session)
        with pytest.raises(ValueError, match="cannot be counted"):
            session.sequences.create(path(r"\x"), endless, TIME_LANES)
        with pytest.raises(ValueError, match="cannot be counted"):
            session.sequences.set_iteration_configuration(PATH, endless)
        session.sequences.set_iteration_configuration(PATH, StepsConfiguration([inner]))
    with storage.session() as session:
        assert session.sequences.get_stats(PATH).expected_number_shots == 10**12
        assert not session.paths.does_path_exists(path(r"\x"))


class Measured(IterationConfiguration):
    """A class of a lab, which counts its shots with numpy."""

    def expected_number_shots(self) -> int:
        return np.int64(3)  # type: ignore[return-value]

    def get_parameter_names(self) -> set[str]:
        return {"x"}

    def get_parameter_schema(self, initial: Mapping[str, Parameter]) -> ParameterSchema:
        return ParameterSchema.of({**initial, "x": 1.5})


def test_a_number_of_shots_may_be_of_numpys_making(
    storage: StorageManager, serializer: DefaultSerializer
) -> None:
    serializer.register_iteration(Measured, lambda _: {}, lambda _: Measured())
    with storage.session() as session:
        session.sequences.create(PATH, Measured(), TIME_LANES)
        create(session, path(r"\x"))
        session.sequences.set_iteration_configuration(path(r"\x"), Measured())
    with storage.session() as session:
        for sequence in (PATH, path(r"\x")):
            expected = session.sequences.get_stats(sequence).expected_number_shots
            assert (type(expected), expected) == (int, 3)


# Back to a draft


@pytest.mark.parametrize("state", ENDED)
def test_a_reset_sequence_is_a_draft_with_its_recipe(storage: StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
        before = content(session)[str(PATH)]
    found = content_after(storage, ENTER[State.DRAFT])[str(PATH)]
    assert found["stats"] == SequenceStats(State.DRAFT, None, None, 0, 10)
    assert found["shots"] == {}
    for kept in ("created", "iteration", "time lanes"):
        assert found[kept] == before[kept]
    with storage.session() as session:
        with pytest.raises(SequenceNotLaunchedError):
            session.sequences.get_device_configurations(PATH)
        with pytest.raises(SequenceNotCrashedError):
            session.sequences.get_exception(PATH)
        with pytest.raises(ShotNotFoundError):
            session.sequences.get_shot_parameters(PATH, 0)


def test_a_reset_sequence_is_edited_and_runs_again(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.CRASHED)

    def change(session: ExperimentSession) -> None:
        session.sequences.reset_to_draft(PATH)
        session.sequences.set_iteration_configuration(PATH, recipe(3))
        session.sequences.set_preparing(PATH, {}, ParameterNamespace.empty())
        session.sequences.set_running(PATH, START + SECOND)
        record(session, index=2)

    found = content_after(storage, change)[str(PATH)]
    assert found["stats"] == SequenceStats(State.RUNNING, START + SECOND, None, 1, 3)
    assert list(found["shots"]) == [2]
    assert found["devices"] == {}
    assert found["parameters"] == ParameterNamespace.empty()


def test_a_sequence_is_reset_and_run_over_and_over(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        for index in range(1, 4):
            session.sequences.reset_to_draft(PATH)
            relaunch(session)
            record(session, index=index)
            finish(session)

    assert list(content_after(storage, change)[str(PATH)]["shots"]) == [3]


def test_a_sequence_that_ended_in_the_same_session_is_reset(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)

    def change(session: ExperimentSession) -> None:
        record(session, index=1)
        finish(session)
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, index=5)

    assert list(content_after(storage, change)[str(PATH)]["shots"]) == [5]


def test_a_sequence_is_reset_moved_and_run_again(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        session.sequences.reset_to_draft(PATH)
        session.paths.move(path(r"\2026"), path(r"\2027"))
        relaunch(session, path(r"\2027\rabi"))
        record(session, path(r"\2027\rabi"), index=4)

    assert list(content_after(storage, change)[r"\2027\rabi"]["shots"]) == [4]


def test_a_sequence_is_moved_reset_and_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        session.paths.move(PATH, path(r"\x"))
        session.sequences.reset_to_draft(path(r"\x"))
        session.paths.delete_path(path(r"\x"), delete_sequences=True)

    with storage.session() as session:
        change(session)
    with storage.session() as session:
        assert session.paths.get_all_paths() == {path(r"\2026")}


def test_a_reset_sequence_makes_room_for_a_folder(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        session.sequences.reset_to_draft(PATH)
        session.paths.move(PATH, path(r"\draft"))
        launch(session, PATH / "inside")

    found = content_after(storage, change)
    assert found[r"\draft"]["stats"].state is State.DRAFT
    assert found[str(PATH / "inside")]["stats"].state is State.RUNNING


# The parameters that shots have


def test_the_schema_of_a_draft_follows_the_recipe_and_the_globals(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        session.set_global_parameters(PARAMETERS)
        names = {"offset", "pulse.power", "pulse.length"}
        assert set(session.sequences.get_parameter_schema(PATH)) == names
    with storage.session() as session:
        session.set_global_parameters(ParameterNamespace.empty())
        assert set(session.sequences.get_parameter_schema(PATH)) == {"pulse.length"}
        session.sequences.set_preparing(PATH, DEVICES, PARAMETERS)
        assert set(session.sequences.get_parameter_schema(PATH)) == names


def test_the_schema_of_shots_is_read_off_them(storage: StorageManager) -> None:
    shots: list[dict[str, Parameter]] = [{"a": 1, "b": True}, {"a": 2.5}, {}]
    with storage.session() as session:
        launch(session)
        for index, parameters in enumerate(shots):
            record(session, index=index, parameters=parameters)
        expected = ParameterSchema.of(shots[0]).merged(ParameterSchema.of(shots[1]))
        assert session.sequences.get_parameter_schema(PATH) == expected
    with reopened(storage).session() as session:
        assert session.sequences.get_parameter_schema(PATH) == expected


def test_the_schema_of_shots_without_parameters_is_empty(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={})
        assert set(session.sequences.get_parameter_schema(PATH)) == set()


def test_the_schema_needs_a_recipe_that_can_be_evaluated(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, shots=None)
        with pytest.raises(ValueError, match="offset"):
            session.sequences.get_parameter_schema(PATH)
