"""How many queries an operation makes, and what it does not read."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from sqlalchemy import Engine, event

from shotstore import ExperimentSession, PureSequencePath, State
from shotstore.sql import SQLStorageManager
from shotstore.testing.experiments import PATH, bring_to, create, finish, launch, path, record

ROOT = PureSequencePath.root()
DEEP = PureSequencePath.from_parts(["a"] * 80)


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to databases meanwhile."""
    found: list[str] = []

    def note(_1: object, _2: object, statement: str, *_3: object) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def count(storage: SQLStorageManager, work: Callable[[ExperimentSession], object]) -> int:
    with storage.session() as session, statements() as found:
        work(session)
    return len(found)


READS: dict[str, Callable[[ExperimentSession], object]] = {
    "all paths": lambda session: session.paths.get_all_paths(),
    "children": lambda session: session.paths.get_children(ROOT),
    "sequences": lambda session: session.sequences.get_contained_sequences(ROOT),
    "in a state": lambda session: session.sequences.get_sequences_in_state(State.FINISHED),
    "with a text": lambda session: session.sequences.get_sequences_with_text(ROOT, "a"),
    "summaries": lambda session: session.sequences.get_summaries(ROOT),
    "exists": lambda session: session.paths.does_path_exists(DEEP),
    "stats": lambda session: session.sequences.get_stats(PATH),
    "shots": lambda session: session.sequences.get_shots(PATH),
    "state": lambda session: session.sequences.get_state(PATH),
    "schema": lambda session: session.sequences.get_parameter_schema(PATH),
    "parameters": lambda session: session.sequences.get_shot_parameters(PATH, 1),
    "data": lambda session: session.sequences.get_all_shot_data(PATH, 1),
    "data by label": lambda session: session.sequences.get_shot_data_by_labels(PATH, 1, ["x"]),
}


def test_no_read_takes_more_queries_where_there_is_more(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
        for index in range(2):
            record(session, index=index, data={"x": np.zeros(3)})
        finish(session)
    few = {name: count(storage, read) for name, read in READS.items()}
    assert max(few.values()) <= 5  # of which one reads the units of the lab
    with storage.session() as session:
        session.sequences.reset_to_draft(PATH)
        session.paths.create_path(DEEP)
        for number in range(30):
            bring_to(session, State.FINISHED, path(rf"\more\{number}"))
    with storage.session() as session:
        session.paths.delete_path(PATH, delete_sequences=True)
        launch(session, shots=None)
        for index in range(40):
            record(session, index=index, data={"x": np.zeros(3), "y": index})
        finish(session)
    assert {name: count(storage, read) for name, read in READS.items()} == few


def test_a_folder_moves_and_goes_in_as_many_queries_as_one_sequence(
    storage: SQLStorageManager,
) -> None:
    with storage.session() as session:
        create(session, path(r"\one\0"))
        for number in range(50):
            create(session, path(rf"\many\{number}"))

    def move(name: str) -> int:
        return count(storage, lambda session: session.paths.move(path(name), path(name + "!")))

    def delete(name: str) -> int:
        return count(
            storage,
            lambda session: session.paths.delete_path(path(name), delete_sequences=True),
        )

    assert move(r"\one") == move(r"\many")
    assert delete(r"\one!") == delete(r"\many!")


def test_arrays_are_read_only_when_asked_for(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, data={"frame": np.zeros((4, 4), "u2"), "other": np.ones(3), "number": 1})
    with storage.session() as session, statements() as found:
        session.sequences.get_shot_parameters(PATH, 0)
        session.sequences.get_stats(PATH)
        assert session.sequences.get_shot_data_by_labels(PATH, 0, ["number"]) == {"number": 1}
    assert not [statement for statement in found if "arrays" in statement]
    with storage.session() as session, statements() as found:
        session.sequences.get_shot_data_by_labels(PATH, 0, ["frame"])
    (statement,) = [statement for statement in found if "arrays" in statement]
    assert "arrays.position IN" in statement


def test_columns_are_read_without_a_look_at_all_numbers(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        launch(session)
        record(session, parameters={"a": 1}, data={"number": 1})
    with storage.session() as session, statements() as found:
        session.sequences.get_columns(PATH, parameters=["a"], labels=["number"])
    assert not [statement for statement in found if " LIKE " in statement]


@pytest.mark.parametrize("frames", [1, 3])
def test_a_commit_takes_a_statement_for_each_array_and_six_more(
    storage: SQLStorageManager, frames: int
) -> None:
    with storage.session() as session:
        launch(session)
    data = {f"frame {number}": np.zeros((2, 2)) for number in range(frames)}
    with storage.session() as session:
        record(session, data=data)
    assert count(storage, lambda session: record(session, index=1, data=data)) <= 6 + frames
