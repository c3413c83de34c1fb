"""Moving and deleting paths."""

from collections.abc import Callable

import pytest

from shotstore import (
    ExperimentSession,
    InvalidPathFormatError,
    PathExistsError,
    PathIsRootError,
    PathIsSequenceError,
    PathNotFoundError,
    PureSequencePath,
    RecursivePathMoveError,
    SequenceRunningError,
    State,
    StorageManager,
)
from shotstore.testing.content import content, content_after, paths_in, refused
from shotstore.testing.experiments import PATH, bring_to, create, path

ROOT = PureSequencePath.root()

ACTIVE = [State.PREPARING, State.RUNNING]
CHANGES: dict[str, Callable[[ExperimentSession, PureSequencePath], object]] = {
    "deleted": lambda session, path: session.paths.delete_path(path, delete_sequences=True),
    "moved": lambda session, path: session.paths.move(path, r"\elsewhere"),
}
IS_ACTIVE = r"\\2026\\rabi is (running|preparing)"

IDLE = [State.DRAFT, State.FINISHED, State.INTERRUPTED, State.CRASHED]


# Deleting


def test_an_empty_folder_is_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b\c"))
    found = content_after(storage, lambda session: session.paths.delete_path(path(r"\a\b")))
    assert paths_in(found) == {r"\a"}


def test_a_folder_with_a_sequence_is_deleted_only_on_request(storage: StorageManager) -> None:
    create(storage, path(r"\a\b\x"))
    with storage.session() as session:
        for above in (r"\a", r"\a\b", r"\a\b\x"):
            with pytest.raises(PathIsSequenceError, match="delete_sequences=True"):
                session.paths.delete_path(path(above))
        assert session.paths.does_path_exists(path(r"\a\b\x"))
    found = content_after(
        storage, lambda session: session.paths.delete_path(path(r"\a"), delete_sequences=True)
    )
    assert paths_in(found) == set()


@pytest.mark.parametrize("state", IDLE)
def test_an_idle_sequence_can_be_deleted(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    found = content_after(storage, lambda session: session.paths.delete_path(PATH, True))
    assert paths_in(found) == {r"\2026"}


@pytest.mark.parametrize("path", [PATH, PATH.parent])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("state", ACTIVE)
def test_an_active_sequence_is_not_deleted_and_does_not_move(
    storage: StorageManager, state: State, change: str, path: PureSequencePath
) -> None:
    with storage.session() as session:
        bring_to(session, state)
        with refused(session, SequenceRunningError, IS_ACTIVE):
            CHANGES[change](session, path)
    with storage.session() as session, refused(session, SequenceRunningError, IS_ACTIVE):
        CHANGES[change](session, path)


def test_the_root_cannot_be_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        with pytest.raises(PathIsRootError):
            session.paths.delete_path(ROOT, delete_sequences=True)
        assert session.paths.does_path_exists(PATH)


# Moving


def test_a_sequence_moves_with_its_shots(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    before = content(storage)[str(PATH)]
    found = content_after(storage, lambda s: s.paths.move(PATH, path(r"\new\folder\name")))
    assert paths_in(found) == {r"\2026", r"\new", r"\new\folder", r"\new\folder\name"}
    assert found[r"\new\folder\name"] == before


def test_a_folder_moves_with_all_inside(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED, path(r"\a\b\x"))
        session.paths.create_path(path(r"\a\c\d"))
        before = content(session)
    found = content_after(storage, lambda session: session.paths.move(path(r"\a"), path(r"\z")))
    assert found == {name.replace(r"\a", r"\z", 1): value for name, value in before.items()}


def test_a_path_moves_into_another_folder(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\a\x"))
        session.paths.create_path(path(r"\b"))
    found = content_after(storage, lambda s: s.paths.move(path(r"\a"), path(r"\b\a")))
    assert paths_in(found) == {r"\b", r"\b\a", r"\b\a\x"}


def test_a_path_moves_up_to_the_place_of_no_other(storage: StorageManager) -> None:
    create(storage, path(r"\a\b\x"))
    found = content_after(storage, lambda s: s.paths.move(path(r"\a\b"), path(r"\b")))
    assert paths_in(found) == {r"\a", r"\b", r"\b\x"}


def test_nothing_moves_onto_an_existing_path(storage: StorageManager) -> None:
    create(storage, path(r"\a\x"))
    create(storage, path(r"\b\y"))
    with storage.session() as session:
        for destination in (r"\b", r"\b\y", r"\a", r"\a\x", "\\"):
            with refused(session, PathExistsError):
                session.paths.move(path(r"\a\x"), path(destination))


def test_nothing_moves_into_itself(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
        with pytest.raises(RecursivePathMoveError):
            session.paths.move(path(r"\a"), path(r"\a\b\c"))
        with pytest.raises(RecursivePathMoveError):
            session.paths.move(path(r"\a"), path(r"\a\c"))
        # A name that only starts alike is not a place inside.
        session.paths.move(path(r"\a"), path(r"\ab"))
        assert session.paths.get_all_paths() == {path(r"\ab"), path(r"\ab\b")}


def test_the_root_does_not_move(storage: StorageManager) -> None:
    with storage.session() as session, pytest.raises(PathIsRootError):
        session.paths.move(ROOT, path(r"\a"))


def test_nothing_moves_into_a_sequence(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        session.paths.create_path(path(r"\a"))
    with storage.session() as session:
        for destination in (PATH / "a", PATH / "b" / "c"):
            with refused(session, PathIsSequenceError):
                session.paths.move(path(r"\a"), destination)


def test_what_is_not_there_does_not_move(storage: StorageManager) -> None:
    with storage.session() as session:
        with pytest.raises(PathNotFoundError):
            session.paths.move(path(r"\a"), path(r"\b\c"))
        assert session.paths.get_all_paths() == set()


@pytest.mark.parametrize("state", IDLE)
def test_an_idle_sequence_moves(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    before = content(storage)[str(PATH)]
    found = content_after(storage, lambda session: session.paths.move(PATH, path(r"\x")))
    assert found[r"\x"] == before


def test_a_name_of_more_than_255_bytes_is_refused(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
        create(session)
        before = content(session)
        in_a_sequence = PATH / ("x" * 256)
        for too_long in (
            ROOT / ("x" * 256),
            ROOT / "c" / ("é" * 128),
            ROOT / ("x" * 5000),
            in_a_sequence,
        ):
            with pytest.raises(InvalidPathFormatError):
                session.paths.create_path(too_long)
            with pytest.raises(InvalidPathFormatError):
                create(session, too_long)
            with pytest.raises(InvalidPathFormatError):
                session.paths.move(path(r"\a"), too_long)
        assert content(session) == before
    assert content(storage) == before
