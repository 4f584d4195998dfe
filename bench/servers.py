"""Starts what is measured, each pinned to one core, and stops it again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

SERVER_CORE = {0}
LOAD_CORE = {1}
# Far above what can be sent: the bucket is taken from at every request, and never empty.
UNLIMITED = "1000000/second"


@contextmanager
def pinned(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` (and all that it starts) on the server's core until the block ends."""
    # Children inherit the affinity of who starts them.
    os.sched_setaffinity(0, SERVER_CORE)
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    os.sched_setaffinity(0, LOAD_CORE)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def wait_for(client: httpx.Client, path: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if client.get(path).status_code < 500:
                return
        except httpx.TransportError:
            pass  # Not listening yet: that is what is waited for.
        time.sleep(0.05)
    raise TimeoutError(f"{client.base_url}{path} did not answer within {seconds} s")


@contextmanager
def naive(model: Path, folder: Path) -> Iterator[str]:
    """The hand-written FastAPI app; gives its address."""
    port = "18099"
    command = [sys.executable, str(Path(__file__).with_name("naive_server.py")), str(model), port]
    with pinned(command, dict(os.environ), folder / "naive.log"):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            wait_for(client, "/docs")
        yield f"127.0.0.1:{port}"


@contextmanager
def runtime(model: Path, folder: Path) -> Iterator[str]:
    """The runtime alone, sandboxed, on a unix socket; gives its address."""
    socket = folder / "runtime.sock"
    environment = {
        "PATH": os.environ["PATH"],
        "MODELPORT_RUNTIME_MODEL": "iris",
        "MODELPORT_RUNTIME_VERSION": "v1",
        "MODELPORT_RUNTIME_FRAMEWORK": "sklearn",
        "MODELPORT_RUNTIME_ARTIFACT": str(model),
        "MODELPORT_RUNTIME_ARTIFACT_SHA256": sha256(model.read_bytes()).hexdigest(),
        "MODELPORT_RUNTIME_LISTEN": f"unix:{socket}",
    }
    with pinned([sys.executable, "-I", "-m", "modelport_runtime"], environment, folder / "runtime.log"):
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://runtime"
        ) as client:
            wait_for(client, "/readyz")
        yield f"unix:{socket}"


@contextmanager
def platform(folder: Path) -> Iterator[httpx.Client]:
    """`modelport up` with its runtimes on the same core; gives a client with an admin session."""
    port = "18098"
    environment = dict(
        os.environ,
        HOME=str(folder),
        XDG_CONFIG_HOME=str(folder / "config"),
        MODELPORT_LIMIT_PREDICT=UNLIMITED,
        MODELPORT_LIMIT_REGISTER=UNLIMITED,
        MODELPORT_LIMIT_LOGIN=UNLIMITED,
        MODELPORT_LIMIT_UPLOAD=UNLIMITED,
    )
    program = str(Path(sys.executable).with_name("modelport"))
    command = [program, "up", "--port", port, "--data-dir", str(folder / "data")]
    with (
        pinned(command, environment, folder / "platform.log"),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        wait_for(client, "/readyz")
        client.headers["Authorization"] = f"Bearer {_session(client)}"
        yield client


def _session(client: httpx.Client) -> str:
    account = {"email": "bench@example.com", "password": "B3nchmark-Passphrase"}
    client.post("/api/v1/auth/register", json=account).raise_for_status()
    token: str = client.post("/api/v1/auth/login", json=account).raise_for_status().json()["access_token"]
    return token


def upload(client: httpx.Client, model: Path) -> dict[str, Any]:
    """Upload, wait until it answers, and give the model."""
    with model.open("rb") as file:
        answer = client.post("/api/v1/models/upload", files={"file": file}, data={"name": "iris"})
    uploaded = answer.raise_for_status().json()
    ready: dict[str, Any] = client.get(f"/api/v1/models/{uploaded['id']}?wait=60").raise_for_status().json()
    if ready["status"] != "ready":
        raise RuntimeError(f"the model is {ready['status']}: {json.dumps(ready['message'])}")
    return ready
