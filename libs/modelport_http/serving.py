"""Serves ASGI apps until a signal, and stops as Kubernetes wants it: nobody is turned away.

A pod's addresses are withdrawn while it gets SIGTERM already. So it reports that it is not ready, serves on
until every proxy has heard of it, has each connection closed with its next response, and only then stops
listening.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from socket import socket
from typing import TYPE_CHECKING, Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from modelport_http.client_address import Network
from modelport_http.connections.per_address import Crowd, crowd_aware
from modelport_http.connections.request_heads import HeadAwareProtocol
from modelport_http.connections.timeouts import Silence
from modelport_http.server import Server
from modelport_http.settings import DoorSettings
from modelport_http.stopping import ClosingMiddleware, StoppingMiddleware

if TYPE_CHECKING:
    from modelport_http.fast_path.protocol import Handler

log = structlog.get_logger(__name__)

# Longer than any usual proxy keeps an idle connection (60 to 90 s): the side that closes first must not be
# the one that may just be sent a request.
_KEEP_ALIVE_SECONDS = 120


@dataclass(frozen=True)
class Served:
    """An app and the socket that it is served on, bound already.

    `handler`: gets first what the fast path takes.
    """

    app: ASGIApp
    listener: socket
    handler: "Handler | None" = None


@dataclass(frozen=True)
class Stop:
    """Seconds: for which requests are still taken after SIGTERM, and then for those in flight to end."""

    delay: float
    drain: int


async def serve(
    apps: Sequence[Served],
    stop: Stop,
    *,
    on_stop: Callable[[], None],
    doors: DoorSettings | None = None,
    trusted_proxies: Sequence[Network] = (),
) -> None:
    """Return when everything in flight at the signal has ended. `on_stop`: be no longer ready."""
    closing = asyncio.Event()
    doors = doors or DoorSettings()
    crowd = Crowd(doors.connections_per_address, trusted_proxies)
    servers = [(_build(each, stop, closing, crowd, Silence(doors.patience)), each.listener) for each in apps]
    terminated, interrupted = _hear_signals()

    async def stop_on_signal() -> None:
        await terminated.wait()
        log.info("stopping", serves_on_for_seconds=stop.delay)
        on_stop()
        closing.set()
        await _pause(stop.delay, unless=interrupted)
        for server, _ in servers:
            server.should_exit = True

    stopping = asyncio.create_task(stop_on_signal())
    try:
        await asyncio.gather(*(server.serve([listener]) for server, listener in servers))
    finally:
        stopping.cancel()
    log.info("stopped")


def _hear_signals() -> tuple[asyncio.Event, asyncio.Event]:
    """SIGTERM sets the first; SIGINT, and a second SIGTERM, both: nobody waits for proxies at a terminal."""
    terminated, interrupted = asyncio.Event(), asyncio.Event()

    def terminate() -> None:
        (interrupted if terminated.is_set() else terminated).set()

    def interrupt() -> None:
        interrupted.set()
        terminated.set()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, terminate)
    loop.add_signal_handler(signal.SIGINT, interrupt)
    return terminated, interrupted


async def _pause(seconds: float, *, unless: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(seconds):
            await unless.wait()
    except TimeoutError:
        return


def build_config(
    app: ASGIApp,
    *,
    drain: int,
    handler: "Handler | None" = None,
    is_closing: Callable[[], bool] = lambda: False,
    crowd: Crowd | None = None,
    **options: Any,
) -> uvicorn.Config:
    """What all servers have in common. `drain`: seconds for requests in flight to end, at a stop.

    `handler`, `is_closing`: as `fast_path_protocol` has them.
    """
    protocol = _protocol(handler, is_closing) if handler else HeadAwareProtocol
    return uvicorn.Config(
        StoppingMiddleware(app),
        http=crowd_aware(protocol, crowd) if crowd else protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # Whom to believe about addresses is MODELPORT_TRUSTED_PROXIES' decision.
        proxy_headers=False,
        timeout_graceful_shutdown=drain,
        **options,
    )


def _protocol(handler: "Handler", is_closing: Callable[[], bool]) -> type[asyncio.Protocol]:
    # Here and not above: only the gateway's image has it.
    from modelport_http.fast_path.protocol import fast_path_protocol

    return fast_path_protocol(handler, is_closing=is_closing)


def _build(served: Served, stop: Stop, closing: asyncio.Event, crowd: Crowd, silence: Silence) -> Server:
    config = build_config(
        ClosingMiddleware(served.app, closing),
        drain=stop.drain,
        handler=served.handler,
        is_closing=closing.is_set,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        crowd=crowd,
    )
    return Server(config, silence)
