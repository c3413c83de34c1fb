"""``shotstore interrupt`` and ``shotstore resume``, and what is said of recorders that are gone."""

import pytest

from shotstore import PureSequencePath, State, StorageManager
from shotstore.model import ExecuteShot, LinspaceLoop, StepsConfiguration
from tests.shell import Shell

RUN = PureSequencePath(r"\night")
RECIPE = StepsConfiguration([LinspaceLoop("x", "0", "1", 6, [ExecuteShot()])])


@pytest.fixture
def gone(store: StorageManager) -> StorageManager:
    """A store with a run whose recorder is gone after two shots."""
    run = store.record(RUN, RECIPE).__enter__()
    run.save(y=1)
    run.save(y=2)
    with store.session(write=True):  # its end cannot be recorded
        run.__exit__(SystemExit, SystemExit("killed"), None)
    return store


def state(storage: StorageManager) -> State:
    with storage.session() as session:
        return session.sequences.get_state(RUN)


@pytest.mark.usefixtures("gone")
def test_a_recorder_that_is_gone_is_shown(shell: Shell) -> None:
    assert shell.rows("ls")["night"][:2] == ["running, recorder gone", "2/6"]
    (night,) = [each for each in shell.json("ls", "-r") if each["path"] == str(RUN)]
    assert night["recorder"] == "gone"
    shown = shell.run("show", "night")
    assert "running, recorder gone" in shown
    assert "shotstore resume" in shown
    assert "left" not in shown


def test_a_recorder_that_lives_is_shown_as_running(shell: Shell, store: StorageManager) -> None:
    with store.record(RUN, RECIPE) as run:
        run.save(y=1)
        assert shell.rows("ls")["night"][:2] == ["running", "1/6"]
        assert shell.json("show", "night")["recorder"] == "alive"
        shell.run("interrupt", "night")
        assert (shell.code, "is alive" in shell.error) == (1, True)
        shell.run("resume", "night")
        assert (shell.code, "another program records it" in shell.error) == (1, True)
        assert state(store) is State.RUNNING


def test_a_run_whose_recorder_is_gone_is_ended(shell: Shell, gone: StorageManager) -> None:
    assert r"\night is interrupted, with 2 shots." in shell.run("interrupt", "night")
    with gone.session() as session:
        stats = session.sequences.get_stats(RUN)
        assert stats.stop_time == session.sequences.get_shot_end_time(RUN, 1)
    shell.run("interrupt", "night")
    assert shell.code == 1


def test_one_that_lives_is_ended_by_force(shell: Shell, store: StorageManager) -> None:
    with store.record(RUN, RECIPE) as run:
        run.save(y=1)
        assert "interrupted, with 1 shot." in shell.run("interrupt", "night", "--force")
    assert state(store) is State.INTERRUPTED


def test_a_run_goes_on(shell: Shell, gone: StorageManager) -> None:
    said = shell.run("resume", "night")
    assert r"\night is running again, with 2 of 6 shots: start its program." in said
    with gone.record(RUN, RECIPE, resume=True) as run:
        assert [run.save(y=3).index for _ in run] == [2, 3, 4, 5]
    assert state(gone) is State.FINISHED
    with gone.session() as session:
        # The command and the program have let it go on once, and not each by itself.
        assert len(session.get_sequence(RUN).get_interruptions()) == 1
    shell.run("resume", "night")
    assert shell.code == 1


def test_what_was_interrupted_goes_on(shell: Shell, gone: StorageManager) -> None:
    shell.run("interrupt", "night")
    shell.run("resume", "night")
    assert shell.code == 0
    assert state(gone) is State.RUNNING
