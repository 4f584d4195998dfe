"""The public and the internal app on two ports of one process, until SIGTERM or SIGINT; then they drain."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any

import uvicorn
from modelport_edge.stopping import StoppingMiddleware

from modelport_control_api.app import ControlPlane

# Below the 30 s that Kubernetes waits before it kills.
DRAIN_SECONDS = 25
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class Listeners:
    """Bound sockets: who calls chose the addresses, and has seen already whether they are free."""

    public: socket
    internal: socket


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Each server would take the signals for itself, and the other one would never hear of them.
        yield


async def serve(plane: ControlPlane, listeners: Listeners) -> None:
    """Return after a signal, when the requests under way have been answered."""
    servers = [_build(plane.public), _build(plane.internal)]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    async with plane.running():
        await asyncio.gather(
            servers[0].serve([listeners.public]),
            servers[1].serve([listeners.internal]),
        )


def _build(app: Any) -> _Server:
    return _Server(
        uvicorn.Config(
            StoppingMiddleware(app),
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Addresses behind proxies are client_address.py's decision, by MODELPORT_TRUSTED_PROXIES.
            proxy_headers=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
    )
