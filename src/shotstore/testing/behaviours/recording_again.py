"""Runs that are recorded where something is already: a draft, a run, or a part of one."""

import pytest

from shotstore import (
    PathHasChildrenError,
    PathIsSequenceError,
    PathNotFoundError,
    SequenceNotEditableError,
    SequenceNotRunningError,
    SequenceRunningError,
    State,
    StorageManager,
)
from shotstore.testing.behaviours.recording import state_after
from shotstore.testing.content import content, reopened
from shotstore.testing.experiments import (
    PATH,
    TIME_LANES,
    create,
    launch,
    path,
    recipe,
    recipe_of_unknown_length,
    record,
)


def test_a_draft_is_recorded(storage: StorageManager) -> None:
    with storage.session() as session:
        session.sequences.create(PATH, recipe(2), TIME_LANES)
    with storage.record(PATH) as run:
        for _ in run:
            run.save(x=1)
    with storage.session() as session:
        assert session.get_sequence(PATH).get_time_lanes() == TIME_LANES
        assert len(session.get_sequence(PATH)) == 2


def test_a_draft_of_another_recipe_is_refused(storage: StorageManager) -> None:
    create(storage)
    before = content(storage)
    with pytest.raises(SequenceNotEditableError, match="another recipe"):
        storage.record(PATH, recipe(2)).__enter__()
    assert content(storage) == before


def test_what_was_recorded_is_not_recorded_again(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(1)) as run:
        run.save(x=1)
    before = content(storage)
    with pytest.raises(PathIsSequenceError, match="2026") as refused:
        storage.record(PATH, recipe(1)).__enter__()
    assert "resume=True" in "".join(refused.value.__notes__)
    with pytest.raises(PathHasChildrenError):
        storage.record(path(r"\2026"), recipe(1)).__enter__()
    with pytest.raises(PathNotFoundError) as missing:
        storage.record(path(r"\missing")).__enter__()
    assert "recipe" in "".join(missing.value.__notes__)
    with pytest.raises(ValueError, match="offset"):
        storage.record(path(r"\missing"), recipe_of_unknown_length()).__enter__()
    assert content(storage) == before


def test_it_is_recorded_beside_what_is_there(storage: StorageManager) -> None:
    found = []
    for _ in range(3):
        with storage.record(PATH, recipe(1), if_exists="number") as run:
            run.save(x=1)
        found.append(run.path)
    assert found == [PATH, path(r"\2026\rabi 2"), path(r"\2026\rabi 3")]


@pytest.mark.parametrize("how", ["interrupted", "crashed"])
def test_what_is_missing_is_taken_later(storage: StorageManager, how: str) -> None:
    def take(number_of_shots: int) -> list[int]:
        taken = []
        with storage.record(PATH, recipe(5), resume=True) as run:
            for _ in run:
                taken.append(run.save(x=1).index)
                if len(taken) == number_of_shots:
                    if how == "crashed":
                        raise ZeroDivisionError
                    break
        return taken

    if how == "crashed":
        with pytest.raises(ZeroDivisionError):
            take(2)
    else:
        assert take(2) == [0, 1]
    assert take(10) == [2, 3, 4]
    assert take(10) == []
    assert state_after(storage) is State.FINISHED
    with reopened(storage).session() as session:
        (interruption,) = session.get_sequence(PATH).get_interruptions()
        assert interruption.state is State[how.upper()]
    with storage.record(PATH, resume=True) as run, pytest.raises(SequenceNotRunningError):
        run.save(x=1)


def test_a_run_is_resumed_with_its_own_recipe_alone(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        run.save(x=1)
    before = content(storage)
    with pytest.raises(SequenceNotEditableError, match="another recipe"):
        storage.record(PATH, recipe(4), resume=True).__enter__()
    assert content(storage) == before
    with storage.record(PATH, resume=True) as run:
        assert [run.save(x=1).index for _ in run] == [1, 2]


def test_a_run_that_somebody_records_is_not_resumed(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        with pytest.raises(SequenceRunningError, match="another program records it"):
            storage.record(PATH, recipe(3), resume=True).__enter__()
        run.save(x=1)
    assert state_after(storage) is State.INTERRUPTED


def test_a_run_of_which_nobody_knows_the_recorder_is_not_resumed(storage: StorageManager) -> None:
    launch(storage, shots=3)
    with storage.session() as session:
        record(session, index=0)
        assert session.sequences.get_stats(PATH).recorder is None
    with pytest.raises(SequenceRunningError, match="--force"):
        storage.record(PATH, recipe(3), resume=True).__enter__()


def test_a_run_that_somebody_else_has_ended_stays_as_it_is(storage: StorageManager) -> None:
    with storage.record(PATH, recipe(3)) as run:
        run.save(x=1)
        with storage.session() as session:
            session.sequences.set_interrupted(PATH, "now")
            stop = session.sequences.get_stats(PATH).stop_time
        with pytest.raises(SequenceNotRunningError):
            run.save(x=2)
    with storage.session() as session:
        stats = session.sequences.get_stats(PATH)
    assert (stats.state, stats.stop_time) == (State.INTERRUPTED, stop)


def test_whether_a_recorder_lives_is_in_summaries(storage: StorageManager) -> None:
    def recorders() -> list[str | None]:
        with storage.session() as session:
            return [each.recorder for each in session.sequences.get_summaries("\\")]

    with storage.record(PATH, recipe(3)) as run:
        run.save(x=1)
        assert recorders() == ["alive"]
    assert recorders() == [None]
