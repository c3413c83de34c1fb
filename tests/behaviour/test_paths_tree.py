"""The tree of folders and sequences."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shotstore import (
    ExperimentSession,
    InvalidPathFormatError,
    PathExistsError,
    PathHasChildrenError,
    PathIsNotSequenceError,
    PathIsRootError,
    PathIsSequenceError,
    PathNotFoundError,
    PureSequencePath,
    RecursivePathMoveError,
    SequenceRunningError,
    State,
    StorageManager,
)
from tests.builders import (
    PATH,
    SECOND,
    START,
    bring_to,
    content,
    content_after,
    create,
    finish,
    launch,
    path,
    paths_in,
    record,
    relaunch,
    reopened,
)

ROOT = PureSequencePath.root()
ACTIVE = [State.PREPARING, State.RUNNING]
IDLE = [State.DRAFT, State.FINISHED, State.INTERRUPTED, State.CRASHED]


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
    with storage.session() as session:
        create(session)
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
    def change(session: ExperimentSession) -> None:
        session.paths.create_path(PATH)
        launch(session)
        record(session)

    assert content_after(storage, change)[str(PATH)]["stats"].number_completed_shots == 1


def test_a_folder_emptied_in_the_same_session_becomes_a_sequence(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, PATH / "x")

    def change(session: ExperimentSession) -> None:
        session.paths.delete_path(PATH / "x", delete_sequences=True)
        create(session)

    assert paths_in(content_after(storage, change)) == {r"\2026", str(PATH)}


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
            create(session, ROOT / name)
    with reopened(storage).session() as session:
        assert session.paths.get_all_paths() == {ROOT / name for name in names}


# Creation dates


def test_a_path_is_dated_when_it_is_created(storage: StorageManager) -> None:
    before = datetime.now(UTC)
    with storage.session() as session:
        create(session)
    after = datetime.now(UTC)
    with reopened(storage).session() as session:
        for created in (PATH, path(r"\2026")):
            date = session.paths.get_path_creation_date(created)
            assert before <= date <= after
            assert date.utcoffset() == timedelta(0)


def test_a_creation_date_can_be_changed(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)

    def change(session: ExperimentSession) -> None:
        zone = timezone(timedelta(hours=9))
        session.paths.update_creation_date(path(r"\2026"), START.astimezone(zone))
        session.paths.update_creation_date(PATH, START + SECOND)

    found = content_after(storage, change)
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


# Deleting


def test_an_empty_folder_is_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b\c"))
    found = content_after(storage, lambda session: session.paths.delete_path(path(r"\a\b")))
    assert paths_in(found) == {r"\a"}


def test_a_folder_with_a_sequence_is_deleted_only_on_request(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\a\b\x"))
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
    with storage.session() as session:
        bring_to(session, state)
    found = content_after(storage, lambda session: session.paths.delete_path(PATH, True))
    assert paths_in(found) == {r"\2026"}


@pytest.mark.parametrize("state", ACTIVE)
def test_an_active_sequence_cannot_be_deleted(storage: StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
        before = content(session)
        with pytest.raises(SequenceRunningError):
            session.paths.delete_path(PATH, delete_sequences=True)
    with storage.session() as session:
        for above in (PATH, path(r"\2026")):
            with pytest.raises(SequenceRunningError, match=r"\\2026\\rabi is (running|preparing)"):
                session.paths.delete_path(above, delete_sequences=True)
        assert content(session) == before


def test_the_root_cannot_be_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        with pytest.raises(PathIsRootError):
            session.paths.delete_path(ROOT, delete_sequences=True)
        assert session.paths.does_path_exists(PATH)


# Moving


def test_a_sequence_moves_with_its_shots(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        before = content(session)[str(PATH)]
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
    with storage.session() as session:
        create(session, path(r"\a\b\x"))
    found = content_after(storage, lambda s: s.paths.move(path(r"\a\b"), path(r"\b")))
    assert paths_in(found) == {r"\a", r"\b", r"\b\x"}


def test_nothing_moves_onto_an_existing_path(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\a\x"))
        create(session, path(r"\b\y"))
    with storage.session() as session:
        before = content(session)
        for destination in (r"\b", r"\b\y", r"\a", r"\a\x", "\\"):
            with pytest.raises(PathExistsError):
                session.paths.move(path(r"\a\x"), path(destination))
        assert content(session) == before


def test_nothing_moves_into_itself(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
        with pytest.raises(RecursivePathMoveError):
            session.paths.move(path(r"\a"), path(r"\a\b\c"))
        with pytest.raises(RecursivePathMoveError):
            session.paths.move(path(r"\a"), path(r"\a\c"))
        # A name that only starts alike is no place inside.
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
        before = content(session)
        for destination in (PATH / "a", PATH / "b" / "c"):
            with pytest.raises(PathIsSequenceError):
                session.paths.move(path(r"\a"), destination)
        assert content(session) == before


def test_what_is_not_there_does_not_move(storage: StorageManager) -> None:
    with storage.session() as session:
        with pytest.raises(PathNotFoundError):
            session.paths.move(path(r"\a"), path(r"\b\c"))
        assert session.paths.get_all_paths() == set()


@pytest.mark.parametrize("state", ACTIVE)
def test_an_active_sequence_does_not_move(storage: StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
    with storage.session() as session:
        before = content(session)
        for source in (PATH, path(r"\2026")):
            with pytest.raises(SequenceRunningError, match=r"\\2026\\rabi is (running|preparing)"):
                session.paths.move(source, path(r"\elsewhere"))
        assert content(session) == before


@pytest.mark.parametrize("state", IDLE)
def test_an_idle_sequence_moves(storage: StorageManager, state: State) -> None:
    with storage.session() as session:
        bring_to(session, state)
        before = content(session)[str(PATH)]
    found = content_after(storage, lambda session: session.paths.move(PATH, path(r"\x")))
    assert found[r"\x"] == before


def test_a_name_the_storage_cannot_hold_is_refused(storage: StorageManager) -> None:
    with storage.session() as session:
        session.paths.create_path(path(r"\a\b"))
        before = content(session)
        for too_long in (ROOT / ("x" * 5000), PureSequencePath.from_parts(["x" * 200] * 40)):
            with pytest.raises(InvalidPathFormatError):
                session.paths.create_path(too_long)
            with pytest.raises(InvalidPathFormatError):
                create(session, too_long)
            with pytest.raises(InvalidPathFormatError):
                session.paths.move(path(r"\a"), too_long)
        assert content(session) == before
    with storage.session() as session:
        assert content(session) == before


def test_a_move_is_refused_where_something_inside_would_get_too_long_a_path(
    storage: StorageManager,
) -> None:
    deep = PureSequencePath.from_parts(["a", *["x" * 200] * 15])
    with storage.session() as session:
        create(session, deep)
    with storage.session() as session:
        before = content(session)
        with pytest.raises(InvalidPathFormatError):
            session.paths.move(path(r"\a"), PureSequencePath.from_parts(["y" * 200] * 8))
        assert content(session) == before


# Several changes in one session


def test_two_paths_are_swapped(storage: StorageManager) -> None:
    one, two, spare = path(r"\a\one"), path(r"\b\two"), path(r"\spare")
    with storage.session() as session:
        bring_to(session, State.FINISHED, one)
        bring_to(session, State.CRASHED, two)
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(one, spare)
        session.paths.move(two, one)
        session.paths.move(spare, two)

    found = content_after(storage, change)
    assert paths_in(found) == paths_in(before)
    assert found[str(one)] == before[str(two)]
    assert found[str(two)] == before[str(one)]


def test_a_folder_is_swapped_with_a_sequence_inside_it(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED, path(r"\a\b"))
        create(session, path(r"\a\c"))
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(path(r"\a\b"), path(r"\x"))
        session.paths.move(path(r"\a"), path(r"\b"))
        session.paths.move(path(r"\x"), path(r"\a"))

    found = content_after(storage, change)
    assert paths_in(found) == {r"\a", r"\b", r"\b\c"}
    assert found[r"\a"] == before[r"\a\b"]
    assert found[r"\b"] == before[r"\a"]


def test_paths_rotate_along_a_chain_of_folders(storage: StorageManager) -> None:
    r"""\1\2\3 becomes \3\1\2: each folder ends inside one that was inside it."""
    with storage.session() as session:
        for depth, folder in enumerate((r"\1", r"\1\2", r"\1\2\3")):
            session.paths.create_path(path(folder))
            session.paths.update_creation_date(path(folder), START + depth * SECOND)

    def change(session: ExperimentSession) -> None:
        session.paths.move(path(r"\1\2\3"), path(r"\3"))
        session.paths.move(path(r"\1"), path(r"\3\1"))

    found = content_after(storage, change)
    assert {name: found[name] for name in paths_in(found)} == {
        r"\3": START + 2 * SECOND,
        r"\3\1": START,
        r"\3\1\2": START + SECOND,
    }


def test_a_path_that_goes_away_and_comes_back_is_where_it_was(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(PATH, path(r"\2026\x"))
        session.paths.move(path(r"\2026"), path(r"\2027"))
        session.paths.move(path(r"\2027\x"), path(r"\2027\rabi"))
        session.paths.move(path(r"\2027"), path(r"\2026"))

    assert content_after(storage, change) == before


def test_a_path_is_created_moved_and_deleted(storage: StorageManager) -> None:
    def change(session: ExperimentSession) -> None:
        launch(session, path(r"\a\b"))
        record(session, path(r"\a\b"))
        finish(session, path(r"\a\b"))
        session.paths.move(path(r"\a\b"), path(r"\c\d"))
        session.paths.delete_path(path(r"\c"), delete_sequences=True)

    assert paths_in(content_after(storage, change)) == {r"\a"}


def test_a_deleted_path_is_created_again(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        session.paths.delete_path(PATH, delete_sequences=True)
        assert not session.paths.does_path_exists(PATH)
        launch(session)
        record(session, index=7)

    found = content_after(storage, change)
    assert list(found[str(PATH)]["shots"]) == [7]
    assert found[str(PATH)]["stats"].state is State.RUNNING


def test_a_folder_takes_the_place_of_a_deleted_sequence(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        session.paths.delete_path(PATH, delete_sequences=True)
        create(session, PATH / "x")

    assert paths_in(content_after(storage, change)) == {r"\2026", str(PATH), str(PATH / "x")}


def test_a_sequence_takes_the_place_of_a_deleted_folder(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED, PATH / "x")

    def change(session: ExperimentSession) -> None:
        session.paths.delete_path(PATH, delete_sequences=True)
        bring_to(session, State.CRASHED)

    found = content_after(storage, change)
    assert paths_in(found) == {r"\2026", str(PATH)}
    assert found[str(PATH)]["stats"].state is State.CRASHED


def test_a_path_is_deleted_and_created_over_and_over(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        for index in range(5):
            session.paths.delete_path(PATH, delete_sequences=True)
            launch(session)
            record(session, index=index)
            finish(session)

    assert list(content_after(storage, change)[str(PATH)]["shots"]) == [4]


def test_another_path_moves_to_the_place_of_a_deleted_one(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        bring_to(session, State.CRASHED, path(r"\2026\ramsey"))
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.delete_path(PATH, delete_sequences=True)
        session.paths.move(path(r"\2026\ramsey"), PATH)

    found = content_after(storage, change)
    assert paths_in(found) == {r"\2026", str(PATH)}
    assert found[str(PATH)] == before[r"\2026\ramsey"]


def test_a_new_path_takes_the_place_of_a_moved_one(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(PATH, path(r"\2026\old"))
        launch(session)
        record(session, index=3)

    found = content_after(storage, change)
    assert found[r"\2026\old"] == before[str(PATH)]
    assert list(found[str(PATH)]["shots"]) == [3]


def test_a_moved_folder_is_filled_and_emptied(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED, path(r"\a\old"))
        bring_to(session, State.FINISHED, path(r"\a\kept"))
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(path(r"\a"), path(r"\b"))
        create(session, path(r"\b\new"))
        session.paths.delete_path(path(r"\b\old"), delete_sequences=True)
        session.paths.move(path(r"\b\kept"), path(r"\b\c\kept"))

    found = content_after(storage, change)
    assert paths_in(found) == {r"\b", r"\b\new", r"\b\c", r"\b\c\kept"}
    assert found[r"\b\c\kept"] == before[r"\a\kept"]


def test_a_sequence_is_saved_from_a_folder_that_is_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED, path(r"\a\b\saved"))
        bring_to(session, State.FINISHED, path(r"\a\b\lost"))
        before = content(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(path(r"\a\b\saved"), path(r"\saved"))
        session.paths.delete_path(path(r"\a"), delete_sequences=True)

    found = content_after(storage, change)
    assert paths_in(found) == {r"\saved"}
    assert found[r"\saved"] == before[r"\a\b\saved"]


def test_a_sequence_is_deleted_together_with_a_new_folder_around_it(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)

    def change(session: ExperimentSession) -> None:
        session.paths.move(PATH, path(r"\new\folder\rabi"))
        session.paths.delete_path(path(r"\new"), delete_sequences=True)

    assert paths_in(content_after(storage, change)) == {r"\2026"}


def test_a_draft_is_launched_recorded_and_moved(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)

    def change(session: ExperimentSession) -> None:
        relaunch(session)
        record(session, index=1)
        finish(session)
        session.paths.move(PATH, path(r"\x"))

    assert list(content_after(storage, change)[r"\x"]["shots"]) == [1]


def test_a_sequence_is_moved_and_launched(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)

    def change(session: ExperimentSession) -> None:
        session.paths.move(PATH, path(r"\x"))
        relaunch(session, path(r"\x"))
        record(session, path(r"\x"), index=1)

    assert list(content_after(storage, change)[r"\x"]["shots"]) == [1]


def test_a_running_sequence_gets_shots_ends_and_moves(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)

    def change(session: ExperimentSession) -> None:
        record(session, index=1)
        finish(session)
        session.paths.move(path(r"\2026"), path(r"\2027"))

    assert list(content_after(storage, change)[r"\2027\rabi"]["shots"]) == [0, 1]


def test_a_running_sequence_gets_shots_ends_and_is_deleted(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.RUNNING)

    def change(session: ExperimentSession) -> None:
        record(session, index=1)
        finish(session)
        session.paths.delete_path(PATH, delete_sequences=True)

    assert paths_in(content_after(storage, change)) == {r"\2026"}


def test_listings_follow_every_change_of_the_session(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session, path(r"\a\x"))
        create(session, path(r"\b\y"))
    with storage.session() as session:
        paths, sequences = session.paths, session.sequences
        assert len(paths.get_all_paths()) == 4
        paths.move(path(r"\a\x"), path(r"\b\c\x"))
        assert paths.get_children(path(r"\a")) == set()
        assert paths.get_children(path(r"\b")) == {path(r"\b\c"), path(r"\b\y")}
        assert sequences.get_contained_sequences(path(r"\b")) == {path(r"\b\c\x"), path(r"\b\y")}
        assert not paths.does_path_exists(path(r"\a\x"))
        paths.delete_path(path(r"\b\y"), delete_sequences=True)
        assert sequences.get_contained_sequences(ROOT) == {path(r"\b\c\x")}
        assert sequences.get_sequences_in_state(State.DRAFT) == {path(r"\b\c\x")}
        paths.create_path(path(r"\b\y\z"))
        assert not sequences.is_sequence(path(r"\b\y"))
        assert paths.get_all_paths() == {
            path(name) for name in (r"\a", r"\b", r"\b\c", r"\b\c\x", r"\b\y", r"\b\y\z")
        }
