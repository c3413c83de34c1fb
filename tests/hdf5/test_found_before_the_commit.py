"""What somebody else has done to the files while a session was open is found before the commit."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest
from attrs import frozen

from shotstore import DamagedStorageError, ExperimentSession
from shotstore.hdf5 import HDF5StorageManager
from tests.crash.logical import contents
from tests.crash.scenarios import DRAFTS, FINISHED, RUNNING, Step, create, move, populate, shoot

NEW = DRAFTS / "new"
SHOTS = "sequences/2026/running/shots.h5"


@pytest.fixture
def storage(tmp_path: Path) -> HDF5StorageManager:
    """A store with a running sequence of three shots, and others."""
    storage = HDF5StorageManager(tmp_path / "store")
    populate(storage)
    return storage


@contextmanager
def cut(place: Path) -> Iterator[None]:
    content = place.read_bytes()
    os.truncate(place, len(content) - 1)
    yield
    with place.open("r+b") as file:
        file.write(content)


@contextmanager
def missing(place: Path) -> Iterator[None]:
    aside = place.rename(place.with_name("aside"))
    yield
    aside.replace(place)


@contextmanager
def replaced(place: Path) -> Iterator[None]:
    with missing(place):
        place.write_bytes(place.with_name("aside").read_bytes())
        yield


@contextmanager
def in_the_way(place: Path) -> Iterator[None]:
    place.write_bytes(b"somebody's")
    yield
    place.unlink()


@frozen
class Interference:
    """What a session does, what somebody does meanwhile, and what the session ends in."""

    act: Step
    meanwhile: Callable[[Path], AbstractContextManager[None]]
    place: str
    error: type[Exception]
    message: str


INTERFERENCES = {
    "shots are cut": Interference(
        shoot(RUNNING, 3), cut, SHOTS, DamagedStorageError, "something else has cut it"
    ),
    "shots are replaced": Interference(
        shoot(RUNNING, 3), replaced, SHOTS, DamagedStorageError, "moved or replaced it"
    ),
    "shots are gone": Interference(
        shoot(RUNNING, 3), missing, SHOTS, DamagedStorageError, "moved or replaced it"
    ),
    "what moves is gone": Interference(
        move(FINISHED, NEW), missing, "sequences/2026/finished", FileNotFoundError, "No such file"
    ),
    "a file is where a sequence is made": Interference(
        create(NEW), in_the_way, "sequences/drafts/new", FileExistsError, "in the way: remove it"
    ),
    "a file is where something moves to": Interference(
        move(FINISHED, NEW), in_the_way, "sequences/drafts/new", FileExistsError, "in the way"
    ),
}


@pytest.mark.parametrize("what", INTERFERENCES)
def test_what_is_done_to_the_files_meanwhile_is_found_before_the_commit(
    storage: HDF5StorageManager, what: str
) -> None:
    found = INTERFERENCES[what]
    place = storage.root / found.place
    before = contents(storage)

    def act(session: ExperimentSession, others: ExitStack) -> None:
        found.act(session)
        session.sequences.set_note(RUNNING, "of the same session")
        others.enter_context(found.meanwhile(place))

    with (
        ExitStack() as others,
        pytest.raises(found.error, match=found.message) as told,
        storage.session() as session,
    ):
        act(session, others)
    assert str(place) in str(told.value)
    for each in (storage, HDF5StorageManager(storage.root)):
        assert contents(each) == before
    with storage.session() as session:
        found.act(session)
    assert contents(storage) != before
    assert storage.verify().findings == []
