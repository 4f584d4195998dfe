"""Starts what is measured, each pinned to one core, and stops it again."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

SERVER_CORE = 0
LOAD_CORE = 1
# Far above what can be sent: the bucket is taken from at every request, and never empty.
UNLIMITED = "1000000/second"
KEY = "mlp_live_" + "b" * 43
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Server:
    """`address`: `127.0.0.1:8000`. `pid`: of the process that was started, which may have others."""

    pid: int
    address: str

    def get(self, path: str) -> Any:
        return httpx.get(f"http://{self.address}{path}", timeout=30).raise_for_status().json()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def pinned(
    command: list[str], environment: dict[str, str], log: Path, core: int = SERVER_CORE, root: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` (and all that it starts) on one core, in the folder `root`, until the block ends."""
    before = os.sched_getaffinity(0)
    # Children inherit the affinity of who starts them.
    os.sched_setaffinity(0, {core})
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=output, stderr=output)
    os.sched_setaffinity(0, before)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serving(
    name: str,
    command: list[str],
    folder: Path,
    *,
    port: int,
    ready: str,
    environment: dict[str, str] | None = None,
    core: int = SERVER_CORE,
    root: Path = ROOT,
) -> Iterator[Server]:
    """Run a server until the block ends, which begins when `ready` (a path) is answered 200.

    Raises TimeoutError with the end of its log.
    """
    log = folder / f"{name}-{port}.log"
    own = dict(os.environ) if environment is None else environment
    with pinned(command, own, log, core, root) as process:
        server = Server(process.pid, f"127.0.0.1:{port}")
        try:
            wait_for(server, ready, process)
        except TimeoutError as error:
            raise TimeoutError(f"{name}: {error}\n{log.read_text()[-2000:]}") from None
        yield server


def wait_for(server: Server, path: str, process: subprocess.Popen[bytes], seconds: float = 90) -> None:
    """Raises TimeoutError; at once if the process has ended."""
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=f"http://{server.address}") as client:
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if client.get(path).status_code == 200:
                    return
            except httpx.TransportError:
                pass  # Not listening yet: that is what is waited for.
            time.sleep(0.01)
    raise TimeoutError(f"{server.address}{path} was not answered 200 within {seconds} s")


def module(name: str, *arguments: str) -> list[str]:
    """The command of one of this room's modules; it runs in the repository's root."""
    return [sys.executable, "-m", f"bench.servers.{name}", *arguments]


def constant(folder: Path) -> Any:
    port = free_port()
    return serving("constant", module("constant_server", str(port)), folder, port=port, ready="/")


def naive(model: Path, folder: Path) -> Any:
    """The hand-written FastAPI app."""
    port = free_port()
    command = module("naive_server", str(model), str(port))
    return serving("naive", command, folder, port=port, ready="/openapi.json")


def runtime(model: Path, folder: Path, **settings: str) -> Any:
    """The runtime alone, sandboxed. `settings`: more of MODELPORT_RUNTIME_…, such as acceleration="off"."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "MODELPORT_RUNTIME_MODEL": "iris",
        "MODELPORT_RUNTIME_VERSION": "v1",
        "MODELPORT_RUNTIME_FRAMEWORK": "sklearn",
        "MODELPORT_RUNTIME_ARTIFACT": str(model),
        "MODELPORT_RUNTIME_ARTIFACT_SHA256": sha256(model.read_bytes()).hexdigest(),
        "MODELPORT_RUNTIME_LISTEN": f"127.0.0.1:{port}",
        **{f"MODELPORT_RUNTIME_{name.upper()}": value for name, value in settings.items()},
    }
    command = [sys.executable, "-I", "-m", "modelport_runtime"]
    return serving("runtime", command, folder, port=port, ready="/readyz", environment=environment)


def stub_upstream(folder: Path) -> Any:
    """A model that answers a constant, on the load's core."""
    port = free_port()
    return serving("stub", module("stub_upstream", str(port)), folder, port=port, ready="/", core=LOAD_CORE)


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A real Redis on the load's core; gives its address."""
    from tests.support.redis_fixtures import redis_server_path

    port = free_port()
    command = [redis_server_path(), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    command += ["--appendonly", "no", "--maxmemory", "256mb", "--maxmemory-policy", "allkeys-lru"]
    with pinned([*command, "--dir", str(folder)], dict(os.environ), folder / "redis.log", LOAD_CORE):
        deadline = time.monotonic() + 10
        while not _listens(port):
            if time.monotonic() > deadline:
                raise TimeoutError("redis-server did not start within 10 s")
            time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def gateway(folder: Path, redis_url: str, routes: list[dict[str, Any]], root: Path = ROOT) -> Any:
    """`routes`: as gateway_process has them. `root`: of the checkout whose gateway it is."""
    port = free_port()
    table = folder / f"routes-{port}.json"
    table.write_text(json.dumps(routes))
    command = module("gateway_process", str(port), redis_url, str(table), KEY)
    # Before what this Python has installed, which is this checkout.
    paths = os.pathsep.join(str(root / each) for each in ("", "gateway", "libs", "crds"))
    own = os.environ | {"PYTHONPATH": paths}
    return serving("gateway", command, folder, port=port, ready="/readyz", environment=own, root=root)
