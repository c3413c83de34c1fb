"""A Ctrl-C in the midst of a call, which the block catches and goes on."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from sqlalchemy import Engine, event

from shotstore import StorageError
from shotstore.sql import SQLiteStorageManager, SQLStorageManager
from shotstore.testing.content import content
from shotstore.testing.exactness import exactly_equal
from shotstore.testing.experiments import create, launch, path, record

DATA = {"frame": np.zeros((2, 2)), "trace": np.ones(3)}


@contextmanager
def interrupt_at(start: str, number: int) -> Iterator[None]:
    """Press Ctrl-C when so many statements that begin like this were sent to a database."""
    left = number

    def press(_1: object, _2: object, statement: str, *_3: object) -> None:
        nonlocal left
        if statement.startswith(start):
            left -= 1
            if not left:
                raise KeyboardInterrupt

    event.listen(Engine, "before_cursor_execute", press)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", press)


@pytest.mark.parametrize(
    ("start", "number"),
    [("INSERT INTO shots", 1), ("INSERT INTO arrays", 1), ("INSERT INTO arrays", 2)],
)
def test_half_a_shot_is_never_committed(
    storage: SQLStorageManager, start: str, number: int
) -> None:
    with storage.session() as session:
        launch(session)
        record(session, index=0, data=DATA)
        before = content(session)
    with (  # noqa: PT012 - the end of the block raises
        pytest.raises(StorageError, match="failed while it was writing"),
        storage.session() as session,
    ):
        record(session, index=1, data=DATA)
        with pytest.raises(KeyboardInterrupt), interrupt_at(start, number):
            record(session, index=2, data=DATA)
        with pytest.raises(StorageError, match="failed while it was writing"):
            record(session, index=3, data=DATA)
    with storage.session() as session:
        assert exactly_equal(content(session), before)
        record(session, index=1, data=DATA)


def test_half_a_path_is_never_committed(storage: SQLStorageManager) -> None:
    with (  # noqa: PT012 - the end of the block raises
        pytest.raises(StorageError, match="failed while it was writing"),
        storage.session() as session,
    ):
        create(session)
        with pytest.raises(KeyboardInterrupt), interrupt_at("INSERT INTO paths", 2):
            create(session, path(r"\a\b\c"))
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()
        create(session, path(r"\a\b\c"))


@contextmanager
def interrupt_inside(start: str) -> Iterator[None]:
    """Press Ctrl-C while the database is at work on a statement that begins like this."""

    def press(_1: object, statement: str, *_2: object) -> None:
        if statement.startswith(start):
            signal.raise_signal(signal.SIGINT)

    event.listen(Engine, "do_execute", press)
    try:
        yield
    finally:
        event.remove(Engine, "do_execute", press)


def test_what_came_before_an_interrupted_read_is_not_committed(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        create(session)
    with (  # noqa: PT012 - the end of the block raises
        pytest.raises(StorageError, match="was interrupted"),
        storage.session() as session,
    ):
        session.paths.create_path(r"\new")
        with pytest.raises(KeyboardInterrupt), interrupt_inside("WITH RECURSIVE"):
            session.paths.get_all_paths()
        with pytest.raises(StorageError, match="was interrupted"):
            session.paths.get_all_paths()
    with storage.session() as session:
        assert not session.paths.does_path_exists(r"\new")


def test_an_interrupt_at_the_first_write_is_raised_as_it_is(sqlite: SQLiteStorageManager) -> None:
    with sqlite.session() as session:
        session.paths.get_all_paths()
        with pytest.raises(KeyboardInterrupt), interrupt_inside("DELETE FROM writer"):
            create(session)
    with sqlite.session() as session:
        create(session)
