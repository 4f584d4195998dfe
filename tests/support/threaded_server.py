"""A uvicorn server in a thread, with its own uvloop, and raw bytes to and from it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn


@dataclass
class Running:
    server: uvicorn.Server
    port: int
    _sockets: list[socket.socket] = field(default_factory=list)

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets.append(connection)
        return connection

    def exchange(self, *segments: bytes, pause: float = 0.0) -> bytes:
        """Send the segments on a new connection, stop sending, and give all that came back."""
        connection = self.connect()
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
            for segment in segments:
                connection.sendall(segment)
                time.sleep(pause)
        connection.settimeout(0.3)
        return receive_all(connection)


def receive_all(connection: socket.socket) -> bytes:
    """Return what comes until the other end closes (then ends with `<closed>`) or is quiet for the
    timeout.
    """
    received = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except TimeoutError:
            return received
        except ConnectionResetError:
            return received + b"<closed>"
        if not chunk:
            return received + b"<closed>"
        received += chunk


@contextmanager
def running_server(app: Any, **options: Any) -> Iterator[Running]:
    """Serve `app` on a free port of this machine. `options` are uvicorn's."""
    options = {"http": "httptools", "loop": "uvloop", "lifespan": "off", "access_log": False} | options
    config = uvicorn.Config(app, port=0, ws="none", log_config=None, server_header=False, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    running = Running(server, server.servers[0].sockets[0].getsockname()[1])
    try:
        yield running
    finally:
        for connection in running._sockets:
            connection.close()
        server.should_exit = True
        thread.join(20)
