"""Tags and notes: put on a sequence at any time, and kept whatever becomes of it."""

from collections.abc import Callable
from typing import Any

import pytest

from shotstore import (
    ExperimentSession,
    PathIsNotSequenceError,
    PathIsRootError,
    PathNotFoundError,
    Sequence,
    State,
    StorageManager,
)
from shotstore.testing.content import changed, content, content_after, refused
from shotstore.testing.experiments import (
    ENDED,
    PATH,
    START,
    bring_to,
    create,
    finish,
    here_or_committed,
    launch,
    path,
    record,
    relaunch,
)
from shotstore.testing.failing_sessions import discarded

TAGS = {"good", "for the paper", "µ-metal", "名前", "v1.2", "#3", "x" * 100}
NOTE = "The beam was\tblocked,\r\nuntil shot 7.\n\n\0 \N{PILE OF POO} \u2028 end "


@here_or_committed
def annotate(session: ExperimentSession) -> None:
    session.sequences.set_tags(PATH, TAGS)
    session.sequences.set_note(PATH, NOTE)


def assert_annotated(found: dict[str, Any]) -> None:
    assert found["tags"] == TAGS
    assert found["note"] == NOTE


def test_a_sequence_has_no_tags_and_no_note_at_first(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        assert session.sequences.get_tags(PATH) == set()
        assert session.sequences.get_note(PATH) == ""


@pytest.mark.parametrize("state", State)
def test_tags_and_a_note_are_put_on_a_sequence_in_any_state(
    storage: StorageManager, state: State
) -> None:
    bring_to(storage, state)
    before = content(storage)[str(PATH)]
    found = content_after(storage, annotate)[str(PATH)]
    assert_annotated(found)
    assert {**found, "tags": set(), "note": ""} == before


def test_tags_and_a_note_are_replaced_and_taken_away(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        annotate(session)
        session.sequences.set_tags(PATH, ["b", "a", "b"])
        session.sequences.set_note(PATH, "shorter")
        assert session.sequences.get_tags(PATH) == {"a", "b"}
    with storage.session() as session:
        assert session.sequences.get_note(PATH) == "shorter"

        session.sequences.set_tags(PATH, ())
        session.sequences.set_note(PATH, "")
    with storage.session() as session:
        assert session.sequences.get_tags(PATH) == set()
        assert session.sequences.get_note(PATH) == ""


def test_a_long_note_is_kept(storage: StorageManager) -> None:
    note = "All of the logbook.\n" * 10_000
    with storage.session() as session:
        create(session)
        session.sequences.set_note(PATH, note)
    with storage.session() as session:
        assert session.sequences.get_note(PATH) == note


def test_what_is_returned_belongs_to_the_caller(storage: StorageManager) -> None:
    given = ["a"]
    with storage.session() as session:
        create(session)
        session.sequences.set_tags(PATH, given)
        given.append("b")
        session.sequences.get_tags(PATH).add("c")
        assert session.sequences.get_tags(PATH) == {"a"}


@pytest.mark.parametrize("state", ENDED)
def test_a_reset_sequence_keeps_its_tags_and_note(storage: StorageManager, state: State) -> None:
    bring_to(storage, state)
    annotate(storage)
    found = content_after(storage, lambda session: session.sequences.reset_to_draft(PATH))
    assert_annotated(found[str(PATH)])


def test_a_sequence_keeps_its_tags_and_note_as_it_runs(storage: StorageManager) -> None:
    create(storage)
    annotate(storage)
    for change in (relaunch, record, finish):
        assert_annotated(content_after(storage, change)[str(PATH)])


def test_a_moved_sequence_keeps_its_tags_and_note(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    annotate(storage)
    found = content_after(storage, lambda session: session.paths.move(PATH, path(r"\new\place")))
    assert_annotated(found[r"\new\place"])


def test_a_sequence_is_annotated_where_it_is_moved_to_in_the_same_session(
    storage: StorageManager,
) -> None:
    bring_to(storage, State.FINISHED)
    with changed(storage, path(r"\moved")) as (session, found):
        session.sequences.set_tags(PATH, {"before"})
        session.paths.move(PATH, path(r"\moved"))
        session.sequences.set_note(path(r"\moved"), "after")
        session.sequences.reset_to_draft(path(r"\moved"))
    assert (found["tags"], found["note"]) == ({"before"}, "after")


def test_a_sequence_in_the_place_of_another_does_not_take_its_tags(
    storage: StorageManager,
) -> None:
    bring_to(storage, State.FINISHED)
    annotate(storage)
    with changed(storage, PATH) as (session, found):
        session.paths.delete_path(PATH, delete_sequences=True)
        create(session)
    assert (found["tags"], found["note"]) == (set(), "")


def test_a_duplicate_has_no_tags_and_no_note(storage: StorageManager) -> None:
    with storage.session() as session:
        bring_to(session, State.FINISHED)
        annotate(session)
        copy = session.get_sequence(PATH).duplicate(r"\copy")
        assert (copy.get_tags(), copy.get_note()) == (set(), "")
        assert_annotated(content(session)[str(PATH)])


def test_what_was_not_committed_is_not_there(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with discarded(storage) as session:
        annotate(session)
    with storage.session() as session:
        assert session.sequences.get_tags(PATH) == set()
        assert session.sequences.get_note(PATH) == ""


def test_a_session_keeps_to_the_tags_and_the_note_that_it_has_read(
    storage: StorageManager,
) -> None:
    bring_to(storage, State.FINISHED)
    with storage.session() as reader:
        assert reader.sequences.get_tags(PATH) == set()
        annotate(storage)
        assert reader.sequences.get_tags(PATH) == set()
        assert reader.sequences.get_note(PATH) == ""
        # The shots are those that were there before, and can be read.
        assert reader.sequences.get_shot_data_by_labels(PATH, 0, ["counts"]) == {"counts": 0}


def test_a_running_sequence_is_annotated_between_two_shots(storage: StorageManager) -> None:
    launch(storage)
    for index in range(3):
        record(storage, index=index)
        with storage.session() as session:
            session.get_sequence(PATH).add_tag(f"after shot {index}")
    finish(storage)
    with storage.session() as session:
        assert len(session.get_sequence(PATH)) == 3
        assert session.sequences.get_tags(PATH) == {f"after shot {index}" for index in range(3)}


@pytest.mark.parametrize(
    "tag",
    ["", " ", " a", "a ", "a,b", "a\nb", "a\0b", "\x1b[31m", "a\u2028b", "x" * 101, "\ud800"],
)
def test_a_text_that_is_no_tag_is_refused(storage: StorageManager, tag: str) -> None:
    with storage.session() as session:
        create(session)
        annotate(session)
        with pytest.raises(ValueError, match="tag"):
            session.sequences.set_tags(PATH, ["fine", tag])
        assert session.sequences.get_tags(PATH) == TAGS


@pytest.mark.parametrize("tags", ["good", [3], [None], None])
def test_tags_are_texts(storage: StorageManager, tags: Any) -> None:
    with storage.session() as session:
        create(session)
        with pytest.raises(TypeError):
            session.sequences.set_tags(PATH, tags)


@pytest.mark.parametrize(
    ("note", "error"), [(None, TypeError), (3, TypeError), ("\ud800", ValueError)]
)
def test_a_note_is_a_text(storage: StorageManager, note: Any, error: type[Exception]) -> None:
    with storage.session() as session:
        create(session)
        with pytest.raises(error, match="note"):
            session.sequences.set_note(PATH, note)
        assert session.sequences.get_note(PATH) == ""


CALLS: list[Callable[[Sequence], object]] = [
    Sequence.get_tags,
    Sequence.get_note,
    lambda sequence: sequence.set_tags({"a"}),
    lambda sequence: sequence.set_note("a"),
    lambda sequence: sequence.add_tag("a"),
    lambda sequence: sequence.remove_tag("a"),
]


@pytest.mark.parametrize("call", CALLS)
def test_there_must_be_a_sequence_to_be_annotated(
    storage: StorageManager, call: Callable[[Sequence], object]
) -> None:
    with storage.session() as session:
        create(session)
        with pytest.raises(PathNotFoundError) as error:
            call(session.get_sequence(r"\2026\rubi"))
        assert error.value.__notes__ == [f"The closest existing sequence is {PATH}"]
        with pytest.raises(PathIsNotSequenceError):
            call(session.get_sequence(r"\2026"))


def test_a_tag_is_added_to_the_others_and_removed(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        sequence = session.get_sequence(PATH)
        sequence.set_tags({"a"})
        sequence.add_tag("b")
        sequence.add_tag("b")
        assert sequence.get_tags() == {"a", "b"}
        sequence.remove_tag("a")
        sequence.remove_tag("no such tag")
        assert sequence.get_tags() == {"b"}
        with pytest.raises(ValueError, match="comma"):
            sequence.add_tag("c,d")
        assert sequence.get_tags() == {"b"}
        sequence.set_note("A note.")
        assert sequence.get_note() == "A note."


# Folders


def test_a_folder_has_a_note(storage: StorageManager) -> None:
    create(storage)
    folder = path(r"\2026")
    with storage.session() as session:
        date = session.paths.get_path_creation_date(folder)
        assert session.paths.get_note(folder) == ""
    with storage.session() as session:
        session.paths.set_note(folder, NOTE)
        assert session.paths.get_note(folder) == NOTE
    with storage.session() as session:
        assert session.paths.get_note(folder) == NOTE
        assert session.paths.get_path_creation_date(folder) == date
        session.paths.update_creation_date(folder, START)
        assert session.paths.get_note(folder) == NOTE
        assert session.paths.get_note(PATH) == ""
        session.paths.set_note(PATH, "of the sequence")
        assert session.sequences.get_note(PATH) == "of the sequence"
    with storage.session() as session:
        session.paths.set_note(folder, "")
    with storage.session() as session:
        assert session.paths.get_note(folder) == ""
        assert session.paths.get_path_creation_date(folder) == START


def test_a_moved_folder_keeps_its_note(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED)
    with storage.session() as session:
        session.paths.set_note(r"\2026", "A year.")
    found = content_after(storage, lambda session: session.paths.move(r"\2026", r"\archive\2026"))
    assert found["notes of folders"] == {r"\archive\2026": "A year."}


def test_the_note_on_an_empty_folder_becomes_that_of_its_sequence(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        session.paths.create_path(PATH)
        session.paths.set_note(PATH, "to be measured")
    with changed(storage, PATH) as (session, found):
        create(session)
    assert found["note"] == "to be measured"


@pytest.mark.parametrize(
    ("where", "note", "error"),
    [
        ("\\", "a", PathIsRootError),
        (r"\nothing", "a", PathNotFoundError),
        (r"\2026", None, TypeError),
        (r"\2026", "\ud800", ValueError),
    ],
)
def test_a_note_that_no_path_can_have_is_refused(
    storage: StorageManager, where: str, note: Any, error: type[Exception]
) -> None:
    create(storage)
    with storage.session() as session:
        session.paths.set_note(r"\2026", "before")
        with refused(session, error):
            session.paths.set_note(where, note)
