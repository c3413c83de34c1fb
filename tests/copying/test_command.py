"""The commands `copy` and `upgrade`, as a person types them."""

import re
import sqlite3
from pathlib import Path
from urllib.parse import quote

import pytest

from shotstore import PureSequencePath, State
from shotstore.hdf5 import HDF5StorageManager
from shotstore.sql import (
    PostgreSQLConfig,
    PostgreSQLStorageManager,
    SQLiteConfig,
    SQLiteStorageManager,
)
from shotstore.testing import exactly_equal, serializer
from shotstore.testing.experiments import PATH, bring_to, path
from tests.copying.lab import everything, populate
from tests.shell import Shell


@pytest.fixture
def shell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Shell:
    """A shell in a directory with a store `lab`, in which two sequences have ended."""
    with HDF5StorageManager(tmp_path / "lab", serializer=serializer()).session() as session:
        bring_to(session, State.FINISHED)
        bring_to(session, State.CRASHED, path(r"\2026\zeeman"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(capsys, monkeypatch)


def everything_in(directory: Path) -> dict[str, object]:
    return everything(HDF5StorageManager(directory, serializer=serializer()))


def test_a_store_is_copied_to_a_directory_that_becomes_one(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for place in ("empty", "new"):
        said = shell.run("copy", "lab", place)
        assert (shell.code, shell.error) == (0, "")
        assert said.startswith("Copied 2 sequences with 2 shots: ")
        assert re.fullmatch(r".* in \S+ s, \d[\d.]{0,4} [kM]B/s\.\n", said)
        assert exactly_equal(everything_in(tmp_path / place), everything_in(tmp_path / "lab"))


def test_a_store_goes_to_a_database_and_back(shell: Shell, tmp_path: Path) -> None:
    populate(HDF5StorageManager(tmp_path / "full", serializer=serializer()))
    shell.run("copy", "full", "sqlite:///runs.db")
    assert shell.code == 0
    shell.run("copy", f"sqlite:///{tmp_path}/runs.db", "back")
    assert shell.code == 0
    assert exactly_equal(everything_in(tmp_path / "back"), everything_in(tmp_path / "full"))


def test_a_server_is_named_by_a_url_with_any_password(
    shell: Shell, tmp_path: Path, postgresql_config: PostgreSQLConfig
) -> None:
    config = postgresql_config
    url = (
        f"postgresql://{config.username}:{quote(config.password, safe='')}"
        f"@{config.host}:{config.port}/{config.database}"
    )
    shell.run("copy", "lab", url)
    assert (shell.code, shell.error) == (0, "")
    server = PostgreSQLStorageManager(config, serializer=serializer())
    assert exactly_equal(everything(server), everything_in(tmp_path / "lab"))
    assert shell.run("upgrade", url) == "The database is up to date.\n"
    said = shell.run("copy", url, "sqlite:///runs.db") + shell.error
    assert shell.code == 0
    assert config.password not in said
    shell.run("copy", "lab", url.replace(quote(config.password, safe=""), "wrong"))
    assert shell.code == 1
    assert shell.error.count("\n") == 1
    assert "wrong" not in shell.error


def test_a_part_is_copied(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("copy", "lab", "new", "2026/rabi").startswith("Copied 1 sequence with 1 shot:")
    assert everything_in(tmp_path / "new").keys() >= {str(PATH)}
    shell.run("copy", "lab/sequences/2026", "parts", r"\zeeman")
    assert shell.code == 0
    with HDF5StorageManager(tmp_path / "parts").session() as session:
        assert session.paths.get_all_paths() == {path(r"\zeeman")}


def test_a_copy_goes_on_that_was_interrupted(shell: Shell) -> None:
    shell.run("copy", "lab", "new", "2026/rabi")
    shell.run("copy", "lab", "new")
    assert shell.code == 1
    assert "--existing skip" in shell.error
    said = shell.run("copy", "lab", "new", "--existing", "skip")
    assert shell.code == 0
    assert said.startswith("Copied 1 sequence with 1 shot: ")
    assert said.endswith("In the destination already: 1 sequence.\n")
    assert "No sequence was copied." in shell.run("copy", "lab", "new", "--existing", "skip")


def test_what_was_left_out_is_said(shell: Shell, tmp_path: Path) -> None:
    with HDF5StorageManager(tmp_path / "lab", serializer=serializer()).session() as session:
        bring_to(session, State.RUNNING, path(r"\2026\running"))
    said = shell.run("copy", "lab", "new")
    assert shell.code == 0
    assert said.endswith(
        "Left out: 1 sequence\n  \\2026\\running: an experiment is working on it\n"
    )
    shell.run("copy", "lab", "new", "2026/running")
    assert shell.code == 1
    assert "is running: interrupt it before copying it" in shell.error


def test_what_could_not_be_copied_is_said(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "lab" / "sequences" / "2026" / "rabi" / "shots.h5").unlink()
    said = shell.run("copy", "lab", "new")
    assert shell.code == 1
    assert said.startswith("Copied 1 sequence with 1 shot: ")
    assert "Not copied: 1 sequence\n  \\2026\\rabi: " in said
    assert "shots.h5 is missing" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("copy", "nowhere", "new"), "does not exist, and a store is a directory"),
        (("copy", "lab", "new", "2026/rabbi"), "closest one is"),
        (("copy", "lab", "lab"), "into itself"),
        (("copy", "lab", "."), "is not a store"),
        (("copy", "lab", "mysql://host/x"), "is not a database that shotstore knows"),
        (("copy", "lab", "sqlite://"), "does not name a file"),
        (("copy", "lab", "postgresql://host"), "must be like"),
        (("copy", "sqlite:///none.db", "new"), "does not exist"),
        (("copy", "lab", "postgresql://a:secret@127.0.0.1:1/b"), "127.0.0.1"),
        (("upgrade", "lab"), "never upgraded"),
    ],
)
def test_an_error_is_one_line(
    shell: Shell, arguments: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    assert shell.run(*arguments) == ""
    assert shell.code == 1
    assert shell.error.startswith("shotstore: ")
    assert shell.error.count("\n") == 1
    assert message in shell.error
    assert "secret" not in shell.error
    assert not (tmp_path / "new").exists()


def test_a_database_is_set_up_once(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("upgrade", "sqlite:///runs.db") == "The database was set up.\n"
    assert shell.run("upgrade", "sqlite:///runs.db") == "The database is up to date.\n"
    storage = SQLiteStorageManager(SQLiteConfig(tmp_path / "runs.db"))
    with storage.session() as session:
        assert session.sequences.get_contained_sequences(PureSequencePath.root()) == set()


def test_tables_of_another_version_are_left_alone(shell: Shell, tmp_path: Path) -> None:
    shell.run("upgrade", "sqlite:///runs.db")
    for version, remedy in (("0000", "with the older one"), ("9999", "install a newer version")):
        with sqlite3.connect(tmp_path / "runs.db") as connection:
            connection.execute("UPDATE shotstore_version SET version_num = ?", [version])
        connection.close()
        shell.run("copy", "lab", "sqlite:///runs.db")
        assert shell.code == 1
        assert remedy in shell.error
        assert shell.error.count("\n") == 1
