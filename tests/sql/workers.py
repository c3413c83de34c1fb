"""What the children of the tests do, in processes of their own."""

import itertools
from multiprocessing.connection import Connection

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
