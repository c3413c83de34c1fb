"""What is set on a SQLite database, and what happens to its file."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import create_engine, event, text

from shotstore import DamagedStorageError, StorageError
from shotstore.sql import SQLiteConfig, SQLiteStorageManager
from shotstore.sql.transaction import Transaction
from shotstore.testing.content import content
from shotstore.testing.experiments import PATH, create, launch, record


def pragma(storage: SQLiteStorageManager, name: str) -> object:
    with storage.session() as session:
        transaction = session._records_().transaction
        assert isinstance(transaction, Transaction)
        return transaction.read(
            lambda: transaction.connection.exec_driver_sql(f"PRAGMA {name}").scalar()
        )


def test_every_commit_is_on_the_disk(sqlite: SQLiteStorageManager) -> None:
    assert pragma(sqlite, "journal_mode") == "wal"
    assert pragma(sqlite, "synchronous") == 2  # FULL: the log is synced at each commit


def test_foreign_keys_are_on_for_this_database_alone(
    sqlite: SQLiteStorageManager, tmp_path: Path
) -> None:
    assert pragma(sqlite, "foreign_keys") == 1
    other = create_engine(f"sqlite:///{tmp_path / 'other.db'}")
    with other.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 0
    other.dispose()


def test_threads_wait_for_each_other_and_none_finds_the_database_locked(
    sqlite: SQLiteStorageManager,
) -> None:
    with sqlite.session() as session:
        launch(session, shots=None)
    start = threading.Barrier(4)

    def work(first: int) -> None:
        start.wait()
        for index in range(first, first + 15):
            with sqlite.session() as session:
                record(session, index=index)
            with sqlite.session() as session:
                session.sequences.get_shots(PATH)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(0, 400, 100)))
    with sqlite.session() as session:
        assert len(session.sequences.get_shots(PATH)) == 60


def test_a_full_disk_changes_nothing(sqlite: SQLiteStorageManager) -> None:
    with sqlite.session() as session:
        launch(session)
        before = content(session)
    engine = sqlite._engines._get()
    pages = sqlite.config.path.stat().st_size // 4096 + 20

    @event.listens_for(engine, "checkout")
    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StorageError, match="full"), sqlite.session() as session:  # noqa: PT012
        record(session, index=0)
        record(session, index=1, data={"large": bytes(2**20).hex()})
    with (  # noqa: PT012 - the end of the block raises
        pytest.raises(StorageError, match="failed while it was writing"),
        sqlite.session() as session,
    ):
        record(session, index=0)
        with pytest.raises(StorageError, match="disk is full"):
            record(session, index=1, data={"large": bytes(2**20).hex()})
    with sqlite.session() as session:
        assert content(session) == before
        record(session)


def test_a_damaged_file_is_told(sqlite: SQLiteStorageManager) -> None:
    with sqlite.session() as session:
        launch(session)
        for index in range(10):
            record(session, index=index)
    sqlite._engines._get().dispose()  # so that the log goes into the file
    raw = bytearray(sqlite.config.path.read_bytes())
    raw[4096:] = b"\xff" * (len(raw) - 4096)
    sqlite.config.path.write_bytes(raw)
    again = SQLiteStorageManager(sqlite.config)
    with pytest.raises(DamagedStorageError, match=r"store\.db"), again.session() as session:
        session.sequences.get_shots(PATH)


def test_any_name_of_a_file_is_that_file(tmp_path: Path) -> None:
    for name in ("a b.db", "a?mode=memory", "a#b", "100%41.db", "é.db"):
        storage = SQLiteStorageManager(SQLiteConfig(tmp_path / name))
        storage.upgrade()
        with storage.session() as session:
            create(session)
    assert {path.name for path in tmp_path.iterdir() if "-" not in path.name} == {
        "a b.db",
        "a?mode=memory",
        "a#b",
        "100%41.db",
        "é.db",
    }
