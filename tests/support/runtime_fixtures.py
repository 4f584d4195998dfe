"""Real runtime processes on unix sockets."""

import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.support.forked_runtimes import RuntimeForks, running_forks

START_SECONDS = 240
"""Generous: the machine may be busy with other tests."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("runtime", timeout=START_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(START_SECONDS)
        self.sock.connect(str(self._path))


class RuntimeProcess(Protocol):
    """What is used of `subprocess.Popen`."""

    pid: int
    returncode: int | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Runtime:
    """One `python -I -m modelport_runtime`, with everything it logs in `log`."""

    def __init__(self, process: RuntimeProcess, folder: Path) -> None:
        self.process = process
        self.socket = folder / "http.sock"
        self._log = folder / "log"
        self._folder = folder

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = self.get("/status").json
        return document

    def get(self, path: str) -> Reply:
        return self.request("GET", path)

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Reply:
        """Send JSON; bytes go as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", path, data, {"content-type": "application/json"} | (headers or {}))

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        connection = _UnixConnection(self.socket)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def listens(self) -> bool:
        """Return whether it can be connected to: its socket's file is there a moment before that."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def wait_until_started(self) -> "Runtime":
        """Wait until loading has ended, well or badly. Fails if the process ends first."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the runtime ended with {self.process.returncode}:\n{self.log}")
            try:
                if self.get("/startupz").status == 200:
                    return self
            except (ConnectionError, FileNotFoundError):
                pass
            time.sleep(0.02)
        raise AssertionError(f"the runtime did not start:\n{self.log}")

    def wait_until_ended(self) -> int:
        """Return the exit status, negative for a signal."""
        return self.process.wait(START_SECONDS)

    def stop(self) -> int:
        """Let it drain, as a supervisor does; give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(START_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


Launch = Callable[[dict[str, str], Path], RuntimeProcess]
"""Starts a runtime with an environment and a file for its output."""


def launch_whole(environment: dict[str, str], log: Path) -> RuntimeProcess:
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-I", "-m", "modelport_runtime"],
            env=environment | {"MODELPORT_RUNTIME_PARENT_PID": str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def start_runtime(
    artifact: Path, framework: str = "sklearn", launch: Launch = launch_whole, **env: str
) -> Runtime:
    """Start a runtime for the file. `env`: more variables, or other values for those set here."""
    # A short path of our own: a unix socket's address holds about 100 bytes.
    folder = Path(tempfile.mkdtemp(prefix="mp-rt-"))
    digest = hashlib.sha256(artifact.read_bytes()).hexdigest() if artifact.is_file() else "0" * 64
    environment = {
        "PATH": os.defpath,
        "MODELPORT_RUNTIME_MODEL": "iris",
        "MODELPORT_RUNTIME_VERSION": "v1",
        "MODELPORT_RUNTIME_FRAMEWORK": framework,
        "MODELPORT_RUNTIME_ARTIFACT": str(artifact),
        "MODELPORT_RUNTIME_ARTIFACT_SHA256": digest,
        "MODELPORT_RUNTIME_LISTEN": f"unix:{folder}/http.sock",
    } | env
    return Runtime(launch(environment, folder / "log"), folder)


def _started_with(launch: Launch) -> Iterator[Callable[..., Runtime]]:
    started: list[Runtime] = []

    def start(artifact: Path, framework: str = "sklearn", **env: str) -> Runtime:
        started.append(start_runtime(artifact, framework, launch, **env))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
def runtime() -> Iterator[Callable[..., Runtime]]:
    """Return `start_runtime`; what it started is killed after the test."""
    yield from _started_with(launch_whole)


@pytest.fixture(scope="session")
def _forks() -> Iterator[RuntimeForks]:
    with running_forks() as forks:
        yield forks


@pytest.fixture
def forked_runtime(_forks: RuntimeForks) -> Iterator[Callable[..., Runtime]]:
    """The same, ten times as fast: forks of one that has imported its libraries. See runtime_forks.py."""
    yield from _started_with(_forks.launch)
