"""What the children of the tests do, in processes of their own."""

import itertools
import sqlite3
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from shotstore.sql import SQLStorageManager
from shotstore.testing.experiments import create, path, record


def hold(parent: Connection, storage: SQLStorageManager) -> None:
    """Write something, and leave the block when told to."""
    with storage.session() as session:
        create(session, path(r"\held"))
        parent.send("writing")
        parent.recv()
    parent.send("committed")


def record_for_ever(parent: Connection, storage: SQLStorageManager, first: int) -> None:
    """Record one shot after the other, and say which are stored."""
    for index in itertools.count(first):
        with storage.session() as session:
            record(session, index=index, data={"frame": np.full((64, 64), index, "u2")})
        parent.send(index)


def add_shots(parent: Connection, storage: SQLStorageManager, indices: range) -> None:
    """Record these shots, each in a session of its own."""
    parent.send("ready")
    parent.recv()
    for index in indices:
        with storage.session() as session:
            record(session, index=index)
    parent.send("done")


def upgrade(parent: Connection, storage: SQLStorageManager) -> None:
    """Upgrade the database together with others."""
    parent.send("ready")
    parent.recv()
    storage.upgrade()
    parent.send("done")


def keep_to_oneself(parent: Connection, path: Path) -> None:
    """Keep all others from the file of a database until told to let go, as whoever recovers it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM writer")
    connection.execute("COMMIT")
    parent.send("locked")
    parent.recv()
    connection.close()
