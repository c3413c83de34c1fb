"""Any changes in one session have the same effect as each in a session of its own."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shotstore import (
    ExperimentSession,
    PathError,
    PureSequencePath,
    SequenceStateError,
    ShotExistsError,
    StorageManager,
)
from shotstore.testing import strategies
from shotstore.testing.content import content_below, reopened
from shotstore.testing.experiments import (
    DEVICES,
    ERROR,
    PARAMETERS,
    START,
    create,
    path,
    recipe,
    record,
)

Change = tuple[str, dict[str, Any]]


# Few paths, so that changes meet.
PATHS = [("a",), ("b",), ("a", "a"), ("a", "b"), ("b", "a"), ("a", "b", "a")]


def _run(session: ExperimentSession, path: PureSequencePath, shots: int) -> None:
    """Everything from a draft to its end."""
    session.sequences.set_preparing(path, DEVICES, PARAMETERS)
    session.sequences.set_running(path, START)
    for index in range(shots):
        record(session, path, index, {"shots": shots}, {"x": "x" * shots})
    session.sequences.set_finished(path, START)


CHANGES: dict[str, Callable[..., object]] = {
    "create folder": lambda session, path: session.paths.create_path(path),
    "create": create,
    "delete": lambda session, path: session.paths.delete_path(path, delete_sequences=True),
    "move": lambda session, path, to: session.paths.move(path, to),
    "date": lambda session, path: session.paths.update_creation_date(path, START),
    "edit": lambda session, path: session.sequences.set_iteration_configuration(path, recipe(5)),
    "run": _run,
    "prepare": lambda session, path: session.sequences.set_preparing(path, {}, PARAMETERS),
    "start": lambda session, path: session.sequences.set_running(path, START),
    "record": lambda session, path, index: record(session, path, index),
    "crash": lambda session, path: session.sequences.set_crashed(path, ERROR, START),
    "reset": lambda session, path: session.sequences.reset_to_draft(path),
    "look": lambda session, path: session.sequences.get_shots(path),
}

_OFTEN = ["create", "create", "delete", "move", "move", "run", "run", "record", "reset"]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    paths = st.sampled_from(PATHS)
    name = draw(st.sampled_from([*CHANGES, *_OFTEN]))
    arguments: dict[str, Any] = {"path": draw(paths)}
    if name == "move":
        arguments["to"] = draw(paths)
    if name == "run":
        arguments["shots"] = draw(st.integers(0, 3))
    if name == "record":
        arguments["index"] = draw(st.integers(0, 3))
    return name, arguments


def apply(session: ExperimentSession, folder: PureSequencePath, change: Change) -> str:
    """Do it inside the folder, and say how that went."""
    name, arguments = change
    arguments = {
        key: PureSequencePath.from_parts((*folder.parts, *value))
        if key in ("path", "to")
        else value
        for key, value in arguments.items()
    }
    try:
        CHANGES[name](session, **arguments)
    except (PathError, SequenceStateError, ShotExistsError) as error:
        return type(error).__name__
    return "done"


def undated(content: dict[str, Any]) -> dict[str, Any]:
    """The content, where of the creation dates only those are told that were set."""
    plain = {}
    for name, value in content.items():
        date = value["created"] if isinstance(value, dict) else value
        others = {**value, "created": None} if isinstance(value, dict) else {}
        plain[name] = (others, date == START)
    return plain


_number = iter(range(10**9))


@strategies.tried(60)
@given(before=st.lists(changes(), max_size=10), tested=st.lists(changes(), max_size=12))
def test_changes_in_one_session_do_what_they_do_one_by_one(
    storage: StorageManager, before: list[Change], tested: list[Change]
) -> None:
    number = next(_number)
    one, many = path(rf"\{number}\one"), path(rf"\{number}\many")
    with storage.session() as session:
        for folder in (one, many):
            session.paths.create_path(folder)
            for change in before:
                apply(session, folder, change)
    outcomes = []
    for change in tested:
        with storage.session() as session:
            outcomes.append(apply(session, many, change))
    with storage.session() as session:
        assert [apply(session, one, change) for change in tested] == outcomes
        inside = content_below(session, one)
    with reopened(storage).session() as session:
        found = content_below(session, one)
        assert found == inside
        assert undated(found) == undated(content_below(session, many))
