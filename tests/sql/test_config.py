"""Where a database is: from arguments, from a URL, from a file."""

from pathlib import Path

import pytest

from shotstore.sql import PostgreSQLConfig, PostgreSQLStorageManager, SQLiteConfig

PASSWORD = "p@ss:w/o#rd %41?&é"
SERVER = PostgreSQLConfig("lab", PASSWORD, "db.lab", 5433, "runs")
TOML = """\
username = "lab"
password = "p@ss:w/o#rd %41?&é"
host = "db.lab"
port = 5433
database = "runs"
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["a.toml", "A.TOML"])
def test_a_server_is_read_from_a_file(tmp_path: Path, name: str) -> None:
    assert PostgreSQLConfig.from_file(write(tmp_path / name, TOML)) == SERVER


def test_port_and_database_may_be_left_out(tmp_path: Path) -> None:
    text = 'username = "lab"\npassword = ""\nhost = "db"\n'
    found = PostgreSQLConfig.from_file(write(tmp_path / "a.toml", text))
    assert found == PostgreSQLConfig("lab", "", "db", 5432, "shotstore")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", TOML.replace("host", "hots"), "lacks host and holds hots"),
        ("a.toml", "port = 1", "lacks username, password, host"),
        ("a.toml", TOML.replace("5433", '"5433"'), "port"),
        ("a.toml", TOML.replace("5433", "70000"), "port"),
        ("a.toml", "= broken", "line 1"),
        ("a.toml", "", "the keys are username, password"),
        ("a.yaml", "username: lab", r"a\.yaml must be a TOML file"),
    ],
)
def test_what_is_not_a_server_is_refused(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as raised:
        PostgreSQLConfig.from_file(write(tmp_path / name, text))
    assert "p@ss" not in str(raised.value)


def test_a_server_is_read_from_a_url() -> None:
    text = "postgresql://lab:p%40ss%3Aw%2Fo%23rd%20%2541%3F%26%C3%A9@db.lab:5433/runs"
    assert PostgreSQLConfig.from_url(text) == SERVER
    assert PostgreSQLConfig.from_url("postgresql://lab@db/runs") == PostgreSQLConfig(
        "lab", "", "db", 5432, "runs"
    )


@pytest.mark.parametrize(
    "text",
    [
        "mysql://lab:secret@db/runs",
        "postgresql://db/runs",
        "postgresql://lab:secret@db",
        "postgresql://lab:secret@db/runs?sslmode=off",
        "postgresql://lab:secret@db:x/runs",
        "lab:secret@db",
    ],
)
def test_what_is_not_a_url_is_refused_without_showing_a_password(text: str) -> None:
    with pytest.raises(ValueError, match="postgresql://username:password@host") as raised:
        PostgreSQLConfig.from_url(text)
    assert "secret" not in str(raised.value)


def test_a_password_is_not_shown() -> None:
    storage = PostgreSQLStorageManager(SERVER)
    assert PASSWORD not in repr(SERVER) + repr(storage) + str(SERVER.url)
    assert "db.lab:5433/runs" in repr(storage)


def test_the_file_of_sqlite_is_read_from_a_url_and_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = SQLiteConfig(tmp_path / "my runs.db")
    assert SQLiteConfig("my runs.db") == expected
    assert SQLiteConfig.from_url("sqlite:///my runs.db") == expected
    assert SQLiteConfig.from_url(f"sqlite:///{tmp_path}/my runs.db") == expected
    config = write(tmp_path / "a.toml", 'path = "my runs.db"')
    monkeypatch.chdir("/")
    assert SQLiteConfig.from_file(config) == expected


@pytest.mark.parametrize("text", ["sqlite://", "sqlite://host/x.db", "postgresql://a@b/c", "x.db"])
def test_what_names_no_file_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///runs\.db"):
        SQLiteConfig.from_url(text)


def test_a_path_in_a_file_is_a_text(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="path"):
        SQLiteConfig.from_file(write(tmp_path / "a.toml", "path = 3"))
