"""Whatever a storage, a sequence or a shot is given: what is of the wrong kind is refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shotstore import (
    DataNotFoundError,
    ExperimentSession,
    PathError,
    Sequence,
    Shot,
    ShotNotFoundError,
    State,
    StorageManager,
)
from shotstore.testing.content import content
from shotstore.testing.experiments import PATH, STOP, launch, record

_REFUSALS = (TypeError, ValueError, PathError, ShotNotFoundError, DataNotFoundError)

_OF_STORAGES: dict[str, Callable[[StorageManager, Any], object]] = {
    "session(write)": lambda storage, value: storage.session(write=value),
    "storage(write)": lambda storage, value: storage(write=value),
    "async_session(write)": lambda storage, value: storage.async_session(write=value),
    "scan(path)": lambda storage, value: storage.scan(value),
    "follow(path)": lambda storage, value: storage.follow(value),
    "follow(poll)": lambda storage, value: storage.follow(PATH, poll=value),
    "follow(skip)": lambda storage, value: storage.follow(PATH, skip=value),
    "async_follow(path)": lambda storage, value: storage.async_follow(value),
    "async_follow(poll)": lambda storage, value: storage.async_follow(PATH, poll=value),
    "find(pattern)": lambda storage, value: storage.find(value),
    "find(state)": lambda storage, value: storage.find(state=value),
    "find(since)": lambda storage, value: storage.find(since=value),
    "find(until)": lambda storage, value: storage.find(until=value),
    "find(min_shots)": lambda storage, value: storage.find(min_shots=value),
    "find(max_shots)": lambda storage, value: storage.find(max_shots=value),
    "find(varied)": lambda storage, value: storage.find(varied=value),
    "find(where)": lambda storage, value: storage.find(where=value),
    "find(label)": lambda storage, value: storage.find(label=value),
    "find(text)": lambda storage, value: storage.find(text=value),
    "find(tag)": lambda storage, value: storage.find(tag=value),
}
_OF_SESSIONS: dict[str, Callable[[ExperimentSession, Any], object]] = {
    "Sequence(path)": lambda session, value: Sequence(value, session).get_state(),
    "to_arrays(names)": lambda session, value: session.get_sequence(PATH).to_arrays(value),
    "duplicate(target)": lambda session, value: session.get_sequence(PATH).duplicate(value),
    "get_shot(index)": lambda session, value: session.get_sequence(PATH).get_shot(value),
    "follow(poll)": lambda session, value: session.get_sequence(PATH).follow(poll=value),
    "follow(skip)": lambda session, value: session.get_sequence(PATH).follow(skip=value),
    "Shot(index)": lambda session, value: Shot(session.get_sequence(PATH), value).get_data(),
    "get_data_by_label": lambda session, value: _shot(session).get_data_by_label(value),
    "get_data_by_labels": lambda session, value: _shot(session).get_data_by_labels(value),
}
_WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(None, True, 0, -1, 2**70, 1.5, float("nan"), float("inf"), 1j, b"x", object(), len, ...),
        *("", "text", "\ud800", "a\0b", "x" * 70_000, " ", "counts", "running", "2026"),
        *([], (), {}, set(), [None], [b"x"], [[]], {5: 5}, {"a": object()}, {None: 1}),
        *(range(2), np.arange(3), np.array(["counts"]), np.array([None]), np.float64(1)),
        *(np.zeros((2, 2)), np.datetime64("2026"), datetime(2026, 1, 1)),  # noqa: DTZ001
        *(datetime.now(UTC), timedelta(1), State.DRAFT, PATH),
    ]
)
_WITH_FIXTURES = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def _shot(session: ExperimentSession) -> Shot:
    return session.get_sequence(PATH).get_shot(0)


def _prepare(storage: StorageManager) -> None:
    with storage.session() as session:
        if not session.paths.does_path_exists(PATH):
            launch(session)
            record(session)


def _content(storage: StorageManager) -> dict[str, Any]:
    with storage.session() as session:
        return content(session)


@_WITH_FIXTURES
@given(name=st.sampled_from(sorted(_OF_STORAGES)), value=_WRONG)
def test_what_a_storage_is_given_in_error_is_refused_and_all_goes_on(
    storage: StorageManager, name: str, value: Any
) -> None:
    _prepare(storage)
    before = _content(storage)
    try:
        _OF_STORAGES[name](storage, value)
    except _REFUSALS:
        assert _content(storage) == before


@_WITH_FIXTURES
@given(name=st.sampled_from(sorted(_OF_SESSIONS)), value=_WRONG)
def test_what_an_object_is_given_in_error_is_refused_and_the_session_goes_on(
    storage: StorageManager, name: str, value: Any
) -> None:
    _prepare(storage)
    before = _content(storage)
    with storage.session() as session:
        try:
            _OF_SESSIONS[name](session, value)
        except _REFUSALS:
            assert content(session) == before
            assert _shot(session).get_data() == {"counts": 0}
        else:
            if name == "duplicate(target)":
                session.paths.delete_path(value, delete_sequences=True)
    with storage.session() as session:
        assert session.sequences.get_shots(PATH)[0].index == 0


@pytest.mark.parametrize("value", [True, "1", None, 1j, [1]], ids=str)
def test_a_poll_is_a_number_of_seconds(storage: StorageManager, value: Any) -> None:
    with pytest.raises(TypeError, match="poll must be a number of seconds"):
        storage.follow(PATH, poll=value)
    for negative in (-1, float("nan")):
        with pytest.raises(ValueError, match="poll must not be"):
            storage.follow(PATH, poll=negative)


def test_a_sequence_is_of_a_session_and_a_shot_of_a_sequence(storage: StorageManager) -> None:
    _prepare(storage)
    wrong: list[Any] = [None, 5, "text", storage, object()]
    for value in wrong:
        with pytest.raises(TypeError, match="of a session"):
            Sequence(PATH, value)
        with pytest.raises(TypeError, match="of a Sequence"):
            Shot(value, 0)
    with storage.session() as session:
        sequence = session.get_sequence(PATH)
        indices: list[Any] = [None, 1.0, "0", True, [0]]
        for index in indices:
            with pytest.raises(TypeError, match="A shot index must be an int"):
                Shot(sequence, index)
        assert Shot(sequence, np.int64(0)).get_data() == {"counts": 0}
        session.sequences.set_finished(PATH, STOP)
