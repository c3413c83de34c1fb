"""A session that fails, and a call that is refused, leave everything as it was."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from shotstore import ExperimentSession, PureSequencePath, State, StorageManager
from shotstore.model import ParameterNamespace
from shotstore.testing.content import content, reopened
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    START,
    bring_to,
    create,
    finish,
    launch,
    path,
    recipe,
    record,
    relaunch,
)
from shotstore.testing.failing_sessions import discarded
from shotstore.testing.lab import CameraConfiguration

NOTHING: Any = None
"""Where something of another type is needed."""

FOLDER = path(r"\folder\inside")


def sequence_in(state: State) -> PureSequencePath:
    return path(rf"\2026\{state.value}")


Operation = Callable[[ExperimentSession], object]


def _record_all_kinds(session: ExperimentSession) -> None:
    running = sequence_in(State.RUNNING)
    record(session, running, 1, {"other": 1.5}, {"frame": np.ones((400, 400)), "text": "x" * 9999})
    record(session, running, 2, {"index": True}, {"tags": np.arange(3), "counts": 1.5})
    record(session, running, 3, {}, {"tags": np.arange(4)})


def _launch_and_record(session: ExperimentSession) -> None:
    launch(session, path(r"\new"))
    record(session, path(r"\new"))


def _swap(session: ExperimentSession) -> None:
    one, two = sequence_in(State.DRAFT), sequence_in(State.CRASHED)
    session.paths.move(one, path(r"\spare"))
    session.paths.move(two, one)
    session.paths.move(path(r"\spare"), two)


def _rerun(session: ExperimentSession) -> None:
    ended = sequence_in(State.INTERRUPTED)
    session.sequences.reset_to_draft(ended)
    relaunch(session, ended)
    record(session, ended)


def _remove_devices(session: ExperimentSession) -> None:
    session.default_device_configurations.clear()


def _date_all(session: ExperimentSession) -> None:
    for found in session.paths.get_all_paths():
        session.paths.update_creation_date(found, START)


OPERATIONS: dict[str, Operation] = {
    "creating a folder": lambda s: s.paths.create_path(path(r"\new\folder")),
    "creating a sequence": lambda s: create(s, path(r"\new\sequence")),
    "turning a folder into a sequence": lambda s: create(s, FOLDER),
    "launching and recording": _launch_and_record,
    "moving a folder": lambda s: s.paths.move(path(r"\folder"), path(r"\a\b")),
    "moving a sequence": lambda s: s.paths.move(sequence_in(State.FINISHED), path(r"\x")),
    "swapping two sequences": _swap,
    "deleting a sequence": lambda s: s.paths.delete_path(sequence_in(State.FINISHED), True),
    "deleting a folder": lambda s: s.paths.delete_path(path(r"\folder"), True),
    "dating": _date_all,
    "editing the iteration": lambda s: s.sequences.set_iteration_configuration(
        sequence_in(State.DRAFT), recipe(3)
    ),
    "launching": lambda s: relaunch(s, sequence_in(State.DRAFT)),
    "running": lambda s: s.sequences.set_running(sequence_in(State.PREPARING), "now"),
    "crashing": lambda s: s.sequences.set_crashed(sequence_in(State.PREPARING), ERROR, "now"),
    "finishing": lambda s: finish(s, sequence_in(State.RUNNING)),
    "interrupting": lambda s: s.sequences.set_interrupted(sequence_in(State.RUNNING), "now"),
    "resetting": lambda s: s.sequences.reset_to_draft(sequence_in(State.CRASHED)),
    "running again": _rerun,
    "recording": _record_all_kinds,
    "setting parameters": lambda s: s.set_global_parameters(ParameterNamespace.empty()),
    "setting a device": lambda s: s.default_device_configurations.update(
        camera=CameraConfiguration(3.0), new=CameraConfiguration(4.0)
    ),
    "removing devices": _remove_devices,
}


def fill(storage: StorageManager) -> None:
    """Put a sequence in each state into an empty storage, a folder, devices and parameters."""
    with storage.session() as session:
        for state in State:
            bring_to(session, state, sequence_in(state))
        session.paths.create_path(FOLDER)
        session.set_global_parameters(PARAMETERS)
        session.default_device_configurations.update(DEVICES)


@pytest.mark.parametrize("kind", OPERATIONS)
def test_an_operation_that_is_not_committed_changes_nothing(
    storage: StorageManager, kind: str
) -> None:
    fill(storage)
    expected = content(storage)
    with discarded(storage) as session:
        OPERATIONS[kind](session)
        assert not exactly_equal(content(session), expected)
    with storage.session() as session:
        assert exactly_equal(content(session), expected)
        OPERATIONS[kind](session)  # and it can be done after all


TOGETHER = [
    "turning a folder into a sequence",
    "swapping two sequences",
    "launching and recording",
    "dating",
    "recording",
    "finishing",
    "running again",
    "deleting a sequence",
    "setting a device",
    "setting parameters",
]


def test_many_operations_together_change_nothing_if_not_committed(storage: StorageManager) -> None:
    fill(storage)
    expected = content(storage)
    with discarded(storage) as session:
        for kind in TOGETHER:
            OPERATIONS[kind](session)
    assert exactly_equal(content(reopened(storage)), expected)
    with storage.session() as session:
        for kind in TOGETHER:
            OPERATIONS[kind](session)
        changed = content(session)
    assert exactly_equal(content(reopened(storage)), changed)


REFUSED: dict[str, Operation] = {
    "a folder inside a sequence": lambda s: s.paths.create_path(sequence_in(State.DRAFT) / "x"),
    "a name too long": lambda s: s.paths.create_path(path(r"\good") / ("x" * 300)),
    "a sequence over a folder": lambda s: create(s, path(r"\2026")),
    "a sequence twice": lambda s: create(s, sequence_in(State.DRAFT)),
    "a deletion of sequences": lambda s: s.paths.delete_path(path(r"\2026")),
    "a deletion of a run": lambda s: s.paths.delete_path(path(r"\2026"), True),
    "a move of a run": lambda s: s.paths.move(path(r"\2026"), path(r"\x\y")),
    "a move into a sequence": lambda s: s.paths.move(FOLDER, sequence_in(State.DRAFT) / "a" / "b"),
    "a move onto a path": lambda s: s.paths.move(FOLDER, path(r"\2026")),
    "a move to a name too long": lambda s: s.paths.move(FOLDER, path(r"\a") / ("x" * 300)),
    "an edit of a run": lambda s: s.sequences.set_time_lanes(sequence_in(State.RUNNING), NOTHING),
    "a launch of a run": lambda s: s.sequences.set_preparing(
        sequence_in(State.RUNNING), {}, PARAMETERS
    ),
    "a launch with no device": lambda s: s.sequences.set_preparing(
        sequence_in(State.DRAFT), {"camera": NOTHING}, PARAMETERS
    ),
    "a reset of a run": lambda s: s.sequences.reset_to_draft(sequence_in(State.RUNNING)),
    "a shot of a draft": lambda s: record(s, sequence_in(State.DRAFT)),
    "a shot twice": lambda s: record(s, sequence_in(State.RUNNING)),
    "a shot beyond the last": lambda s: record(s, sequence_in(State.RUNNING), 10),
    "a shot with objects": lambda s: record(
        s, sequence_in(State.RUNNING), 1, {}, {"a": np.ones(9), "b": np.array([None])}
    ),
    "a shot with a label that is not a text": lambda s: record(
        s, sequence_in(State.RUNNING), 1, {}, {"a": np.ones(9), NOTHING: 1}
    ),
    "a date without zone": lambda s: s.paths.update_creation_date(
        FOLDER, START.replace(tzinfo=None)
    ),
    "parameters that are none": lambda s: s.set_global_parameters(NOTHING),
    "a device without name": lambda s: s.default_device_configurations.update(
        {"": DEVICES["camera"]}
    ),
    "a device that is not there": lambda s: s.default_device_configurations.pop("x"),
}


def test_a_refused_call_changes_nothing(storage: StorageManager) -> None:
    fill(storage)
    expected = content(storage)
    for kind, operation in REFUSED.items():
        with storage.session() as session:
            try:
                operation(session)
            except (RuntimeError, ValueError, TypeError, KeyError):
                assert exactly_equal(content(session), expected), kind
            else:
                pytest.fail(f"{kind} was not refused")
            session.set_global_parameters(PARAMETERS)  # the session goes on
    assert exactly_equal(content(reopened(storage)), expected)
