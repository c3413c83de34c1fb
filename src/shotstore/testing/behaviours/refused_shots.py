"""Shots that are refused: no sequence takes them, or not with such an index or such times."""

from datetime import timedelta, timezone

import numpy as np
import pytest

from shotstore import (
    PathIsNotSequenceError,
    PathNotFoundError,
    SequenceNotRunningError,
    ShotExistsError,
    ShotId,
    State,
    StorageManager,
)
from shotstore.testing.content import refused, reopened
from shotstore.testing.experiments import (
    PATH,
    START,
    bring_to,
    indices,
    launch,
    path,
    record,
    relaunch,
)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_only_a_running_sequence_takes_shots(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    with storage.session() as session, refused(session, SequenceNotRunningError, r"\\2026\\rabi"):
        record(session, index=5)


def test_only_a_sequence_takes_shots(storage: StorageManager) -> None:
    with storage.session() as session:
        with pytest.raises(PathNotFoundError):
            record(session)
        session.paths.create_path(PATH)
        with pytest.raises(PathIsNotSequenceError):
            record(session)


def test_an_index_is_taken_once(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=4)
        with pytest.raises(ShotExistsError, match="shot 4"):
            record(session, index=4)
    with storage.session() as session:
        with refused(session, ShotExistsError):
            record(session, index=4, parameters={"other": 1}, data={"other": np.arange(3)})
        record(session, index=5)
    assert indices(storage) == [4, 5]


def test_the_index_that_is_named_instead_of_a_taken_one_is_free(storage: StorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=3)
        for index in (0, 2):
            record(session, index=index)
    with storage.session() as session:
        with pytest.raises(ShotExistsError, match="the first index that is free is 1"):
            record(session, index=2)
        record(session, index=1)
        with pytest.raises(ShotExistsError, match=r"it has all its 3, so .* into a duplicate"):
            record(session, index=1)
        session.get_sequence(PATH).duplicate(path(r"\again"))
        relaunch(session, path(r"\again"))
        record(session, path(r"\again"), index=1)
    with storage.session() as session:
        launch(session, path(r"\endless"), shots=None)
        record(session, path(r"\endless"), index=0)
        with pytest.raises(ShotExistsError, match="the first index that is free is 1"):
            record(session, path(r"\endless"), index=0)


@pytest.mark.parametrize(
    ("index", "error"),
    [
        (-1, ValueError),
        (10, ValueError),
        (10**30, ValueError),
        (1.0, TypeError),
        (True, TypeError),
        ("1", TypeError),
        (None, TypeError),
    ],
    ids=str,
)
def test_an_index_counts_from_zero_to_below_the_expected_number(
    storage: StorageManager, index: int, error: type[Exception]
) -> None:
    with storage.session() as session:
        launch(session, shots=10)
        with pytest.raises(error, match=r"\\2026\\rabi"):
            session.sequences.create_shot(ShotId(PATH, index), {}, {}, START, START)
        assert indices(session) == []
        record(session, index=9)


def test_an_index_has_63_bits_where_the_number_is_not_known(storage: StorageManager) -> None:
    huge = [2**40, 0, 2**63 - 1]
    with storage.session() as session:
        launch(session, shots=None)
        for index in huge:
            session.sequences.create_shot(ShotId(PATH, index), {"i": index}, {}, START, START)
        with pytest.raises(ValueError, match="negative"):
            session.sequences.create_shot(ShotId(PATH, -1), {}, {}, START, START)
        # More than a storage can count is refused, and the session goes on.
        with pytest.raises(ValueError, match="bits"):
            session.sequences.create_shot(ShotId(PATH, 2**63), {}, {}, START, START)
    with reopened(storage).session() as session:
        assert indices(session) == huge
        assert session.sequences.get_shot_parameters(PATH, 2**40) == {"i": 2**40}


def test_times_without_a_zone_are_refused(storage: StorageManager) -> None:
    naive = START.replace(tzinfo=None)
    with storage.session() as session:
        launch(session)
        for start, end in ((naive, START), (START, naive)):
            with pytest.raises(ValueError, match="time zone"):
                session.sequences.create_shot(ShotId(PATH, 0), {}, {}, start, end)
        assert indices(session) == []


def test_a_shot_that_ends_before_it_starts_is_refused(storage: StorageManager) -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    before = START.astimezone(zone) - timedelta(microseconds=1)
    with storage.session() as session:
        launch(session)
        with pytest.raises(ValueError, match=r"shot_end_time .* is before shot_start_time"):
            session.sequences.create_shot(ShotId(PATH, 0), {}, {}, START, before)
        assert indices(session) == []
        record(session)
    assert indices(reopened(storage)) == [0]
