"""A server that goes away, or ends a connection."""

import os
from multiprocessing.connection import Connection

import pytest

from shotstore import CommitUncertainError, StorageError
from shotstore.sql import PostgreSQLStorageManager, SQLStorageManager
from shotstore.testing.experiments import PATH, create, path
from tests.postgresql import Server
from tests.processes.children import Child


def end_connections(server: Server) -> None:
    with server.connection("bare") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_session_whose_connection_is_lost_changes_nothing(
    postgresql: PostgreSQLStorageManager, postgresql_server: Server
) -> None:
    with pytest.raises(StorageError), postgresql.session() as session:  # noqa: PT012
        create(session)
        end_connections(postgresql_server)
        create(session, path(r"\second"))
    with postgresql.session() as session:
        assert session.paths.get_all_paths() == set()


def test_an_error_that_was_caught_does_not_make_half_a_commit(
    postgresql: PostgreSQLStorageManager, postgresql_server: Server
) -> None:
    with (  # noqa: PT012 - the end of the block raises
        pytest.raises(StorageError, match="failed while it was writing"),
        postgresql.session() as session,
    ):
        create(session)
        end_connections(postgresql_server)
        with pytest.raises(StorageError):
            create(session, path(r"\second"))
        with pytest.raises(StorageError, match="failed while it was writing"):
            session.paths.get_all_paths()
    with postgresql.session() as session:
        assert session.paths.get_all_paths() == set()


def test_a_connection_lost_at_the_commit_leaves_it_uncertain(
    postgresql: PostgreSQLStorageManager, postgresql_server: Server
) -> None:
    with pytest.raises(CommitUncertainError), postgresql.session() as session:  # noqa: PT012
        create(session)
        end_connections(postgresql_server)


def test_a_connection_lost_between_sessions_is_not_noticed(
    postgresql: PostgreSQLStorageManager, postgresql_server: Server
) -> None:
    for name in (r"\first", r"\second"):
        with postgresql.session() as session:
            create(session, path(name))
        end_connections(postgresql_server)
    with postgresql.session() as session:
        assert session.paths.get_all_paths() == {path(r"\first"), path(r"\second")}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_uses_connections_of_its_own(postgresql: PostgreSQLStorageManager) -> None:
    storage = postgresql
    with Child(fork_and_work, storage) as child:
        assert child.hear() == "refused"
        assert child.hear() == "done"
        child.finish()
    with storage.session() as session:
        assert session.paths.get_all_paths() == {PATH, PATH.parent, path(r"\child")}


def fork_and_work(parent: Connection, storage: SQLStorageManager) -> None:
    with storage.session() as session:
        session.paths.get_all_paths()  # a connection is open
    with storage.session() as session:
        session.paths.get_all_paths()
        pid = os.fork()
        if pid == 0:
            try:
                with pytest.raises(StorageError, match="forked"):
                    session.paths.get_all_paths()
                parent.send("refused")
                with storage.session() as own:
                    create(own, path(r"\child"))
            finally:
                os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    with storage.session() as session:
        create(session)
    parent.send("done")
