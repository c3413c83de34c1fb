"""A Ctrl-C in the midst of a call, which the block catches and goes on."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from sqlalchemy import Engine, event

from shotstore import StorageError
from shotstore.sql import SQLStorageManager
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
