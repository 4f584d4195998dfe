"""`/healthz`, `/readyz` and `/metrics` of the process."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from modelport_http.server import Server
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

_OK = b'{"status":"ok"}'
_STOPPING = b'{"status":"stopping"}'
_NOTHING = b'{"status":404,"detail":"There are /healthz, /readyz and /metrics."}'
_JSON = "application/json"


class CannotListen(Exception):
    """The address is taken, or none of this machine."""


class Health:
    """Ready from the first moment, leader or not: a standby that were not would hold up a rollout."""

    def __init__(self) -> None:
        self.stopping = False

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            status, media_type, body = self._respond(scope["path"])
            headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _respond(self, path: str) -> tuple[int, str, bytes]:
        match path:
            case "/healthz":
                return 200, _JSON, _OK
            case "/readyz":
                return (503, _JSON, _STOPPING) if self.stopping else (200, _JSON, _OK)
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest()
            case _:
                return 404, _JSON, _NOTHING


@asynccontextmanager
async def serving(health: Health, listen: str) -> AsyncIterator[asyncio.Task[None]]:
    """Serve while entered. The task ends only if the server breaks. Raises `CannotListen`."""
    # Bound here: uvicorn would end the process without a word.
    listener = _bound(listen)
    server = Server(uvicorn.Config(health, log_config=None, lifespan="off", access_log=False))
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield task
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=5)


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    address = (host.strip("[]"), int(port) if port.isdigit() else -1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(address, family=family)
    except (OSError, OverflowError) as error:
        raise CannotListen(f"MODELPORT_OPERATOR_LISTEN={listen} cannot be listened on: {error}") from error
