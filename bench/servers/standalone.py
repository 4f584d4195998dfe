"""`modelport up` and its runtimes on one core, with an account and models in it."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.servers.signed_in import SignedIn
from bench.servers.starting import UNLIMITED, Server, free_port, serving


@dataclass(frozen=True)
class Standalone(SignedIn):
    """As an administrator."""

    server: Server


@contextmanager
def standalone(folder: Path, **more: str) -> Iterator[Standalone]:
    """`more`: of its environment variables."""
    port = free_port()
    limits = {f"MODELPORT_LIMIT_{name}": UNLIMITED for name in ("PREDICT", "REGISTER", "LOGIN", "UPLOAD")}
    environment = dict(os.environ, HOME=str(folder), XDG_CONFIG_HOME=str(folder / "config"), **limits, **more)
    program = str(Path(sys.executable).with_name("modelport"))
    command = [program, "up", "--port", str(port), "--data-dir", str(folder / "data")]
    with (
        serving("standalone", command, folder, port=port, ready="/readyz", environment=environment) as server,
        httpx.Client(base_url=f"http://{server.address}", timeout=90) as client,
    ):
        client.headers["Authorization"] = f"Bearer {_session(client)}"
        yield Standalone(client, server)


def _session(client: httpx.Client) -> str:
    account = {"email": "bench@example.com", "password": "B3nchmark-Passphrase"}
    client.post("/api/v1/auth/register", json=account).raise_for_status()
    token: str = client.post("/api/v1/auth/login", json=account).raise_for_status().json()["access_token"]
    return token
