"""The address that the runtime serves at. Bound before rights are given up."""

import os
import socket
from pathlib import Path

BACKLOG = 512


def bind(address: str) -> socket.socket:
    """Listen on `host:port` or `unix:/path`. Raises OSError."""
    if address.startswith("unix:"):
        return _bind_unix(Path(address.removeprefix("unix:")))
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=BACKLOG)


def _bind_unix(path: Path) -> socket.socket:
    # A socket file outlives its process: the container that was here before left one.
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(os.fspath(path))
    listener.listen(BACKLOG)
    return listener
