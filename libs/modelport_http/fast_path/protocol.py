"""uvicorn's HTTP/1.1 with a short cut: a small POST goes to a handler, without ASGI's scope, events and task.

All else goes to the ASGI app as ever. A request that has been taken and then does not come whole is handed
to the app too, so that only one of the two has to know what an unfinished request means.
"""

import asyncio
import re
from collections.abc import Callable
from typing import Any, ClassVar

from modelport_http.connections.request_heads import UNKNOWN, HeadAwareProtocol
from modelport_http.fast_path.exchange import Exchange, Handler, Headers


class IdleTimer:
    """Calls `too_long` once `seconds` have passed since the last `start` without a `stop`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, too_long: Callable[[], None]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._too_long = too_long
        self._idle_since: float | None = None
        self._check_at: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._idle_since = self._loop.time()
        if self._check_at is None:
            self._check_at = self._loop.call_later(self._seconds, self._check)

    def stop(self) -> None:
        self._idle_since = None

    def close(self) -> None:
        """Never call again."""
        if self._check_at is not None:
            self._check_at.cancel()

    def _check(self) -> None:
        self._check_at = None
        if self._idle_since is None:
            return
        left = self._idle_since + self._seconds - self._loop.time()
        if left > 0:
            self._check_at = self._loop.call_later(left, self._check)
        else:
            self._too_long()


__all__ = ["Exchange", "FastPathProtocol", "Handler", "Headers", "fast_path_protocol"]

_MAX_BODY_BYTES = 64 * 1024
_PLAIN_PATH = re.compile(rb"/[A-Za-z0-9._~!$&'()*+,;=:@/-]*")
_NOT_PLAIN = frozenset({b"expect", b"upgrade", b"transfer-encoding"})
# uvicorn's types know neither; a cast would be a call at each request.
_NOTHING: Any = None
_FAILED_HEAD = b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n"
_FAILED_BODY = b"Internal Server Error"


def fast_path_protocol(
    handler: Handler, *, is_closing: Callable[[], bool] = lambda: False
) -> "type[FastPathProtocol]":
    """Return the class for `uvicorn.Config(http=…)`. While `is_closing`, each response closes its
    connection.
    """
    return type(
        "FastPathProtocol", (FastPathProtocol,), {"handler": handler, "is_closing": staticmethod(is_closing)}
    )


class FastPathProtocol(HeadAwareProtocol):
    """One connection. Made by `fast_path_protocol`.

    With slots: CPython keeps the attributes of an instance beside it only while they are 30 at most, and
    uvicorn alone has 28.
    """

    __slots__ = ("_exchange", "_idle", "_receiving")

    handler: ClassVar[Handler]
    is_closing: "ClassVar[staticmethod[[], bool]]"
    _defaults: ClassVar[tuple[Headers, bytes]] = ([], b"")
    """uvicorn's default headers (it makes a new list each second), and the same as lines."""
    _receiving: Exchange | None
    """Its body is not whole yet."""
    _exchange: Exchange | None
    """The last one that was taken."""
    _idle: IdleTimer

    @property
    def is_receiving(self) -> bool:
        """Whether the body of a request that was taken is still to come."""
        return self._receiving is not None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._receiving = self._exchange = None
        self._idle = IdleTimer(self.loop, self.timeout_keep_alive, self.timeout_keep_alive_handler)
        super().connection_made(transport)

    def on_message_begin(self) -> None:
        self._idle.stop()
        # The scope is made when it is known to be needed.
        self.scope = _NOTHING
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if not self._takes():
            self._to_app(self.url, self.headers, expects=self.expect_100_continue)
            return
        exchange: Any = Exchange(self, self.url, self.headers, self.parser.should_keep_alive())
        self.cycle = exchange
        self._exchange = self._receiving = exchange

    def on_body(self, body: bytes) -> None:
        if self._receiving is None:
            super().on_body(body)
        else:
            self.of_no_body = UNKNOWN
            self._receiving.body += body

    def on_message_complete(self) -> None:
        exchange: Any = self._receiving
        if exchange is None:
            super().on_message_complete()
            return
        self._receiving = None
        try:
            self.handler.begin(exchange)
        except Exception:
            # Raised on, it would become uvicorn's 400, without a traceback.
            self.logger.exception("Exception in fast-path handler")
            exchange.keep_alive = False
            exchange.respond(_FAILED_HEAD, _FAILED_BODY)
        if not exchange.response_complete:
            # The graceful stop waits for these, and cancels them in the end.
            self.tasks.add(exchange)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up_receiving()
        if self._exchange is not None:
            self._exchange.leave()
            self._exchange = None
        self._idle.close()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        self._give_up_receiving()
        super().shutdown()

    def respond(self, exchange: Any, head: bytes, body: bytes) -> None:
        """Write, and go on to what was pipelined behind. For `Exchange` alone."""
        self.tasks.discard(exchange)
        if exchange.keep_alive and self.is_closing():
            exchange.keep_alive = False
        # A write on a closed uvloop transport raises.
        if not self.transport.is_closing():
            closing = b"" if exchange.keep_alive else b"connection: close\r\n"
            length = b"content-length: %d\r\n%b\r\n" % (len(body), closing)
            self.transport.write(b"".join((head, self._default_lines(), length, body)))
        if not exchange.keep_alive:
            self.transport.close()
        if exchange.keep_alive and not self.pipeline:
            self.server_state.total_requests += 1
            self._idle.start()
        else:
            self.on_response_complete()

    def _takes(self) -> bool:
        if not self._is_idle() or self.parser.get_method() != b"POST" or not self._is_plain():
            return False
        try:
            return self.handler.takes(self.url, self.headers)
        except Exception:
            self.logger.exception("Exception in fast-path handler")
            return False

    def _is_idle(self) -> bool:
        # An app waits before it writes to a slow reader: what such a one sends meanwhile is not taken here.
        answered = self.cycle is None or self.cycle.response_complete
        return answered and not self.flow.write_paused and self.limit_concurrency is None

    def _is_plain(self) -> bool:
        length = -1
        for name, value in self.headers:
            if name in _NOT_PLAIN:
                return False
            if name == b"content-length":
                length = int(value) if value.isdigit() else -1
        is_path = _PLAIN_PATH.fullmatch(self.url) is not None and not self.root_path
        return 0 <= length <= _MAX_BODY_BYTES and is_path and self.parser.get_http_version() == "1.1"

    def _to_app(self, url: bytes, headers: Headers, *, expects: bool = False) -> None:
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = expects
        super().on_headers_complete()

    def _give_up_receiving(self) -> None:
        exchange = self._receiving
        if exchange is not None:
            self._receiving = self._exchange = None
            self.cycle = _NOTHING
            self._to_app(exchange.target, exchange.headers)
            super().on_body(exchange.body)

    def _default_lines(self) -> bytes:
        defaults = self.server_state.default_headers
        if self._defaults[0] is not defaults:
            lines = b"".join(b"%b: %b\r\n" % each for each in defaults)
            type(self)._defaults = (defaults, lines)
        return self._defaults[1]
