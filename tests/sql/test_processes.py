"""Many processes on one database, some of which are killed."""

import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import numpy as np
import pytest

from shotstore import (
    PureSequencePath,
    ShotId,
    State,
    StorageError,
    StorageLockTimeoutError,
    TransactionConflictError,
)
from shotstore.model import ParameterNamespace
from shotstore.sql import (
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
    SQLStorageManager,
)
from shotstore.testing.experiments import PATH, create, launch, path, record
from tests.postgresql import Server
from tests.processes.children import Child
from tests.sql import workers
from tests.sql.conftest import drop_database

pytestmark = pytest.mark.exhaustive


def test_a_writer_waits_for_that_of_another_process(storage: SQLStorageManager) -> None:
    with Child(workers.hold, storage) as child:
        assert child.hear() == "writing"
        with pytest.raises(StorageLockTimeoutError), impatient(storage).session() as session:
            create(session)
        with storage.session() as session:  # readers wait for nobody, and see what is committed
            assert session.paths.get_all_paths() == set()
        child.tell()
        with storage.session() as session:
            create(session)
        assert child.hear() == "committed"
    with storage.session() as session:
        assert session.paths.get_all_paths() == {PATH, PATH.parent, path(r"\held")}


def test_a_server_knows_who_keeps_the_others_waiting(postgresql: PostgreSQLStorageManager) -> None:
    with Child(workers.hold, postgresql) as child:
        child.hear()
        holder = re.escape(f"shotstore, process {child.pid} on ")
        with (
            pytest.raises(StorageLockTimeoutError, match=holder),
            impatient(postgresql).session() as session,
        ):
            create(session)


def test_a_killed_writer_leaves_nothing_behind(storage: SQLStorageManager) -> None:
    with Child(workers.hold, storage) as child:
        child.hear()
        child.kill()
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()
        create(session)


def test_what_a_killed_recorder_was_told_is_stored(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    stored = 0
    for _ in range(3):
        with Child(workers.record_for_ever, storage, stored) as child:
            for _ in range(5):
                child.hear()
            child.kill()
            acknowledged = stored + 5 + len(child.hear_all())
        with storage.session() as session:
            shots = [shot.index for shot in session.sequences.get_shots(PATH)]
            assert shots == list(range(len(shots)))
            stored = len(shots)
            assert stored in (acknowledged, acknowledged + 1)  # one may have been on its way
            for index in shots:
                data = session.sequences.get_all_shot_data(PATH, index)
                np.testing.assert_array_equal(data["frame"], np.full((64, 64), index))


def test_no_shot_of_many_recorders_is_lost(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        launch(session, shots=None)
    ranges = [range(first, first + 20) for first in (0, 20, 40)]
    with (
        Child(workers.add_shots, storage, ranges[0]) as one,
        Child(workers.add_shots, storage, ranges[1]) as two,
        Child(workers.add_shots, storage, ranges[2]) as three,
    ):
        for child in (one, two, three):
            assert child.hear() == "ready"
        for child in (one, two, three):
            child.tell()
        for child in (one, two, three):
            assert child.hear() == "done"
    with storage.session() as session:
        shots = session.sequences.get_shots(PATH)
    assert sorted(shots) == [ShotId(PATH, index) for index in range(60)]


def test_two_sessions_that_each_read_what_the_other_writes_do_not_both_commit(
    storage: SQLStorageManager,
) -> None:
    """Each may launch a sequence if the other one has not been: together they must not."""
    with storage.session() as session:
        create(session, path(r"\a"))
        create(session, path(r"\b"))
    other = pickle.loads(pickle.dumps(storage))

    with pytest.raises(TransactionConflictError), storage.session() as late:  # noqa: PT012
        assert not late.sequences.get_sequences_in_state(State.PREPARING)
        with other.session() as early:
            assert not early.sequences.get_sequences_in_state(State.PREPARING)
            early.sequences.set_preparing(path(r"\a"), {}, ParameterNamespace.empty())
        late.sequences.set_preparing(path(r"\b"), {}, ParameterNamespace.empty())
    with storage.session() as session:
        assert session.sequences.get_sequences_in_state(State.PREPARING) == {path(r"\a")}


def test_long_work_on_a_server_keeps_no_recorder_waiting(
    postgresql: PostgreSQLStorageManager,
) -> None:
    with postgresql.session() as session:
        launch(session, shots=None)
    with postgresql.receiving() as receive, receive(path(r"\copied")) as long:
        create(long, path(r"\copied"))
        for index in range(5):
            with impatient(postgresql).session() as session:
                record(session, index=index)
        with postgresql.session() as reader:
            assert not reader.paths.does_path_exists(path(r"\copied"))
    with postgresql.session() as session:
        assert session.sequences.is_sequence(path(r"\copied"))
        assert len(session.sequences.get_shots(PATH)) == 5


def impatient(storage: SQLStorageManager) -> SQLStorageManager:
    """The same database, without waiting."""
    assert isinstance(storage, SQLiteStorageManager | PostgreSQLStorageManager)
    return type(storage)(storage.config, lock_timeout=0)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_many_may_set_up_a_database_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    storage: SQLStorageManager
    if kind == "sqlite":
        storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "new.db"))
    else:
        storage = PostgreSQLStorageManager(request.getfixturevalue("bare_database"))
    with Child(workers.upgrade, storage) as one, Child(workers.upgrade, storage) as two:
        for child in (one, two):
            assert child.hear() == "ready"
        with ThreadPoolExecutor(4) as threads:
            for child in (one, two):
                child.tell()
            list(threads.map(lambda _: storage.upgrade(), range(4)))
        for child in (one, two):
            assert child.hear() == "done"
    with storage.session() as session:
        create(session)


def test_a_file_that_another_process_has_to_itself_is_waited_for(
    sqlite: SQLiteStorageManager,
) -> None:
    with sqlite.session() as session:
        create(session)
    sqlite._engines._get().dispose()
    with Child(workers.keep_to_oneself, sqlite.config.path) as child:
        assert child.hear() == "locked"
        with (
            pytest.raises(StorageLockTimeoutError, match="another program"),
            impatient(sqlite).session() as session,
        ):
            session.paths.get_all_paths()
        fresh = pickle.loads(pickle.dumps(sqlite))
        with ThreadPoolExecutor(2) as threads:
            waiting = [
                threads.submit(read_all_paths, fresh, write=write) for write in (False, True)
            ]
            with pytest.raises(TimeoutError):
                waiting[0].result(timeout=0.3)
            child.tell()
            assert [read.result() for read in waiting] == [{PATH, PATH.parent}] * 2


def read_all_paths(storage: SQLStorageManager, *, write: bool) -> set[PureSequencePath]:
    with storage.session(write=write) as session:
        return session.paths.get_all_paths()


def test_the_writer_of_another_database_is_not_taken_for_the_holder(
    postgresql: PostgreSQLStorageManager, postgresql_server: Server
) -> None:
    """A database that was copied from this one has tables of the same numbers."""
    postgresql._engines._get().dispose()
    with postgresql_server.connection() as connection:
        connection.execute("CREATE DATABASE twin TEMPLATE bare")
    twin = PostgreSQLStorageManager(attrs.evolve(postgresql.config, database="twin"))
    try:
        with Child(workers.hold, postgresql) as child, Child(workers.hold, twin) as other:
            assert child.hear() == other.hear() == "writing"
            holder = re.escape(f"process {child.pid} on ")
            with (
                pytest.raises(StorageLockTimeoutError, match=holder),
                impatient(postgresql).session() as session,
            ):
                create(session)
    finally:
        drop_database(postgresql_server, "twin")


def test_who_may_only_read_is_told_whom_to_ask(
    postgresql: PostgreSQLStorageManager, postgresql_server: Server
) -> None:
    with postgresql.session() as session:
        create(session)
    with postgresql_server.connection("bare") as connection:
        connection.execute("CREATE ROLE reader LOGIN PASSWORD 'office'")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    account = attrs.evolve(postgresql.config, username="reader", password="office")
    office = PostgreSQLStorageManager(account)
    try:
        assert read_all_paths(office, write=False) == {PATH, PATH.parent}
        with pytest.raises(StorageError, match="does not let reader do this"):
            read_all_paths(office, write=True)
    finally:
        with postgresql_server.connection("bare") as connection:
            connection.execute("DROP OWNED BY reader")
            connection.execute("DROP ROLE reader")
