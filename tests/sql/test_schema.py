"""The tables of a database: created, checked, and as the code believes them to be."""

import pickle
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, ExecutableDDLElement, create_engine, create_mock_engine, event, text

from shotstore import StorageError
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
    SQLStorageManager,
    schema,
)
from shotstore.sql.tables import metadata
from shotstore.testing.content import content
from shotstore.testing.experiments import create
from tests.postgresql import Server
from tests.sql.conftest import drop_database


def engine(storage: SQLStorageManager) -> Engine:
    """Another program's access to the database."""
    if isinstance(storage, PostgreSQLStorageManager):
        return create_engine(storage.config.url)
    assert isinstance(storage, SQLiteStorageManager)
    return create_engine(f"sqlite:///{storage.config.path}")


def set_version(storage: SQLStorageManager, version: str) -> None:
    access = engine(storage)
    with access.begin() as connection:
        connection.execute(text(f"UPDATE shotstore_version SET version_num = '{version}'"))
    access.dispose()


@pytest.mark.parametrize("dialect", ["postgresql", "sqlite"])
def test_the_tables_of_a_version_never_change(dialect: str) -> None:
    """Who changes tables raises the version, says what becomes of older ones, and adds a file."""
    statements: list[str] = []

    def note(statement: ExecutableDDLElement, *_: object) -> None:
        statements.append(str(statement.compile(printer)))

    printer = create_mock_engine(f"{dialect}://", note)
    metadata.create_all(printer, checkfirst=False)
    lines = [line.strip() for statement in statements for line in statement.splitlines()]
    expected = Path(__file__).parent / f"tables_{schema.VERSION}_{dialect}.sql"
    assert [line for line in lines if line] == expected.read_text("utf-8").splitlines()


def test_to_upgrade_again_changes_nothing(storage: SQLStorageManager) -> None:
    with storage.session() as session:
        create(session)
        before = content(session)
    storage.upgrade()
    with storage.session() as session:
        assert content(session) == before


def test_a_file_that_does_not_exist_is_not_created_by_looking(tmp_path: Path) -> None:
    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "a" / "new.db"))
    with pytest.raises(StorageError, match="shotstore upgrade"), storage.session() as session:
        session.paths.get_all_paths()
    assert list(tmp_path.iterdir()) == []
    storage.upgrade()
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()


@pytest.mark.parametrize("statements", [1, 2])
def test_tables_that_another_process_creates_during_the_look_belong_to_shotstore(
    tmp_path: Path, statements: int
) -> None:
    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "new.db"))
    access = engine(storage)
    seen: list[str] = []

    @event.listens_for(access, "after_cursor_execute")
    def create_the_tables(*arguments: object) -> None:
        seen.append(str(arguments[2]))
        if len(seen) == statements:
            storage.upgrade()

    with access.connect() as connection:
        assert schema.get_version(connection, "new.db") in (None, schema.VERSION)
        connection.rollback()
        assert schema.get_version(connection, "new.db") == schema.VERSION
    access.dispose()


def test_a_database_without_tables_says_what_to_do(bare_database: PostgreSQLConfig) -> None:
    storage = PostgreSQLStorageManager(bare_database)
    assert not storage.has_schema()
    with pytest.raises(StorageError, match="shotstore upgrade"), storage.session(write=True):
        pass
    storage.upgrade()
    assert storage.has_schema()
    with storage.session() as session:  # the same storage, which looks again
        create(session)


def test_another_version_is_a_clear_error(storage: SQLStorageManager) -> None:
    for version, remedy in (("0000", "with the older one"), ("9999", "install a newer version")):
        set_version(storage, version)
        fresh = pickle.loads(pickle.dumps(storage))
        with pytest.raises(StorageError, match=remedy), fresh.session() as session:
            session.get_global_parameters()
        with pytest.raises(StorageError, match=remedy):
            storage.upgrade()
        set_version(storage, schema.VERSION)
    with storage.session() as session:
        assert session.paths.get_all_paths() == set()


def test_a_database_of_another_encoding_is_refused(postgresql_server: Server) -> None:
    server = postgresql_server
    with server.connection() as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    config = PostgreSQLConfig(server.username, server.password, server.host, server.port, "latin")
    with pytest.raises(StorageError, match="ENCODING 'UTF8'"):
        PostgreSQLStorageManager(config).upgrade()
    drop_database(server, "latin")


def test_a_server_that_cannot_be_reached_is_named(postgresql_server: Server) -> None:
    server = postgresql_server
    for config in (
        PostgreSQLConfig("postgres", "x", server.host, 1, "shotstore"),
        PostgreSQLConfig("postgres", "wrong-password", server.host, server.port, "postgres"),
        PostgreSQLConfig(server.username, server.password, server.host, server.port, "nowhere"),
    ):
        storage = PostgreSQLStorageManager(config)
        with (
            pytest.raises(StorageError, match=f"{config.port}/{config.database}") as raised,
            storage.session() as session,
        ):
            session.paths.get_all_paths()
        assert "wrong-password" not in str(raised.value)


def test_a_file_that_is_not_a_database_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(b"these are notes, and no database\n" * 100)
    storage = SQLiteStorageManager(SQLiteConfig(path))
    for use in (storage.upgrade, storage.has_schema):
        with pytest.raises(StorageError, match="is not an SQLite database"):
            use()
    assert path.read_bytes() == b"these are notes, and no database\n" * 100


def state_of(path: Path) -> tuple[dict[str, bytes], str]:
    """All that lies beside a database of another program and in it, and its journal mode."""
    files = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with sqlite3.connect(path) as connection:
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    return files, mode


@pytest.mark.parametrize("mode", ["delete", "wal"])
@pytest.mark.parametrize(
    "tables",
    [
        ["CREATE TABLE notes (text TEXT)"],
        # An experiment control program with migrations of its own, and tables named as ours.
        [
            "CREATE TABLE alembic_version (version_num VARCHAR(32))",
            "INSERT INTO alembic_version VALUES ('038164d73465')",
            "CREATE TABLE sequences (id INTEGER PRIMARY KEY, path_id INTEGER)",
            "CREATE TABLE shots (id INTEGER PRIMARY KEY, sequence_id INTEGER)",
        ],
        ["CREATE TABLE x (a)", "CREATE VIEW writer AS SELECT 1", "DROP TABLE x"],
    ],
)
def test_a_file_of_another_program_is_recognised_before_it_is_touched(
    tmp_path: Path, tables: list[str], mode: str
) -> None:
    (tmp_path / "lab").mkdir()
    path = tmp_path / "lab" / "other.db"
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA journal_mode = {mode}")
    for statement in tables:
        connection.execute(statement)
    connection.commit()
    connection.close()
    before = state_of(path)
    storage = SQLiteStorageManager(SQLiteConfig(path))

    def read() -> None:
        with storage.session() as session:
            session.paths.get_all_paths()

    def write() -> None:
        with storage.session(write=True):
            pass

    for use in (storage.upgrade, storage.has_schema, storage.get_size, read, write):
        with pytest.raises(StorageError, match=r"other\.db belongs to another program"):
            use()
    storage._engines._get().dispose()
    assert state_of(path) == before


def test_a_database_of_another_program_on_a_server_is_recognised_before_it_is_touched(
    bare_database: PostgreSQLConfig, postgresql_server: Server
) -> None:
    with postgresql_server.connection(bare_database.database) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.execute("CREATE TABLE shots (id INTEGER PRIMARY KEY)")
    storage = PostgreSQLStorageManager(bare_database)
    for use in (storage.upgrade, storage.has_schema, storage.get_size):
        with pytest.raises(StorageError, match=r"another program.*\(alembic_version, shots\)"):
            use()
    with postgresql_server.connection(bare_database.database) as connection:
        tables = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        ).fetchone()
        assert tables == (2,)


def test_an_empty_file_becomes_a_storage(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "new.db"))
    with pytest.raises(StorageError, match="holds no experiments"), storage.session() as session:
        session.paths.get_all_paths()
    storage.upgrade()
    with storage.session() as session:
        create(session)


def test_tables_of_an_analysis_may_lie_beside_ours(sqlite: SQLiteStorageManager) -> None:
    with sqlite3.connect(sqlite.config.path) as connection:
        connection.execute("CREATE TABLE fits (shot INTEGER, fraction REAL)")
    connection.close()
    sqlite.upgrade()
    with sqlite.session() as session:
        create(session)
