"""A process that stops turns nobody away: not ready at once, serving on, then ending what is in flight."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from modelport_http.fast_path.protocol import Exchange
from modelport_http.serving import Served, Stop, serve
from starlette.types import Receive, Scope, Send


class Slow:
    """Answers after `seconds`, with whether it is ready."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.ready = True

    def stop_being_ready(self) -> None:
        self.ready = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(self.seconds)
        status = 200 if self.ready or scope["path"] != "/readyz" else 503
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def running(
    app: Slow, stop: Stop, handler: Any = None
) -> AsyncIterator[tuple[httpx.AsyncClient, "asyncio.Task[None]"]]:
    listener = socket.create_server(("127.0.0.1", 0))
    task = asyncio.create_task(serve([Served(app, listener, handler)], stop, on_stop=app.stop_being_ready))
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=60
    ) as client:
        assert (await client.get("/readyz")).status_code == 200
        yield client, task
        await asyncio.wait_for(task, 60)


async def test_after_sigterm_it_is_not_ready_and_serves_on_until_the_proxies_know() -> None:
    app = Slow()
    async with running(app, Stop(delay=2, drain=5)) as (client, task):
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.1)
        assert (await client.get("/readyz")).status_code == 503
        served = await client.get("/predict")
        assert (served.status_code, served.headers["Connection"]) == (200, "close")
        assert not task.done()
        await task
        with pytest.raises(httpx.ConnectError):
            await client.get("/predict")


async def test_a_request_in_flight_at_the_stop_completes() -> None:
    app = Slow()
    async with running(app, Stop(delay=0.1, drain=5)) as (client, task):
        app.seconds = 3.0
        in_flight = asyncio.create_task(client.get("/predict"))
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.4)
        assert not task.done()
        assert (await in_flight).status_code == 200


async def test_a_request_that_outlasts_the_drain_gets_a_503_with_retry_after() -> None:
    app = Slow()
    async with running(app, Stop(delay=0, drain=1)) as (client, _):
        app.seconds = 60.0
        in_flight = asyncio.create_task(client.get("/predict"))
        await asyncio.sleep(0.1)
        os.kill(os.getpid(), signal.SIGTERM)
        cut = await in_flight
        assert (cut.status_code, cut.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("signals", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
async def test_at_a_terminal_nobody_waits_for_proxies(signals: list[signal.Signals]) -> None:
    app = Slow()
    async with running(app, Stop(delay=30, drain=5)) as (_, task):
        began = time.monotonic()
        for number in signals:
            os.kill(os.getpid(), number)
            await asyncio.sleep(0.1)
        await task
        assert time.monotonic() - began < 5


class Short:
    """A short cut that answers each POST at once."""

    def takes(self, *_: Any) -> bool:
        return True

    def begin(self, exchange: Exchange) -> None:
        exchange.respond(b"HTTP/1.1 200 OK\r\nx-by: short\r\n", b"")


async def test_the_fast_path_has_connections_closed_after_sigterm_too() -> None:
    app = Slow()
    async with running(app, Stop(delay=2, drain=5), Short()) as (client, _):
        before = await client.post("/predict", content=b"{}")
        assert (before.headers["X-By"], "Connection" in before.headers) == ("short", False)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.1)
        after = await client.post("/predict", content=b"{}")
        assert (after.headers["X-By"], after.headers["Connection"]) == ("short", "close")
