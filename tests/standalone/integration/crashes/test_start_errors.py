"""What keeps the platform from starting: one clear line, exit code 1, and nothing touched."""

import os
import shutil
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.standalone.integration.crashes.killable import KillablePlatform, killable_platform, run_to_end

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
# A root without its capabilities is refused what permissions refuse to anybody.
_POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


@dataclass
class Attempt:
    """A start on a copy of a folder that was used before."""

    platform: KillablePlatform
    data: Path
    arguments: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)

    def refusal(self) -> str:
        """Return its one line, without "Error: "; check all that holds for every refusal."""
        before = contents(self.data)
        arguments = ["--data-dir", str(self.data), "--port", str(self.platform.port), *self.arguments]
        env = self.platform.environment(**{"MODELPORT_LOG_LEVEL": "WARNING"} | self.env)
        end = run_to_end(arguments, env)
        lines = end.stderr.splitlines()
        assert len(lines) == 1, end.stderr
        assert lines[0].startswith("Error: ")
        assert end.returncode == 1
        assert "is up" not in end.stdout
        assert contents(self.data) == before
        return lines[0].removeprefix("Error: ")


@pytest.fixture(scope="module")
def used() -> Iterator[KillablePlatform]:
    """A platform that ran once."""
    with killable_platform() as platform:
        platform.start()
        assert platform.stop() == 0
        yield platform


@pytest.fixture
def attempt(used: KillablePlatform) -> Iterator[Attempt]:
    data = used.home / "copy"
    shutil.copytree(used.data, data)
    yield Attempt(used, data)
    data.chmod(0o700)
    shutil.rmtree(data)


def test_a_port_in_use(attempt: Attempt) -> None:
    with socket.create_server(("127.0.0.1", attempt.platform.port)):
        assert f"127.0.0.1:{attempt.platform.port} is in use" in attempt.refusal()


def test_a_folder_that_may_not_be_made(attempt: Attempt) -> None:
    attempt.data.chmod(0o555)
    data = attempt.data / "new"
    powerless = _POWERLESS if os.geteuid() == 0 else []
    end = run_to_end(["--data-dir", str(data), "--port", "0"], attempt.platform.environment(), powerless)
    assert (end.returncode, end.stderr.count("\n")) == (1, 1), end.stderr
    assert end.stderr.startswith(f"Error: The data folder {data} cannot be used")


def test_a_second_platform_on_the_same_folder(attempt: Attempt) -> None:
    with killable_platform(attempt.data) as first:
        first.start()
        env = attempt.platform.environment(MODELPORT_LOG_LEVEL="WARNING")
        end = run_to_end(["--data-dir", str(attempt.data), "--port", "0"], env)
        assert (end.returncode, end.stderr.count("\n")) == (1, 1)
        assert f"Another platform runs on {attempt.data}" in end.stderr
        assert first.stop() == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modelport.db", b"no database" * 1000),
        ("cluster/cluster.db", b"no database" * 1000),
        ("admin.json", b"{"),
        ("admin.json", b'{"email": "admin@localhost"}'),
        ("keys.json", b"[1]"),
    ],
)
def test_a_damaged_file_is_named(attempt: Attempt, name: str, content: bytes) -> None:
    (attempt.data / name).write_bytes(content)
    assert str(attempt.data / name) in attempt.refusal()


def test_a_damaged_signing_key_is_named(attempt: Attempt) -> None:
    (key,) = (attempt.data / "signing-keys").iterdir()
    key.write_bytes(b"no key")
    assert str(key) in attempt.refusal()


@pytest.mark.parametrize("saved", ["{}", "[]", "nonsense"])
def test_a_saved_model_that_cannot_be_read_is_reported(attempt: Attempt, saved: str) -> None:
    file = attempt.data / "cluster" / "cluster.db"
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO models VALUES ('n', 'm', ?)", (saved,))
    assert str(file) in attempt.refusal()


def test_tls_files_that_are_none(attempt: Attempt) -> None:
    empty = attempt.platform.home / "empty.pem"
    empty.write_text("")
    attempt.arguments = ["--tls-cert", str(empty), "--tls-key", str(empty)]
    assert str(empty) in attempt.refusal()


def test_tls_files_that_are_not_there(attempt: Attempt) -> None:
    attempt.arguments = ["--tls-cert", "/nowhere/cert.pem", "--tls-key", "/nowhere/key.pem"]
    assert "/nowhere/cert.pem" in attempt.refusal()


def test_a_certificate_without_its_key(attempt: Attempt) -> None:
    attempt.arguments = ["--tls-cert", "/nowhere/cert.pem"]
    assert "--tls-key" in attempt.refusal()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MODELPORT_LIMIT_PREDICT", "many"),
        ("MODELPORT_LIMIT_UPLOAD", "10/fortnight"),
        ("MODELPORT_MAX_UPLOAD_BYTES", "-1"),
        ("MODELPORT_LOAD_TIMEOUT_SECONDS", "soon"),
        ("MODELPORT_RUNTIME_MEMORY_BYTES", "1"),
        ("MODELPORT_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_setting_that_is_none_is_named(attempt: Attempt, name: str, value: str) -> None:
    attempt.env = {name: value}
    assert name in attempt.refusal()


def contents(data: Path) -> dict[str, bytes]:
    """What must be as before: not the log, nor a run's own pids and sockets, new each time."""
    own = (data / "cluster" / "run", data / "logs")
    files = (path for path in data.rglob("*") if path.is_file() and not any(map(path.is_relative_to, own)))
    return {str(path): path.read_bytes() for path in files}
