"""Results, tags and notes of shots stay with their sequence, and with who has seen them."""

from typing import Any

import pytest
from hypothesis import given

from shotstore import (
    ShotNotFoundError,
    State,
    StorageManager,
    TransactionConflictError,
)
from shotstore.testing import strategies
from shotstore.testing.behaviours.results import IMAGE, fit, run
from shotstore.testing.content import changed, refused
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    ENDED,
    PATH,
    START,
    bring_to,
    launch,
    path,
    record,
    relaunch,
)
from shotstore.testing.failing_sessions import discarded


@pytest.mark.parametrize("state", ENDED)
def test_a_reset_sequence_has_no_results(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    fit(storage)
    with changed(storage, PATH) as (session, found):
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session)
    assert found["results"] == {0: {}}
    assert found["history of results"] == []


def test_a_run_after_a_reset_in_the_same_session_has_results_of_its_own(
    storage: StorageManager,
) -> None:
    run(storage)
    fit(storage)
    with changed(storage, PATH) as (session, found):
        fit(session, 1)
        session.sequences.reset_to_draft(PATH)
        relaunch(session)
        record(session, index=2)
        fit(session, 2, 0.9)
    assert found["results"] == {2: {"fraction": 0.9}}


def test_a_moved_sequence_keeps_its_results(storage: StorageManager) -> None:
    run(storage)
    fit(storage)
    with changed(storage, path(r"\new\place")) as (session, found):
        fit(session, 1, 0.1)
        session.paths.move(PATH, path(r"\new\place"))
        session.sequences.set_results(r"\new\place", 2, {"fraction": 0.2})
    assert found["results"] == {
        2: {"fraction": 0.2},
        1: {"fraction": 0.1},
        0: {"fraction": 0.5},
    }


def test_a_sequence_in_the_place_of_another_does_not_take_its_results(
    storage: StorageManager,
) -> None:
    run(storage)
    fit(storage)
    with changed(storage, PATH) as (session, found):
        session.paths.delete_path(PATH, delete_sequences=True)
        run(session, 1)
    assert found["results"] == {0: {}}


def test_a_duplicate_has_no_results(storage: StorageManager) -> None:
    run(storage)
    fit(storage)
    with storage.session() as session:
        copy = session.get_sequence(PATH).duplicate(r"\copy")
        assert copy.get_results() == {}


def test_results_that_were_not_committed_are_not_there(storage: StorageManager) -> None:
    run(storage)
    for _ in range(2):
        with discarded(storage) as session:
            fit(session)
        with storage.session() as session:
            assert session.sequences.get_results(PATH, 0) == {}
        fit(storage, 1)


def test_a_session_keeps_to_the_results_that_it_has_seen(storage: StorageManager) -> None:
    run(storage)
    with storage.session() as first:
        assert first.sequences.get_results(PATH) == {}
        fit(storage)
        assert first.sequences.get_results(PATH) == {}
        with storage.session() as second:
            assert second.sequences.get_results(PATH) == {0: {"fraction": 0.5}}
            fit(storage, 0, 0.7)
            fit(storage, 1)
            assert second.sequences.get_results(PATH) == {0: {"fraction": 0.5}}
        assert first.sequences.get_results(PATH, history=True) == []


def test_who_has_read_results_that_others_change_is_told_before_writing(
    storage: StorageManager,
) -> None:
    run(storage)
    fit(storage)
    with storage.session() as session:
        [found] = session.sequences.get_results(PATH).values()
        fit(storage, 0, 0.7)
        with pytest.raises(TransactionConflictError):
            session.sequences.set_results(PATH, 0, {"twice": found["fraction"]})
    with storage.session() as session:
        assert session.sequences.get_results(PATH, 0) == {"fraction": 0.7}


def test_results_that_are_returned_belong_to_the_caller(storage: StorageManager) -> None:
    run(storage)
    image = IMAGE.copy()
    items: list[Any] = [1, 2]
    with storage.session() as session:
        session.sequences.set_results(PATH, 0, {"od": image, "list": items})
        image[:] = 0
        items.append(3)
        found: dict[str, Any] = session.sequences.get_results(PATH, 0)
        found["od"][:] = 7
        found["list"].append(4)
        found.clear()
    with storage.session() as session:
        expected = {"od": IMAGE, "list": [1, 2]}
        assert exactly_equal(session.sequences.get_results(PATH, 0), expected)


@strategies.tried(30)
@given(data=strategies.data)
def test_any_data_is_a_result(storage: StorageManager, data: dict[str, Any]) -> None:
    with discarded(storage) as session:
        launch(session)
        record(session, parameters={}, data={})
        record(session, index=1, parameters={}, data={})
        stored = {name: value for name, value in data.items() if value is not None}
        if stored:
            session.sequences.set_results(PATH, 0, stored)
            columns = {name: [value] for name, value in stored.items()}
            session.sequences.set_many_results(PATH, {"shot_index": [1], **columns})
        for index in (0, 1):
            assert exactly_equal(session.sequences.get_results(PATH, index), stored)


def test_shots_without_results_are_as_before(storage: StorageManager) -> None:
    run(storage)
    with storage.session() as session:
        assert session.sequences.get_results(PATH) == {}
        assert session.sequences.get_results(PATH, 0) == {}
        assert session.sequences.get_shot_tags(PATH, 0) == set()
        assert session.sequences.get_shot_note(PATH, 0) == ""
        assert session.sequences.get_shot_start_time(PATH, 0) == START


# Tags and notes of shots


def test_a_shot_is_tagged_and_noted(storage: StorageManager) -> None:
    run(storage)
    with changed(storage, PATH) as (session, found):
        shot = session.get_sequence(PATH).get_shot(1)
        shot.add_tag("bad")
        shot.add_tag("out of lock")
        shot.add_tag("bad")
        shot.set_note("The laser\nwas out of lock.\0")
        fit(session, 1)
        assert shot.get_tags() == {"bad", "out of lock"}
        shot.remove_tag("bad")
        shot.remove_tag("no such tag")
    nothing: tuple[set[str], str] = (set(), "")
    note = "The laser\nwas out of lock.\0"
    expected = {2: nothing, 1: ({"out of lock"}, note), 0: nothing}
    assert found["tags and notes of shots"] == expected
    assert found["results"][1] == {"fraction": 0.5}
    with storage.session() as session:
        shot = session.get_sequence(PATH).get_shot(1)
        shot.set_tags([])
        shot.set_note("")
    with storage.session() as session:
        assert session.get_sequence(PATH).get_shot(1).get_tags() == set()
        assert session.sequences.get_shot_note(PATH, 1) == ""


def test_tags_of_shots_are_checked_as_those_of_sequences(storage: StorageManager) -> None:
    run(storage)
    with storage.session() as session:
        shot = session.get_sequence(PATH).get_shot(0)
        for wrong, error in (("a,b", ValueError), ("", ValueError), (5, TypeError)):
            with refused(session, error):
                shot.add_tag(wrong)  # type: ignore[arg-type]
        with refused(session, TypeError):
            shot.set_tags("bad")
        with refused(session, TypeError):
            shot.set_note(None)  # type: ignore[arg-type]
        for call in (
            lambda: session.sequences.set_shot_tags(PATH, 8, ["a"]),
            lambda: session.sequences.set_shot_note(PATH, 8, "a"),
            lambda: session.sequences.get_shot_tags(PATH, 8),
            lambda: session.sequences.get_shot_note(PATH, 8),
        ):
            with refused(session, ShotNotFoundError):
                call()
