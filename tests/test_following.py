"""Following a run: what it costs while nothing happens, and what can happen between two looks."""

import gc
import itertools
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shotstore import ExperimentSessionNotActiveError, PureSequencePath, RunDeletedError, Shot
from shotstore.hdf5 import HDF5StorageManager
from shotstore.session import following
from shotstore.testing.experiments import (
    PATH,
    START,
    create,
    finish,
    launch,
    record,
    relaunch,
)


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets things happen, one in each wait between two looks; the wait after the last one fails."""

    def happen(*changes: Callable[[], object]) -> None:
        coming = iter(changes)

        def wait(poll: float) -> None:
            assert poll == 0.2
            next(coming)()

        monkeypatch.setattr(following, "wait", wait)

    return happen


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """All sessions that are opened."""
    sessions: list[object] = []
    open_one = HDF5StorageManager.session

    def session(self: HDF5StorageManager, *, write: bool = False) -> object:
        sessions.append(None)
        return open_one(self, write=write)

    monkeypatch.setattr(HDF5StorageManager, "session", session)
    return sessions


def commit(
    storage: HDF5StorageManager, change: Callable[..., object], *arguments: object
) -> Callable[[], None]:
    """What makes a change in a session of its own."""

    def make() -> None:
        with storage.session() as session:
            change(session, *arguments)

    return make


def test_no_session_is_opened_while_nothing_is_committed(
    storage: HDF5StorageManager, meanwhile: Callable[..., None], opened: list[object]
) -> None:
    commit(storage, launch)()
    opened.clear()
    in_the_end: list[int] = []
    meanwhile(
        *itertools.repeat(lambda: None, 50),
        lambda: in_the_end.append(len(opened)),
        commit(storage, finish),
    )
    assert list(storage.follow(PATH)) == []
    assert in_the_end == [1]


def test_no_session_is_open_while_it_waits(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    commit(storage, launch)()
    commit(storage, record)()
    shots: list[Shot] = []
    ended = []

    def try_to_read() -> None:
        with pytest.raises(ExperimentSessionNotActiveError):
            shots[0].get_data()
        ended.append(True)

    meanwhile(try_to_read, commit(storage, finish))
    for shot in storage.follow(PATH):
        assert shot.get_data() == {"counts": 0}
        shots.append(shot)
    assert ended


def test_shots_that_come_while_others_are_looked_at_are_not_waited_for(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    commit(storage, launch)()
    meanwhile(lambda: commit(storage, record)())
    seen = []
    for shot in storage.follow(PATH):
        seen.append(shot.index)
        with storage.session() as session:
            if shot.index < 5:
                record(session, PATH, shot.index + 1)
            else:
                finish(session)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_the_session_ends_with_a_loop_that_is_left(storage: HDF5StorageManager) -> None:
    commit(storage, launch)()
    commit(storage, record)()
    for shot in storage.follow(PATH):  # noqa: B007 - looked at below
        break
    with pytest.raises(ExperimentSessionNotActiveError):
        shot.get_data()


def test_a_draft_is_followed_where_it_is_moved(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    elsewhere = PureSequencePath(r"\elsewhere\it is")
    commit(storage, create)()
    commit(storage, create, PureSequencePath(r"\a draft as well"))()
    meanwhile(
        commit(storage, lambda session: session.paths.move(PATH, elsewhere)),
        commit(storage, relaunch, elsewhere),
        commit(storage, record, elsewhere),
        commit(storage, finish, elsewhere),
    )
    assert [(shot.sequence_path, shot.index) for shot in storage.follow(PATH)] == [(elsewhere, 0)]


def test_a_draft_that_is_deleted_ends_in_an_error(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    commit(storage, create)()
    commit(storage, create, PureSequencePath(r"\a draft as well"))()
    meanwhile(commit(storage, lambda session: session.paths.delete_path(PATH, True)))
    with pytest.raises(RunDeletedError, match="was deleted"):
        next(storage.follow(PATH))


def test_a_draft_that_is_changed_is_still_followed(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    commit(storage, create)()
    meanwhile(
        commit(storage, lambda session: session.paths.update_creation_date(PATH, START)),
        commit(storage, relaunch),
        commit(storage, record),
        commit(storage, finish),
    )
    assert [shot.index for shot in storage.follow(PATH)] == [0]


def test_a_run_that_is_moved_while_it_is_looked_for_is_looked_for_again(
    storage: HDF5StorageManager,
    meanwhile: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = [PATH, PureSequencePath(r"\first"), PureSequencePath(r"\second")]

    def move(source: PureSequencePath, destination: PureSequencePath) -> None:
        commit(storage, lambda session: session.paths.move(source, destination))()

    commit(storage, launch)()
    commit(storage, record)()
    followed = storage.follow(PATH)
    assert next(followed).index == 0
    commit(storage, lambda session: record(session, index=1))()
    commit(storage, finish)()
    move(*places[:2])
    moves: Iterator[Callable[[], None]] = iter([lambda: move(*places[1:])])

    def listed(self: Any, path: PureSequencePath) -> object:
        found = get_summaries(self, path)
        next(moves, lambda: None)()
        return found

    collection = type(storage.session().__enter__().sequences)
    get_summaries = collection.get_summaries
    monkeypatch.setattr(collection, "get_summaries", listed)
    meanwhile(lambda: None)
    [shot] = followed
    assert (shot.sequence_path, shot.index) == (places[2], 1)


def test_a_copied_sequence_is_followed_to_its_end(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    commit(storage, launch)()
    commit(storage, record)()
    commit(storage, finish)()
    archive = HDF5StorageManager(storage.root / "sequences" / "2026", read_only=True)
    meanwhile()
    assert [shot.get_data() for shot in archive.follow(r"\rabi")] == [{"counts": 0}]
    assert archive.last_commit() is None


def test_a_follower_that_is_dropped_leaves_nothing(storage: HDF5StorageManager) -> None:
    commit(storage, launch)()
    commit(storage, record)()
    followed = storage.follow(PATH)
    session = weakref.ref(next(followed).sequence.session)
    del followed
    gc.collect()
    assert session() is None


def test_a_stranger_on_the_path_of_a_draft_is_not_taken_for_it(
    storage: HDF5StorageManager, meanwhile: Callable[..., None]
) -> None:
    elsewhere = PureSequencePath(r"\elsewhere")

    def swap() -> None:
        commit(storage, lambda session: session.paths.move(PATH, elsewhere))()
        commit(storage, launch)()
        commit(storage, record, PATH, 7)()

    commit(storage, create)()
    meanwhile(
        swap,
        commit(storage, relaunch, elsewhere),
        commit(storage, record, elsewhere, 1),
        commit(storage, finish, elsewhere),
    )
    found = [(shot.sequence_path, shot.index) for shot in storage.follow(PATH)]
    assert found == [(elsewhere, 1)]
