"""What a short-cut request is to its handler, and the handler to the connection."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar, Protocol, cast

Headers = list[tuple[bytes, bytes]]


class Connection(Protocol):
    """What an exchange uses of uvicorn's connection."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    client: tuple[str, int] | None
    scheme: Any
    tasks: set[asyncio.Task[None]]

    def respond(self, exchange: "Exchange", head: bytes, body: bytes) -> None:
        """Write the response of an exchange, after those of the requests before it."""
        ...


class Exchange:
    """One request whose body is there, and its response.

    To the rest of the connection it is what uvicorn's cycle is: hence the attributes that it shares with it.
    """

    __slots__ = (
        "_connection", "body", "client", "disconnected", "headers", "keep_alive", "on_cancel",
        "on_disconnect", "response_complete", "scheme", "target",
    )  # fmt: skip
    message_event: ClassVar[asyncio.Event] = asyncio.Event()
    """uvicorn sets it when the caller leaves; nobody waits for it here."""

    def __init__(self, connection: Connection, target: bytes, headers: Headers, keep_alive: bool) -> None:
        self._connection = connection
        self.target = target
        """The raw request target; it has no query."""
        self.headers = headers
        """Names in lower case."""
        self.body = b""
        self.client = connection.client
        self.scheme: str = connection.scheme or "http"
        self.disconnected = False
        self.on_disconnect: Callable[[], None] | None = None
        """Called at most once: nobody waits for the response any more."""
        self.on_cancel: Callable[[], object] | None = None
        """The server's graceful stop has run out of time: respond at once. None: the connection is cut."""
        self.keep_alive = keep_alive
        self.response_complete = False

    def respond(self, head: bytes, body: bytes) -> None:
        """Respond, once; nothing happens if the caller has gone.

        `head`: status line and header lines, without content-length, connection and the empty line.
        """
        if not self.response_complete and not self.disconnected:
            self.response_complete = True
            self._connection.respond(self, head, body)

    def cancel(self, msg: str | None = None) -> None:
        """Be one of the server's tasks, which its graceful stop cancels while it goes through them."""
        self._connection.loop.call_soon(self._cut_off)

    def leave(self) -> None:
        """The caller has gone. For the connection alone."""
        if not self.response_complete and not self.disconnected:
            self.disconnected = True
            self._connection.tasks.discard(cast(Any, self))
            if self.on_disconnect is not None:
                self.on_disconnect()

    def _cut_off(self) -> None:
        self.keep_alive = False
        if self.on_cancel is not None:
            self.on_cancel()
        else:
            self.leave()
            self._connection.transport.close()


class Handler(Protocol):
    def takes(self, target: bytes, headers: Headers) -> bool:
        """Return whether a POST to `target` (no query in it) is for `begin`; else the ASGI app gets it."""
        ...

    def begin(self, exchange: Exchange) -> None:
        """Respond at once or later. Must not raise: that becomes a 500 and is logged."""
        ...
