"""Shots are handed out as they are committed, each once, to the end of their run."""

import pytest

from shotstore import (
    ParameterNamespace,
    PathIsNotSequenceError,
    PathNotFoundError,
    RunDeletedError,
    Sequence,
    State,
    StorageManager,
)
from shotstore.testing.experiments import (
    DEVICES,
    ENDED,
    ERROR,
    PATH,
    START,
    STOP,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
)
from shotstore.testing.failing_sessions import discarded

ELSEWHERE = path(r"\elsewhere\rabi")


def recorded(storage: StorageManager, *indices: int) -> None:
    """Record these shots, in one session."""
    with storage.session() as session:
        for index in indices:
            record(session, index=index)


def test_shots_are_followed_as_they_are_committed(storage: StorageManager) -> None:
    launch(storage)
    recorded(storage, 0, 1)
    followed = storage.follow(PATH, poll=0)
    assert [next(followed).index for _ in range(2)] == [0, 1]
    for index in (5, 3):
        recorded(storage, index)
        shot = next(followed)
        assert shot.index == index
        assert shot.sequence_path == PATH
        assert shot.get_data() == {"counts": 10 * index}
    recorded(storage, 4, 2)
    finish(storage)
    assert [shot.index for shot in followed] == [4, 2]


@pytest.mark.parametrize("state", ENDED)
def test_a_run_that_has_ended_is_followed_to_its_end(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    assert [shot.index for shot in storage.follow(str(PATH))] == [0]


def test_a_draft_is_followed_from_its_launch(storage: StorageManager) -> None:
    create(storage)
    followed = storage.follow(PATH, poll=0)
    with storage.session() as session:
        session.sequences.set_preparing(PATH, DEVICES, ParameterNamespace.empty())
        session.sequences.set_running(PATH, START)
        record(session)
    assert next(followed).index == 0
    finish(storage)
    assert list(followed) == []


def test_a_run_that_crashes_while_it_is_prepared_has_no_shots_to_follow(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        create(session)
        session.sequences.set_preparing(PATH, DEVICES, ParameterNamespace.empty())
        session.sequences.set_crashed(PATH, ERROR, STOP)
    assert list(storage.follow(PATH)) == []


def test_shots_that_were_seen_before_are_left_out(storage: StorageManager) -> None:
    launch(storage)
    recorded(storage, 0, 1, 2)
    followed = storage.follow(PATH, poll=0, skip=2)
    assert next(followed).index == 2
    from_the_fifth = storage.follow(PATH, poll=0, skip=4)
    recorded(storage, 3, 4)
    finish(storage)
    assert [shot.index for shot in followed] == [3, 4]
    assert [shot.index for shot in from_the_fifth] == [4]
    assert list(storage.follow(PATH, skip=9)) == []


def test_a_shot_that_is_discarded_is_not_followed(storage: StorageManager) -> None:
    launch(storage)
    followed = storage.follow(PATH, poll=0)
    with discarded(storage) as session:
        record(session, index=7)
    recorded(storage, 1)
    assert next(followed).index == 1


def test_a_sequence_object_follows_its_shots(storage: StorageManager) -> None:
    launch(storage)
    with storage.session() as session:
        assert session.storage is storage
        followed = Sequence(PATH, session).follow(poll=0)
    recorded(storage, 0)
    assert next(followed).get_parameters() == {"index": 0}
    finish(storage)
    assert list(followed) == []


def test_a_run_is_followed_where_it_is_moved(storage: StorageManager) -> None:
    launch(storage)
    recorded(storage, 0)
    followed = storage.follow(PATH, poll=0)
    assert next(followed).index == 0
    recorded(storage, 1)
    with storage.session() as session:
        finish(session)
        session.paths.move(PATH, ELSEWHERE)
        create(session)  # another one at its path
        session.sequences.set_preparing(PATH, DEVICES, ParameterNamespace.empty())
        session.sequences.set_running(PATH, STOP)
    [shot] = followed
    assert (shot.sequence_path, shot.index) == (ELSEWHERE, 1)


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("change", ["reset", "deleted"])
def test_a_run_whose_shots_are_deleted_ends_in_an_error(
    storage: StorageManager, change: str, again: bool
) -> None:
    launch(storage)
    recorded(storage, 0)
    followed = storage.follow(PATH, poll=0)
    assert next(followed).index == 0
    recorded(storage, 1)
    finish(storage)
    with storage.session() as session:
        if change == "reset":
            session.sequences.reset_to_draft(PATH)
        else:
            session.paths.delete_path(PATH, delete_sequences=True)
            if again:
                create(session)
        if again:
            session.sequences.set_preparing(PATH, DEVICES, ParameterNamespace.empty())
            session.sequences.set_running(PATH, STOP)
            record(session, index=5)
    with pytest.raises(RunDeletedError, match=r"\\2026\\rabi was .* after 1 shots"):
        next(followed)


def test_a_run_that_was_followed_to_its_end_may_be_reset(storage: StorageManager) -> None:
    launch(storage)
    recorded(storage, 0)
    finish(storage)
    followed = storage.follow(PATH, poll=0)
    shot = next(followed)
    with storage.session() as session:
        session.sequences.reset_to_draft(PATH)
    assert shot.get_parameters() == {"index": 0}
    assert list(followed) == []


def test_only_sequences_are_followed(storage: StorageManager) -> None:
    launch(storage)
    with pytest.raises(PathNotFoundError) as raised:
        next(storage.follow(r"\2026\rab"))
    assert "closest existing sequence" in "".join(raised.value.__notes__)
    with pytest.raises(PathIsNotSequenceError):
        next(storage.follow(r"\2026"))
    for wrong in ({"poll": -1}, {"skip": -1}):
        with pytest.raises(ValueError, match="must not be negative"):
            storage.follow(PATH, **wrong)


def test_the_last_commit_is_another_one_after_each_commit(storage: StorageManager) -> None:
    launch(storage)
    seen = [storage.last_commit()]
    for index in range(3):
        recorded(storage, index)
        with storage.session() as session:
            session.sequences.get_shots(PATH)
        seen.append(storage.last_commit())
        assert storage.last_commit() == seen[-1]
    assert seen == [None] * 4 or len(set(seen)) == 4
