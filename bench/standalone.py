"""`modelport up` and its runtimes on one core, with an account and models in it."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from servers import UNLIMITED, Server, free_port, serving
from trained import Model


@dataclass(frozen=True)
class Standalone:
    """`client` has an administrator's session."""

    server: Server
    client: httpx.Client

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": self.client.headers["Authorization"]}

    def upload(self, model: Model) -> str:
        """Upload, wait until it answers, and give the model's id."""
        with model.path.open("rb") as file:
            answer = self.client.post(
                "/api/v1/models/upload", files={"file": file}, data={"name": model.name}
            )
        uploaded = answer.raise_for_status().json()
        ready: dict[str, Any] = (
            self.client.get(f"/api/v1/models/{uploaded['id']}?wait=60").raise_for_status().json()
        )
        if ready["status"] != "ready":
            raise RuntimeError(f"the model is {ready['status']}: {json.dumps(ready['message'])}")
        return str(ready["id"])


@contextmanager
def standalone(folder: Path) -> Iterator[Standalone]:
    port = free_port()
    limits = {f"MODELPORT_LIMIT_{name}": UNLIMITED for name in ("PREDICT", "REGISTER", "LOGIN", "UPLOAD")}
    environment = dict(os.environ, HOME=str(folder), XDG_CONFIG_HOME=str(folder / "config"), **limits)
    program = str(Path(sys.executable).with_name("modelport"))
    command = [program, "up", "--port", str(port), "--data-dir", str(folder / "data")]
    with (
        serving("standalone", command, folder, port=port, ready="/readyz", environment=environment) as server,
        httpx.Client(base_url=f"http://{server.address}", timeout=90) as client,
    ):
        client.headers["Authorization"] = f"Bearer {_session(client)}"
        yield Standalone(server, client)


def _session(client: httpx.Client) -> str:
    account = {"email": "bench@example.com", "password": "B3nchmark-Passphrase"}
    client.post("/api/v1/auth/register", json=account).raise_for_status()
    token: str = client.post("/api/v1/auth/login", json=account).raise_for_status().json()["access_token"]
    return token
