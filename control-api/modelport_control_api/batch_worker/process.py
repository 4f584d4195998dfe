"""The worker as a process: until a signal, with a port for probes and metrics where one is wanted."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from modelport_process.start import bind
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from modelport_control_api.batch_worker.settings import Settings
from modelport_control_api.batch_worker.worker import Worker
from modelport_control_api.db.session import Database

# All tables: those of jobs point to others, by name.
from modelport_control_api.migrations import schema as _metadata  # noqa: F401

_JSON = "application/json"


async def run(settings: Settings) -> None:
    """Raises `CannotStart` where the port is taken."""
    stop = _hear_signals()
    database = Database(settings.database_url.get_secret_value())
    try:
        async with _serving_health(settings.worker_listen, database):
            working = asyncio.create_task(Worker(settings, database).run())
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            stopping.cancel()
            await asyncio.wait({working, stopping})
            if not working.cancelled():
                working.result()
    finally:
        database.close()


def _hear_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


@asynccontextmanager
async def _serving_health(listen: str, database: Database) -> AsyncIterator[None]:
    if not listen:
        yield
        return
    # Here and not above: a worker that serves no requests needs none of it.
    import uvicorn
    from modelport_http.server import Server

    listener = bind("MODELPORT_CONTROL_API_WORKER_LISTEN", listen)
    config = uvicorn.Config(_Health(database), log_config=None, lifespan="off", access_log=False)
    server = Server(config)
    task = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([task], timeout=5)


class _Health:
    """Plain ASGI."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, scope: dict[str, Any], _receive: Any, send: Any) -> None:
        status, media_type, body = await self._respond(scope["path"])
        headers = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _respond(self, path: str) -> tuple[int, str, bytes]:
        match path:
            case "/healthz":
                return 200, _JSON, b'{"status":"ok"}'
            case "/readyz":
                return await self._ready()
            case "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest()
            case _:
                return 404, _JSON, b'{"status":404,"detail":"There are /healthz, /readyz and /metrics."}'

    async def _ready(self) -> tuple[int, str, bytes]:
        try:
            await asyncio.to_thread(self._database.ping)
        except SQLAlchemyError:
            return 503, _JSON, b'{"status":503,"detail":"The database does not answer."}'
        return 200, _JSON, b'{"status":"ready"}'
