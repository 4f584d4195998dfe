"""`/healthz`, `/readyz` and `/metrics` of the process."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

_OK = b'{"status":"ok"}'
_STOPPING = b'{"status":"stopping"}'
_NOTHING = b'{"status":404,"detail":"There are /healthz, /readyz and /metrics."}'
_JSON = "application/json"


class Health:
    """Ready from the first moment, leader or not: a standby that were not would hold up a rollout."""

    def __init__(self) -> None:
        self.stopping = False

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            status, media_type, body = self._answer(scope["path"])
            headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    def _answer(self, path: str) -> tuple[int, str, bytes]:
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
    """Answer while entered. The task ends only if the server breaks."""
    host, _, port = listen.rpartition(":")
    config = uvicorn.Config(
        health, host=host.strip("[]"), port=int(port), log_config=None, lifespan="off", access_log=False
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve())
    try:
        yield task
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=5)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # They stop more than this server: the process hears them.
        yield
