"""`os.fork` while a session on a database is open: the parent goes on, the child begins anew."""

import gc
import os
import pickle
import sys
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest

from shotstore import ExperimentSession, StorageError, StorageLockTimeoutError
from shotstore.sql import PostgreSQLStorageManager, SQLiteStorageManager, SQLStorageManager
from shotstore.testing.experiments import PATH, create, launch, path, record
from tests.processes.children import Child, run_interpreter

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork"),
]

LARGE = 4_000_000
"""Bytes of a shot: more than SQLite keeps in memory until it commits."""

ends = pytest.mark.parametrize("end", ["leave", "exit"])


def begin(session: ExperimentSession) -> None:
    launch(session, shots=None)
    record(session, index=0, data={"trace": np.arange(LARGE // 8)})


def go_on(session: ExperimentSession) -> None:
    trace = session.sequences.get_all_shot_data(PATH, 0)["trace"]
    np.testing.assert_array_equal(trace, np.arange(LARGE // 8))
    record(session, index=1)


def use_inherited(session: ExperimentSession) -> None:
    for use in (session.paths.get_all_paths, lambda: create(session, path(r"\of the child"))):
        with pytest.raises(StorageError, match="forked"):
            use()


def use_own(storage: SQLStorageManager) -> None:
    if isinstance(storage, SQLiteStorageManager):
        for opened in (storage, impatient(storage)):
            with pytest.raises(StorageError, match="forked while"), opened.session() as session:
                session.paths.get_all_paths()
        return
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()
    locked = pytest.raises(StorageLockTimeoutError, match=f"process {os.getppid()} on")
    with locked, impatient(storage).session(write=True):
        pass


def impatient(storage: SQLStorageManager) -> SQLStorageManager:
    """The same database, without waiting."""
    kind: Any = type(storage)
    opened: SQLStorageManager = kind(storage.config, serializer=storage.serializer, lock_timeout=0)
    return opened


def fork_and_wait(_: Connection | None, storage: SQLStorageManager, end: str) -> None:
    """The child ends first, in some way, while the session of the parent is open."""
    pid = -1
    try:
        with storage.session() as session:
            begin(session)
            pid = os.fork()
            if pid:
                assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
                go_on(session)
            else:
                use_inherited(session)
                use_own(storage)
                if end == "exit":
                    sys.exit(0)
    except StorageError as error:
        is_as_expected = pid == 0 and "forked" in str(error)
        del session, error
        gc.collect()
        os._exit(not is_as_expected)


@ends
def test_a_forked_child_that_ends_first_changes_nothing(
    storage: SQLStorageManager, end: str
) -> None:
    run_interpreter(fork_and_wait, None, storage, end)
    with impatient(storage).session(write=True) as session:
        assert [shot.index for shot in session.sequences.get_shots(PATH)] == [0, 1]
        record(session, index=2)


def fork_and_record(parent: Connection, storage: SQLStorageManager) -> None:
    """Outside of sessions; the parent goes on at the same time, and ends first."""
    with storage.session() as session:
        launch(session, shots=None)
    if os.fork():
        with storage.session() as session:
            record(session, index=0)
        return
    parent.recv()
    with storage.session() as session:
        record(session, index=1)
    with storage.session(write=True) as session:
        parent.send([shot.index for shot in session.sequences.get_shots(PATH)])
    os._exit(0)


def test_a_child_that_was_forked_between_sessions_records_too(storage: SQLStorageManager) -> None:
    with Child(fork_and_record, storage) as process:
        process.finish()
        process.tell()
        assert process.hear() == [0, 1]
    with pickle.loads(pickle.dumps(storage)).session() as session:
        assert len(session.sequences.get_shots(PATH)) == 2


def fork_in_a_session(parent: Connection, storage: SQLStorageManager) -> None:
    try:
        with storage.session() as session:
            begin(session)
            if os.fork():
                go_on(session)
                return
            parent.recv()
    except StorageError:  # at the end of the block: it is the session of the parent
        with storage.session() as own:
            record(own, index=2)
        with storage.session(write=True) as own:
            parent.send([shot.index for shot in own.sequences.get_shots(PATH)])
        os._exit(0)


def test_a_child_that_was_forked_in_a_session_writes_in_one_of_its_own(
    postgresql: PostgreSQLStorageManager,
) -> None:
    with Child(fork_in_a_session, postgresql) as process:
        process.finish()
        process.tell()
        assert process.hear() == [0, 1, 2]
