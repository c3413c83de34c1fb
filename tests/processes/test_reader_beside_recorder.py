"""One process records, another one reads all the time: nobody sees half of anything."""

from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from shotstore import PureSequencePath, State
from shotstore.hdf5 import HDF5StorageManager, listing
from tests.processes import shots
from tests.processes.children import PATIENCE, Child, listening
from tests.processes.shots import FOLDER, RUN

PLACES = [PureSequencePath(r"\left"), PureSequencePath(r"\right\inside")]
MOVED = 40


@pytest.fixture
def store(tmp_path: Path) -> Path:
    shots.launched(HDF5StorageManager(tmp_path / "store"))
    return tmp_path / "store"


def record_all(parent: Connection, store: Path, count: int) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    for index in range(count):
        shots.recorded(storage, index)
        parent.send(index + 1)
    with storage.session() as session:
        session.sequences.set_finished(RUN, "now")


def acknowledged(recorder: Child, before: int) -> int:
    """How many shots the recorder has told of by now."""
    told: list[int] = recorder.hear_all()
    return max([before, *told])


@pytest.mark.parametrize(("count", "read_only"), [(200, False), (50, True)])
def test_each_session_sees_whole_shots_and_all_that_were_acknowledged(
    store: Path, count: int, read_only: bool
) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE, read_only=read_only)
    seen = promised = 0
    with Child(record_all, store, count) as recorder:
        while recorder.is_alive():
            promised = acknowledged(recorder, promised)
            with storage.session() as session:
                found = shots.indices(session)
                assert session.sequences.get_stats(RUN).number_completed_shots == len(found)
                assert found == list(range(len(found)))
                assert len(found) >= max(seen, promised)
                for index in {*found[-1:], *found[:: 1 + len(found) // 2]}:
                    shots.check(session, index)
            seen = len(found)
        recorder.finish()
    assert shots.read_all(storage) == list(range(count))
    with storage.session() as session:
        assert session.sequences.get_state(RUN) is State.FINISHED


def test_a_session_that_stays_open_keeps_to_the_shots_it_has_seen(store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    count, promised = 100, 0
    with Child(record_all, store, count) as recorder:
        while promised < count:
            with storage.session() as session:
                stats = session.sequences.get_stats(RUN)
                found = shots.indices(session)
                assert len(found) >= promised
                for _ in range(min(9, count - promised)):
                    promised = recorder.hear()
                    assert session.sequences.get_stats(RUN) == stats
                    for index in found[promised % 9 :: 9]:
                        shots.check(session, index)
                assert shots.check_all(session) == found
        recorder.finish()
    assert shots.read_all(storage) == list(range(count))


def move_all_the_time(parent: Connection, store: Path) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    source, destination = PLACES
    while listening(parent):
        with storage.session() as session:
            session.paths.move(source, destination)
        source, destination = destination, source
        parent.send("moved")


def test_a_listing_beside_moves_shows_one_moment(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_LONGEST_BATCH", 0)  # as if the disk was slow
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    names = {f"sequence {number}" for number in range(MOVED)}
    with storage.session() as session:
        for name in names:
            shots.create(session, PLACES[0] / name)
    where = set()
    with Child(move_all_the_time, store) as mover:
        for _ in range(40):
            mover.hear()
            with storage.session() as session:
                drafts = session.sequences.get_sequences_in_state(State.DRAFT)
                assert {path.name for path in drafts} == names
                assert len(drafts) == MOVED
                assert len({path.parent for path in drafts}) == 1
                assert session.sequences.get_contained_sequences(PLACES[0].root()) == {
                    *drafts,
                    RUN,
                }
                assert drafts <= session.paths.get_all_paths()
            where |= {path.parent for path in drafts}
        mover.tell("stop")
        mover.finish()
    assert where == set(PLACES)


def change(_: Connection, store: Path, how: str) -> None:
    with HDF5StorageManager(store).session() as session:
        if how == "reset":
            session.sequences.reset_to_draft(RUN)
        elif how == "move":
            session.paths.move(RUN, FOLDER / "elsewhere")
            shots.launch(session)
        else:
            session.paths.delete_path(RUN, delete_sequences=True)
            shots.launch(session)
            shots.record(session, 77)


@pytest.mark.parametrize("how", ["reset", "move", "delete"])
def test_a_session_keeps_the_shots_of_a_sequence_that_is_taken_away(store: Path, how: str) -> None:
    storage = HDF5StorageManager(store, lock_timeout=PATIENCE)
    for index in range(4):
        shots.recorded(storage, index)
    with storage.session() as session:
        session.sequences.set_finished(RUN, "now")
    with storage.session() as session:
        stats = session.sequences.get_stats(RUN)
        with Child(change, store, how) as other:
            other.finish()
        assert shots.check_all(session) == [0, 1, 2, 3]
        assert session.sequences.get_stats(RUN) == stats
    with storage.session() as session:
        assert session.sequences.get_stats(RUN) != stats
