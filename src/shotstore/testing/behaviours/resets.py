"""Sequences that have ended become drafts again."""

import pytest

from shotstore import (
    SequenceNotCrashedError,
    SequenceNotLaunchedError,
    SequenceStats,
    ShotNotFoundError,
    State,
    StorageManager,
)
from shotstore.model import ParameterNamespace
from shotstore.testing.content import changed, content, content_after, paths_in
from shotstore.testing.experiments import (
    ENDED,
    ENTER,
    PATH,
    SECOND,
    START,
    bring_to,
    finish,
    indices,
    launch,
    path,
    recipe,
    record,
    relaunch,
)


@pytest.mark.parametrize("state", ENDED)
def test_a_reset_sequence_is_a_draft_with_its_recipe(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    before = content(storage)[str(PATH)]
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
    bring_to(storage, State.CRASHED)
    with changed(storage, PATH) as (session, found):
        session.sequences.reset_to_draft(PATH)
        session.sequences.set_iteration_configuration(PATH, recipe(3))
        session.sequences.set_preparing(PATH, {}, ParameterNamespace.empty())
        session.sequences.set_running(PATH, START + SECOND)
        record(session, index=2)
    assert found["stats"] == SequenceStats(State.RUNNING, START + SECOND, None, 1, 3)
    assert list(found["shots"]) == [2]
    assert found["devices"] == {}
    assert found["parameters"] == ParameterNamespace.empty()


def test_a_sequence_is_reset_and_run_over_and_over(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        for index in range(1, 4):
            session.sequences.reset_to_draft(PATH)
            relaunch(session)
            record(session, index=index)
            finish(session)
    assert list(found[str(PATH)]["shots"]) == [3]


def test_a_sequence_that_ended_in_the_same_session_is_reset(storage: StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    with changed(storage) as (session, found):
        record(session, index=1)
        finish(session)
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, index=5)
    assert list(found[str(PATH)]["shots"]) == [5]


def test_a_sequence_is_reset_moved_and_run_again(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        session.sequences.reset_to_draft(PATH)
        session.paths.move(path(r"\2026"), path(r"\2027"))
        relaunch(session, path(r"\2027\rabi"))
        record(session, path(r"\2027\rabi"), index=4)
    assert list(found[r"\2027\rabi"]["shots"]) == [4]


def test_a_sequence_is_moved_reset_and_deleted(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        session.paths.move(PATH, path(r"\x"))
        session.sequences.reset_to_draft(path(r"\x"))
        session.paths.delete_path(path(r"\x"), delete_sequences=True)
    assert paths_in(found) == {r"\2026"}


def test_a_reset_sequence_makes_room_for_a_folder(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        session.sequences.reset_to_draft(PATH)
        session.paths.move(PATH, path(r"\draft"))
        launch(session, PATH / "inside")
    assert found[r"\draft"]["stats"].state is State.DRAFT
    assert found[str(PATH / "inside")]["stats"].state is State.RUNNING


def test_shots_of_before_a_reset_are_gone_and_their_indices_free(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage, PATH) as (session, found):
        assert indices(session) == [0]
        session.sequences.reset_to_draft(PATH)
        assert indices(session) == []
        with pytest.raises(ShotNotFoundError):
            session.sequences.get_shot_parameters(PATH, 0)
        relaunch(session)
        assert indices(session) == []
        record(session, index=0, parameters={"second": 2})
    assert found["shots"][0][2] == {"second": 2}
