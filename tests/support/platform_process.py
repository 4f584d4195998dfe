"""`modelport up` as a process of its own, with a home and a data folder that are its own too."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

PASSWORD = "Sensible-Passphrase-7"
# Generous: the machine may be busy with other tests.
START_SECONDS = 360
STOP_SECONDS = 120

_UNLIMITED = {
    f"MODELPORT_LIMIT_{name}": "100000/minute"
    for name in ("REGISTER", "LOGIN", "LOGIN_ELSEWHERE", "UPLOAD", "PREDICT")
}

_MEASURING = {"COVERAGE_PROCESS_CONFIG"}
"""Set while tests are run with --cov."""


class PlatformProcess:
    """`start` and `stop` may be called in turn; the port changes with each start, the data stays."""

    def __init__(self, home: Path, **env: str) -> None:
        self.home = home
        self.data = home / "data"
        self.url = ""
        self.output = ""
        self._env = env
        self._process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, "the platform was not started"
        return self._process

    def start(self, *arguments: str) -> "PlatformProcess":
        """Return when it says that it is up; `output` is what it printed until then."""
        self._process = self._launch(*arguments)
        self.output = _read_until_up(self.process)
        self.url = self.output.partition("Modelport is up at ")[2].split()[0]
        return self

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Return the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=STOP_SECONDS)
        return self.process.returncode

    def _launch(self, *arguments: str) -> subprocess.Popen[str]:
        return launch(self.home, self.data, *arguments, **self._env)

    def runtimes(self) -> list[int]:
        """The processes of models that the platform's data folder knows of."""
        pids = [int(entry.name) for entry in (self.data / "cluster" / "run" / "children").iterdir()]
        return [pid for pid in pids if b"modelport_runtime" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def admin_login(self) -> dict[str, str]:
        """`email` and `password` of the administrator that the first start made."""
        login: dict[str, str] = json.loads((self.data / "admin.json").read_text())
        return login

    def admin_token(self) -> str:
        return _log_in(self.url, **self.admin_login())

    def register_user(self) -> httpx.Client:
        """A new user's session. Its models go when it is left."""
        email = f"{uuid4().hex}@example.com"
        body = {"email": email, "password": PASSWORD}
        httpx.post(f"{self.url}/api/v1/auth/register", json=body, timeout=240).raise_for_status()
        headers = _authorization(_log_in(self.url, email, PASSWORD))
        return _Visit(base_url=self.url, headers=headers, timeout=360)

    def session(self, credential: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=_authorization(credential), timeout=360)


class _Visit(httpx.Client):
    """A session that takes its models along: each is two processes, probed for the rest of the run."""

    def __exit__(self, *error: Any) -> None:
        try:
            self._delete_models()
        finally:
            super().__exit__(*error)

    def _delete_models(self) -> None:
        try:
            listed = self.get("/api/v1/models?limit=100")
            for model in listed.json().get("items", []):
                self.delete(f"/api/v1/models/{model['id']}")
        except httpx.TransportError:
            return  # The test has ended the platform.


def _authorization(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


def launch(home: Path, data: Path, *arguments: str, **env: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("modelport")), "up", "--data-dir", str(data)]
    return subprocess.Popen(
        [*command, *(arguments if "--port" in arguments else ("--port", "0", *arguments))],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=(home / "stderr").open("a"),
        text=True,
        env={
            "PATH": os.defpath,
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            # Environments of models are made once for all runs, from what uv has fetched before.
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
            **_UNLIMITED,
            **env,
        },
    )


def measuring() -> dict[str, str]:
    """Return the environment in which a platform measures its coverage, and takes twice the time."""
    return {name: os.environ[name] for name in _MEASURING & os.environ.keys()}


def is_running(pid: int) -> bool:
    """Not a zombie that nobody has waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_ready(client: httpx.Client, model_id: str) -> None:
    model = settled(client, f"/api/v1/models/{model_id}")
    assert model["status"] == "ready", model


def settled(client: httpx.Client, path: str) -> dict[str, Any]:
    """Return a model or a version that is no longer pending. One request may not do on a busy machine: the
    API holds each for 60 s at most."""
    for _ in range(5):
        found: dict[str, Any] = client.get(path, params={"wait": 60}).raise_for_status().json()
        if found["status"] != "pending":
            break
    return found


def _log_in(url: str, email: str, password: str) -> str:
    body = {"email": email, "password": password}
    response = httpx.post(f"{url}/api/v1/auth/login", json=body, timeout=240).raise_for_status()
    return str(response.json()["access_token"])


def _read_until_up(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    printed, give_up_at = "", time.monotonic() + START_SECONDS
    while "--name" not in printed:
        line = process.stdout.readline()
        assert line, f"it ended with {process.wait()}: {printed}"
        assert time.monotonic() < give_up_at, f"it is not up: {printed}"
        printed += line
    return printed
