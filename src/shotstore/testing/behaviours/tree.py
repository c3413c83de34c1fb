"""The tree of folders and sequences: creating paths, asking for them, and their dates."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shotstore import (
    PathHasChildrenError,
    PathIsNotSequenceError,
    PathIsRootError,
    PathIsSequenceError,
    PathNotFoundError,
    PureSequencePath,
    State,
    StorageManager,
)
from shotstore.testing.content import changed, content_after, paths_in, reopened
from shotstore.testing.experiments import (
    PATH,
    SECOND,
    START,
    bring_to,
    create,
    launch,
    path,
    record,
)

ROOT = PureSequencePath.root()


def test_an_empty_storage_holds_only_the_root(storage: StorageManager) -> None:
    with storage.session() as session:
        assert session.paths.does_path_exists(ROOT)
        assert session.paths.get_children(ROOT) == set()
        assert session.paths.get_all_paths() == set()
        assert session.sequences.get_contained_sequences(ROOT) == set()
        assert not session.sequences.is_sequence(ROOT)


# Creating


def test_a_folder_is_created_with_those_above_it(storage: StorageManager) -> None:
    with storage.session() as session:
        created = session.paths.create_path(path(r"\a\b\c"))
        assert created == [path(r"\a"), path(r"\a\b"), path(r"\a\b\c")]
    with reopened(storage).session() as session:
        assert session.paths.get_all_paths() == set(created)
        assert session.paths.get_children(path(r"\a")) == {path(r"\a\b")}
        assert not session.sequences.is_sequence(path(r"\a\b"))


def test_only_missing_folders_are_created(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
    with storage.session() as session:
        assert session.paths.create_path(path(r"\a\b\c\d")) == [path(r"\a\b\c"), path(r"\a\b\c\d")]
        assert session.paths.create_path(path(r"\a\b\c\d")) == []
        assert session.paths.create_path(ROOT) == []


def test_nothing_can_be_created_inside_a_sequence(storage: StorageManager) -> None:
    create(storage)
    with storage.session() as session:
        for inside in (PATH, PATH / "x", PATH / "x" / "y"):
            with pytest.raises(PathIsSequenceError, match=r"\\2026\\rabi"):
                session.paths.create_path(inside)
            with pytest.raises(PathIsSequenceError):
                create(session, inside)
        assert session.paths.get_all_paths() == {path(r"\2026"), PATH}


def test_a_sequence_is_created_with_the_folders_above_it(storage: StorageManager) -> None:
    found = content_after(storage, lambda session: create(session, path(r"\a\b\c")))
    assert paths_in(found) == {r"\a", r"\a\b", r"\a\b\c"}
    assert found[r"\a\b\c"]["stats"].state is State.DRAFT


def test_the_root_cannot_become_a_sequence(storage: StorageManager) -> None:
    with storage.session() as session, pytest.raises(PathIsRootError):
        create(session, ROOT)


def test_a_folder_that_holds_others_cannot_become_a_sequence(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
    with storage.session() as session:
        with pytest.raises(PathHasChildrenError, match=r"\\a is a folder"):
            create(session, path(r"\a"))
        assert not session.sequences.is_sequence(path(r"\a"))


def test_an_empty_folder_becomes_a_sequence(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(PATH)
    found = content_after(storage, create)
    assert found[str(PATH)]["stats"].state is State.DRAFT


def test_a_folder_created_in_the_same_session_becomes_a_sequence(storage: StorageManager) -> None:
    with changed(storage) as (session, found):
        session.paths.create_path(PATH)
        launch(session)
        record(session)
    assert found[str(PATH)]["stats"].number_completed_shots == 1


def test_a_folder_emptied_in_the_same_session_becomes_a_sequence(storage: StorageManager) -> None:
    create(storage, PATH / "x")
    with changed(storage) as (session, found):
        session.paths.delete_path(PATH / "x", delete_sequences=True)
        create(session)
    assert paths_in(found) == {r"\2026", str(PATH)}


# Asking


def test_a_missing_path_is_not_found(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        missing = path(r"\2026\ramsey")
        assert not session.paths.does_path_exists(missing)
        assert not session.paths.does_path_exists(PATH / "x")
        asking: list[Callable[[PureSequencePath], object]] = [
            session.paths.get_children,
            session.paths.delete_path,
            session.paths.get_path_creation_date,
            session.sequences.is_sequence,
            session.sequences.get_contained_sequences,
            session.sequences.get_state,
            session.sequences.get_shots,
        ]
        for ask in asking:
            for absent in (missing, PATH / "x", path(r"\x\y")):
                with pytest.raises(PathNotFoundError):
                    ask(absent)


def test_a_name_too_long_for_the_storage_does_not_exist(storage: StorageManager) -> None:
    with storage.session() as session:
        assert not session.paths.does_path_exists(ROOT / ("x" * 100_000))
        with pytest.raises(PathNotFoundError):
            session.sequences.get_state(ROOT / ("x" * 100_000))


def test_a_sequence_has_no_children_to_ask_for(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        with pytest.raises(PathIsSequenceError):
            session.paths.get_children(PATH)


def test_a_folder_is_asked_in_vain_for_what_a_sequence_has(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(PATH)
        asking: list[Callable[[PureSequencePath], object]] = [
            session.sequences.get_state,
            session.sequences.get_stats,
            session.sequences.get_shots,
            session.sequences.get_time_lanes,
            session.sequences.get_iteration_configuration,
            session.sequences.get_exception,
            session.sequences.get_parameter_schema,
            session.sequences.reset_to_draft,
        ]
        for ask in asking:
            with pytest.raises(PathIsNotSequenceError, match="is a folder"):
                ask(PATH)
            with pytest.raises(PathIsNotSequenceError):
                ask(ROOT)


def test_contained_sequences_are_those_at_any_depth(storage: StorageManager) -> None:
    inside = {path(r"\a\x"), path(r"\a\b\y"), path(r"\a\b\c\z")}
    with storage.session() as session:
        for sequence in (*inside, path(r"\other")):
            create(session, sequence)
    with storage.session() as session:
        contained = session.sequences.get_contained_sequences
        assert contained(path(r"\a")) == inside
        assert contained(path(r"\a\b")) == {path(r"\a\b\y"), path(r"\a\b\c\z")}
        assert contained(path(r"\other")) == {path(r"\other")}
        assert contained(ROOT) == {*inside, path(r"\other")}


def test_names_are_told_apart_by_every_code_point(storage: StorageManager) -> None:
    names = ["\u00e9", "e\u0301", "K", "\u212a", "\ufb01", "fi", "\u03a9", "\u2126", "²", "2"]
    with storage.session() as session:
        for name in names:
            create(session, _place_of(name) / name)
    with reopened(storage).session() as session:
        places = {_place_of(name) for name in names}
        assert session.paths.get_all_paths() == {*places, *(_place_of(n) / n for n in names)}
        for name in names:
            assert session.paths.get_children(_place_of(name)) == {_place_of(name) / name}
            for other in {*names} - {name}:
                assert not session.paths.does_path_exists(_place_of(name) / other)


def _place_of(name: str) -> PureSequencePath:
    """A folder of its own, as those that look alike are not taken in one."""
    return ROOT / ascii(name).replace("\\", "")


# Creation dates


def test_a_path_is_dated_when_it_is_created(storage: StorageManager) -> None:
    before = datetime.now(UTC)
    create(storage)
    after = datetime.now(UTC)
    with reopened(storage).session() as session:
        for created in (PATH, path(r"\2026")):
            date = session.paths.get_path_creation_date(created)
            assert before <= date <= after
            assert date.utcoffset() == timedelta(0)


def test_a_creation_date_can_be_changed(storage: StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    with changed(storage) as (session, found):
        zone = timezone(timedelta(hours=9))
        session.paths.update_creation_date(path(r"\2026"), START.astimezone(zone))
        session.paths.update_creation_date(PATH, START + SECOND)
    assert found[r"\2026"] == START
    assert found[str(PATH)]["created"] == START + SECOND
    with storage.session() as session:
        assert session.paths.get_path_creation_date(path(r"\2026")).utcoffset() == timedelta(0)


def test_a_creation_date_needs_a_time_zone(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        before = session.paths.get_path_creation_date(PATH)
        with pytest.raises(ValueError, match="time zone"):
            session.paths.update_creation_date(PATH, datetime(2026, 1, 1))  # noqa: DTZ001
        assert session.paths.get_path_creation_date(PATH) == before


def test_the_root_has_no_creation_date(storage: StorageManager) -> None:
    with storage.session() as session:
        with pytest.raises(PathIsRootError):
            session.paths.get_path_creation_date(ROOT)
        with pytest.raises(PathIsRootError):
            session.paths.update_creation_date(ROOT, START)


def test_a_folder_that_becomes_a_sequence_keeps_its_date(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(PATH)
        session.paths.update_creation_date(PATH, START)
    found = content_after(storage, create)
    assert found[str(PATH)]["created"] == START
