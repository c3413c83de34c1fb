"""Several changes of the same paths in one session."""

from shotstore import PureSequencePath, State, StorageManager
from shotstore.testing.content import changed, content, paths_in
from shotstore.testing.experiments import (
    PATH,
    SECOND,
    START,
    bring_to,
    create,
    finish,
    launch,
    path,
    record,
    relaunch,
)

ROOT = PureSequencePath.root()


def test_two_paths_are_swapped(storage: StorageManager) -> None:
    one, two, spare = path(r"\a\one"), path(r"\b\two"), path(r"\spare")
    bring_to(storage, State.FINISHED, one)
    bring_to(storage, State.CRASHED, two)
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.move(one, spare)
        session.paths.move(two, one)
        session.paths.move(spare, two)
    assert paths_in(found) == paths_in(before)
    assert found[str(one)] == before[str(two)]
    assert found[str(two)] == before[str(one)]


def test_a_folder_is_swapped_with_a_sequence_inside_it(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED, path(r"\a\b"))
    create(storage, path(r"\a\c"))
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.move(path(r"\a\b"), path(r"\x"))
        session.paths.move(path(r"\a"), path(r"\b"))
        session.paths.move(path(r"\x"), path(r"\a"))
    assert paths_in(found) == {r"\a", r"\b", r"\b\c"}
    assert found[r"\a"] == before[r"\a\b"]
    assert found[r"\b"] == before[r"\a"]


def test_paths_rotate_along_a_chain_of_folders(storage: StorageManager) -> None:
    r"""\1\2\3 becomes \3\1\2: each folder ends inside one that was inside it."""
    with storage.session() as session:
        for depth, folder in enumerate((r"\1", r"\1\2", r"\1\2\3")):
            session.paths.create_path(path(folder))
            session.paths.update_creation_date(path(folder), START + depth * SECOND)
    with changed(storage) as (session, found):
        session.paths.move(path(r"\1\2\3"), path(r"\3"))
        session.paths.move(path(r"\1"), path(r"\3\1"))
    assert {name: found[name] for name in paths_in(found)} == {
        r"\3": START + 2 * SECOND,
        r"\3\1": START,
        r"\3\1\2": START + SECOND,
    }


def test_a_path_that_goes_away_and_comes_back_is_where_it_was(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.move(PATH, path(r"\2026\x"))
        session.paths.move(path(r"\2026"), path(r"\2027"))
        session.paths.move(path(r"\2027\x"), path(r"\2027\rabi"))
        session.paths.move(path(r"\2027"), path(r"\2026"))
    assert found == before


def test_a_path_is_created_moved_and_deleted(storage: StorageManager) -> None:
    with changed(storage) as (session, found):
        launch(session, path(r"\a\b"))
        record(session, path(r"\a\b"))
        finish(session, path(r"\a\b"))
        session.paths.move(path(r"\a\b"), path(r"\c\d"))
        session.paths.delete_path(path(r"\c"), delete_sequences=True)
    assert paths_in(found) == {r"\a"}


def test_a_deleted_path_is_created_again(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        session.paths.delete_path(PATH, delete_sequences=True)
        assert not session.paths.does_path_exists(PATH)
        launch(session)
        record(session, index=7)
    assert list(found[str(PATH)]["shots"]) == [7]
    assert found[str(PATH)]["stats"].state is State.RUNNING


def test_a_folder_takes_the_place_of_a_deleted_sequence(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        session.paths.delete_path(PATH, delete_sequences=True)
        create(session, PATH / "x")
    assert paths_in(found) == {r"\2026", str(PATH), str(PATH / "x")}


def test_a_sequence_takes_the_place_of_a_deleted_folder(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED, PATH / "x")
    with changed(storage) as (session, found):
        session.paths.delete_path(PATH, delete_sequences=True)
        bring_to(session, State.CRASHED)
    assert paths_in(found) == {r"\2026", str(PATH)}
    assert found[str(PATH)]["stats"].state is State.CRASHED


def test_a_path_is_deleted_and_created_over_and_over(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        for index in range(5):
            session.paths.delete_path(PATH, delete_sequences=True)
            launch(session)
            record(session, index=index)
            finish(session)
    assert list(found[str(PATH)]["shots"]) == [4]


def test_another_path_moves_to_the_place_of_a_deleted_one(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    bring_to(storage, State.CRASHED, path(r"\2026\ramsey"))
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.delete_path(PATH, delete_sequences=True)
        session.paths.move(path(r"\2026\ramsey"), PATH)
    assert paths_in(found) == {r"\2026", str(PATH)}
    assert found[str(PATH)] == before[r"\2026\ramsey"]


def test_a_new_path_takes_the_place_of_a_moved_one(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.move(PATH, path(r"\2026\old"))
        launch(session)
        record(session, index=3)
    assert found[r"\2026\old"] == before[str(PATH)]
    assert list(found[str(PATH)]["shots"]) == [3]


def test_a_moved_folder_is_filled_and_emptied(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED, path(r"\a\old"))
    bring_to(storage, State.FINISHED, path(r"\a\kept"))
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.move(path(r"\a"), path(r"\b"))
        create(session, path(r"\b\new"))
        session.paths.delete_path(path(r"\b\old"), delete_sequences=True)
        session.paths.move(path(r"\b\kept"), path(r"\b\c\kept"))
    assert paths_in(found) == {r"\b", r"\b\new", r"\b\c", r"\b\c\kept"}
    assert found[r"\b\c\kept"] == before[r"\a\kept"]


def test_a_sequence_is_saved_from_a_folder_that_is_deleted(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED, path(r"\a\b\saved"))
    bring_to(storage, State.FINISHED, path(r"\a\b\lost"))
    before = content(storage)
    with changed(storage) as (session, found):
        session.paths.move(path(r"\a\b\saved"), path(r"\saved"))
        session.paths.delete_path(path(r"\a"), delete_sequences=True)
    assert paths_in(found) == {r"\saved"}
    assert found[r"\saved"] == before[r"\a\b\saved"]


def test_a_sequence_is_deleted_together_with_a_new_folder_around_it(
    storage: StorageManager,
) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage) as (session, found):
        session.paths.move(PATH, path(r"\new\folder\rabi"))
        session.paths.delete_path(path(r"\new"), delete_sequences=True)
    assert paths_in(found) == {r"\2026"}


def test_a_draft_is_launched_recorded_and_moved(storage: StorageManager) -> None:
    create(storage)
    with changed(storage) as (session, found):
        relaunch(session)
        record(session, index=1)
        finish(session)
        session.paths.move(PATH, path(r"\x"))
    assert list(found[r"\x"]["shots"]) == [1]


def test_a_sequence_is_moved_and_launched(storage: StorageManager) -> None:
    create(storage)
    with changed(storage) as (session, found):
        session.paths.move(PATH, path(r"\x"))
        relaunch(session, path(r"\x"))
        record(session, path(r"\x"), index=1)
    assert list(found[r"\x"]["shots"]) == [1]


def test_a_running_sequence_gets_shots_ends_and_moves(storage: StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    with changed(storage) as (session, found):
        record(session, index=1)
        finish(session)
        session.paths.move(path(r"\2026"), path(r"\2027"))
    assert list(found[r"\2027\rabi"]["shots"]) == [0, 1]


def test_a_running_sequence_gets_shots_ends_and_is_deleted(storage: StorageManager) -> None:
    bring_to(storage, State.RUNNING)
    with changed(storage) as (session, found):
        record(session, index=1)
        finish(session)
        session.paths.delete_path(PATH, delete_sequences=True)
    assert paths_in(found) == {r"\2026"}


def test_listings_follow_every_change_of_the_session(storage: StorageManager) -> None:
    create(storage, path(r"\a\x"))
    create(storage, path(r"\b\y"))
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
