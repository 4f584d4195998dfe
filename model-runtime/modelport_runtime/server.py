"""uvicorn on a socket that was bound before rights were given up."""

import os
import signal
import socket
from pathlib import Path

import uvicorn

from modelport_runtime.http import App

_BACKLOG = 512
_DRAIN_SECONDS = 25
"""Below Kubernetes' 30 s between SIGTERM and SIGKILL."""


def bind(address: str) -> socket.socket:
    """Listen on `host:port` or `unix:/path`. Raises OSError."""
    if address.startswith("unix:"):
        return _bind_unix(Path(address.removeprefix("unix:")))
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG)
    return listener


def _bind_unix(path: Path) -> socket.socket:
    # A socket file outlives its process: the container that was here before left one.
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.fspath(path))
    listener.listen(_BACKLOG)
    return listener


def serve(app: App, listener: socket.socket) -> None:
    """Answer until SIGTERM, then let requests that have begun end."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    # uvicorn raises the signal once more when it has drained; an asked-for end is exit code 0.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    uvicorn.Server(config).run(sockets=[listener])
