"""What is known of many sequences at once: summaries, and where a text is found."""

import pickle
from datetime import timedelta

import pytest

from shotstore import (
    ExperimentSession,
    LinspaceLoop,
    ParameterRange,
    PathNotFoundError,
    PureSequencePath,
    SequenceSummary,
    State,
    Step,
    StepsConfiguration,
    StorageManager,
    TimeLanes,
    TracebackSummary,
    UnknownIterationConfiguration,
    VariableDeclaration,
)
from shotstore.model import DigitalTimeLane, ExecuteShot, UnknownTimeLane
from shotstore.records.summaries import RangesWhenAsked
from shotstore.testing.content import reopened
from shotstore.testing.experiments import (
    DEVICES,
    MICROSECONDS,
    PARAMETERS,
    PATH,
    START,
    STOP,
    TIME_LANES,
    bring_to,
    create,
    finish,
    launch,
    path,
    recipe,
    record,
)

ROOT = PureSequencePath.root()


def summaries(storage: StorageManager, at: PureSequencePath = ROOT) -> list[SequenceSummary]:
    with storage.session() as session:
        return session.sequences.get_summaries(at)


def paths_of(found: list[SequenceSummary]) -> list[str]:
    return [str(summary.path) for summary in found]


@pytest.mark.parametrize("state", State)
def test_a_summary_says_what_the_sequence_says_itself(
    storage: StorageManager, state: State
) -> None:
    with storage.session() as session:
        bring_to(session, state)
        session.sequences.set_tags(PATH, {"good", "µ"})
        session.sequences.set_note(PATH, "two\nlines")
        (inside,) = session.sequences.get_summaries(PATH)
    with reopened(storage).session() as session:
        (summary,) = session.sequences.get_summaries(PATH)
        stats = session.sequences.get_stats(PATH)
        counts = ParameterRange("0", "0", None, 0, 0, None)
        assert summary == SequenceSummary(
            path=PATH,
            created=session.paths.get_path_creation_date(PATH),
            state=state,
            start_time=stats.start_time,
            stop_time=stats.stop_time,
            number_of_shots=stats.number_completed_shots,
            expected_number_of_shots=10,
            tags=frozenset({"good", "µ"}),
            note="two\nlines",
            paused=timedelta(),
            ranges=RangesWhenAsked(recipe),
            measured={"counts": counts} if state.has_ended() else None,
        )
    length = ParameterRange("1 us", "4 us", 10, 1.0, 4.0, MICROSECONDS)
    assert (summary.varied, summary.declared) == ({"pulse.length": length}, {})
    assert summary == inside == pickle.loads(pickle.dumps(summary))


def test_summaries_are_of_all_sequences_at_and_inside_a_path_in_order(
    storage: StorageManager,
) -> None:
    names = [r"\b\z", r"\b\a\x", r"\a", r"\b\a b", r"\c"]
    with storage.session() as session:
        for name in names:
            create(session, path(name))
        session.paths.create_path(path(r"\b\empty"))
    found = sorted(map(path, names))
    assert [summary.path for summary in summaries(storage)] == found
    inside = [name for name in found if name.is_descendant_of(path(r"\b"))]
    assert [summary.path for summary in summaries(storage, path(r"\b"))] == inside
    assert paths_of(summaries(storage, path(r"\c"))) == [r"\c"]
    assert summaries(storage, path(r"\b\empty")) == []


def test_an_empty_storage_has_no_summaries(storage: StorageManager) -> None:
    assert summaries(storage) == []


def test_there_must_be_something_at_the_path(storage: StorageManager) -> None:
    with storage.session() as session:
        create(session)
        for call in (
            session.sequences.get_summaries,
            lambda path: session.sequences.get_sequences_with_text(path, "a"),
        ):
            for name in (path(r"\nothing"), PATH / "inside"):
                with pytest.raises(PathNotFoundError):
                    call(name)


def test_a_summary_follows_all_changes_of_the_same_session(storage: StorageManager) -> None:
    bring_to(storage, State.FINISHED, path(r"\old"))

    def look(session: ExperimentSession) -> list[tuple[str, State, int, frozenset[str]]]:
        return [
            (str(found.path), found.state, found.number_of_shots, found.tags)
            for found in session.sequences.get_summaries(ROOT)
        ]

    nothing: frozenset[str] = frozenset()
    with storage.session() as session:
        assert look(session) == [(r"\old", State.FINISHED, 1, nothing)]
        session.sequences.set_tags(path(r"\old"), {"a"})
        session.paths.move(path(r"\old"), path(r"\z\moved"))
        launch(session)
        record(session)
        record(session, index=1)
        expected = [
            (str(PATH), State.RUNNING, 2, nothing),
            (r"\z\moved", State.FINISHED, 1, frozenset({"a"})),
        ]
        assert look(session) == expected
        session.sequences.reset_to_draft(path(r"\z\moved"))
        finish(session)
        expected = [
            (str(PATH), State.FINISHED, 2, nothing),
            (r"\z\moved", State.DRAFT, 0, frozenset({"a"})),
        ]
        assert look(session) == expected
        session.paths.delete_path(PATH, delete_sequences=True)
        assert look(session) == expected[1:]
    with storage.session() as session:
        assert look(session) == expected[1:]


def test_the_number_of_shots_is_that_of_the_moment(storage: StorageManager) -> None:
    launch(storage)
    for index in range(3):
        record(storage, index=index)
        assert [found.number_of_shots for found in summaries(storage)] == [index + 1]
    finish(storage)
    assert [found.number_of_shots for found in summaries(storage)] == [3]
    with storage.session() as session:
        session.sequences.reset_to_draft(PATH)
    assert [found.number_of_shots for found in summaries(storage)] == [0]


def test_a_session_keeps_to_the_summaries_that_it_has_read(storage: StorageManager) -> None:
    launch(storage)
    record(storage)
    bring_to(storage, State.FINISHED, path(r"\finished"))
    with storage.session() as reader:
        before = reader.sequences.get_summaries(ROOT)
        with storage.session() as session:
            record(session, index=1)
            finish(session)
            session.sequences.set_note(path(r"\finished"), "a note")
        assert reader.sequences.get_summaries(ROOT) == before
        assert len(reader.get_sequence(PATH)) == 1
    after = summaries(storage)
    assert [found.number_of_shots for found in after] == [2, 1]
    assert after[1].note == "a note"


def test_a_summary_says_what_is_varied_and_what_else_is_set(storage: StorageManager) -> None:
    with storage.session() as session:
        steps: list[Step] = [
            VariableDeclaration("power", "2 mW"),
            LinspaceLoop("mot.detuning", "-10 MHz", "offset", 5, [ExecuteShot()]),
        ]
        session.sequences.create(PATH, StepsConfiguration(steps), TIME_LANES)
    (found,) = summaries(storage)
    # What the global parameters are is not known without a look at those of the launch.
    assert found.varied == {
        "mot.detuning": ParameterRange("-10 MHz", "offset", 5, None, None, None)
    }
    assert found.declared == {"power": ParameterRange("2 mW", "2 mW", 1, 2, 2, "mW")}


def test_what_is_set_anew_before_each_shot_is_varied(storage: StorageManager) -> None:
    steps: list[Step] = [VariableDeclaration("power", "2 mW")]
    for text in ("1 s", "4 s", "2000 ms"):
        steps += [VariableDeclaration("hold", text), ExecuteShot()]
    with storage.session() as session:
        session.sequences.create(PATH, StepsConfiguration(steps), TIME_LANES)
    [found] = storage.find(varied="hold")
    assert found.varied == {"hold": ParameterRange("1 s", "4 s", 3, 1, 4, "s")}
    assert list(found.declared) == ["power"]
    assert storage.find(varied="power") == []


def test_an_iteration_of_an_unknown_class_varies_nothing_that_is_known(
    storage: StorageManager,
) -> None:
    with storage.session() as session:
        iteration = UnknownIterationConfiguration("Scan", {"values": [1]}, number_of_shots=3)
        session.sequences.create(PATH, iteration, TIME_LANES)
    (found,) = summaries(storage)
    assert (found.varied, found.declared) == ({}, {})
    assert found.expected_number_of_shots == 3


def test_a_recipe_that_was_changed_is_summarised_anew(storage: StorageManager) -> None:
    create(storage)
    assert list(summaries(storage)[0].varied) == ["pulse.length"]
    with storage.session() as session:
        session.sequences.set_iteration_configuration(PATH, StepsConfiguration([ExecuteShot()]))
    assert summaries(storage)[0].varied == {}
    assert summaries(storage)[0].expected_number_of_shots == 1


# Texts

WITH_TEXTS = {
    r"\a": (
        StepsConfiguration([LinspaceLoop("mot.Detuning", "0 MHz", "offset", 3, [ExecuteShot()])]),
        TIME_LANES,
    ),
    r"\b\c": (
        recipe(),
        TimeLanes(
            step_names=["Load the MOT"],
            step_durations=["1 s + delay"],
            lanes={
                "Repump Shutter": DigitalTimeLane([("is_open", 1)]),
                "other": UnknownTimeLane("sound", {"melody": ["fifth", {"deep": "octave"}]}),
            },
        ),
    ),
}


def populate(storage: StorageManager) -> None:
    """Create sequences in which texts are found."""
    with storage.session() as session:
        for name, (iteration, lanes) in WITH_TEXTS.items():
            session.sequences.create(path(name), iteration, lanes)
        session.sequences.create(path(r"\b\crashed"), recipe(), TIME_LANES)
        session.sequences.set_preparing(path(r"\b\crashed"), DEVICES, PARAMETERS)
        session.sequences.set_running(path(r"\b\crashed"), START)
        error = RuntimeError("out of LOCK")
        error.__cause__ = OSError("ÜBERTEMPERATUR")
        summary = TracebackSummary.from_exception(error)
        session.sequences.set_crashed(path(r"\b\crashed"), summary, STOP)
        session.sequences.set_note(path(r"\b\crashed"), "Look at the\nStraße again")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("detuning", {r"\a"}),
        ("MOT", {r"\a", r"\b\c"}),
        ("mhz", {r"\a"}),
        ("offset", {r"\a"}),
        ("load the mot", {r"\b\c"}),
        ("delay", {r"\b\c"}),
        ("repump", {r"\b\c"}),
        ("is_open", {r"\b\c"}),
        ("octave", {r"\b\c"}),
        ("lock", {r"\b\crashed"}),
        ("übertemperatur", {r"\b\crashed"}),
        ("RuntimeError", {r"\b\crashed"}),
        ("STRASSE", {r"\b\crashed"}),
        ("the\nstr", {r"\b\crashed"}),
        ("pulse.length", {r"\b\c", r"\b\crashed"}),
        # What the parts of every recipe are called in its JSON.
        ("sub_steps", set()),
        ("linspace", set()),
        ("digital", set()),
        ("%", set()),
        ("\\", set()),
    ],
)
def test_a_text_is_found_in_recipes_notes_and_exceptions(
    storage: StorageManager, text: str, expected: set[str]
) -> None:
    populate(storage)
    with storage.session() as session:
        found = session.sequences.get_sequences_with_text(ROOT, text)
        assert found == set(map(path, expected))


def test_a_text_is_looked_for_at_and_inside_a_path(storage: StorageManager) -> None:
    populate(storage)
    with storage.session() as session:
        find = session.sequences.get_sequences_with_text
        assert find(path(r"\b"), "mot") == {path(r"\b\c")}
        assert find(path(r"\b\c"), "mot") == {path(r"\b\c")}
        assert find(path(r"\b\crashed"), "mot") == set()
        session.sequences.set_note(path(r"\b\crashed"), "the mot")
        session.paths.move(path(r"\b\c"), path(r"\d"))
        assert find(ROOT, "MOT") == {path(r"\a"), path(r"\b\crashed"), path(r"\d")}


@pytest.mark.parametrize("text", [None, 3, ["a"]])
def test_what_to_look_for_is_a_text(storage: StorageManager, text: object) -> None:
    with storage.session() as session, pytest.raises(TypeError):
        session.sequences.get_sequences_with_text(ROOT, text)  # type: ignore[arg-type]
