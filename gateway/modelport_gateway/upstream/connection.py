"""One keep-alive connection to a replica, one request at a time."""

import asyncio
import math
from collections.abc import Callable
from typing import cast

from modelport_gateway.upstream.response_reader import (
    ClosedWithoutResponse,
    EndpointUnreachable,
    ResponseCutOff,
    ResponseReader,
    UpstreamMisbehaved,
    UpstreamTimeout,
)

Read = tuple[int, bytes, int | None]
"""Status and body, and of a body with binary tensors the length of the JSON in front of them."""

# Larger bodies are not copied to be written together with their head.
_SMALL_BODY_BYTES = 64 * 1024


class UpstreamConnection(asyncio.Protocol):
    """`on_lost` is called once, when it is closed for whatever reason."""

    def __init__(self, on_lost: Callable[["UpstreamConnection"], None]) -> None:
        self.last_sent_at = 0.0
        """When it was last used, by the event loop's clock; 0 for a fresh one."""
        self._loop = asyncio.get_running_loop()
        self._on_lost = on_lost
        self._transport: asyncio.Transport
        self._reader = ResponseReader()
        self._response: asyncio.Future[Read] | None = None
        self._due = math.inf
        # One timer for many requests: it looks what is due when it fires, and sleeps on until then.
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = math.inf

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether it may be used: it is open, and its last response is complete."""
        return self._response is None and self.is_open

    def send(self, head: bytes, body: bytes, *, due: float, max_answer_bytes: int) -> "asyncio.Future[Read]":
        """Send a request; give the response.

        The future raises EndpointUnreachable, UpstreamTimeout or UpstreamMisbehaved; the connection is then
        closed. Who cancels it must close the connection: nobody reads the rest of the response.
        """
        self._response = response = self._loop.create_future()
        self.last_sent_at, self._due = self._loop.time(), due
        self._reader.begin(max_answer_bytes)
        if due < self._fires_at:
            self._set_timer(due)
        if not self.is_open:
            self._fail(ClosedWithoutResponse("it closed the connection"))
        elif len(body) <= _SMALL_BODY_BYTES:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))
        return response

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        response, reader = self._response, self._reader
        if response is None:
            # Nothing was sent: whatever this is, it must not be taken for the next response.
            self.close()
            return
        try:
            reader.feed(data)
        except UpstreamMisbehaved as error:
            self._fail(error)
            return
        if reader.is_complete:
            self._finish(response)

    def eof_received(self) -> None:
        if self._response is not None and self._reader.ends_with_connection:
            self._finish(self._response)

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        message = str(error or "it closed the connection")
        if self._reader.has_head:
            self._fail(ResponseCutOff(message))
        else:
            self._fail(
                EndpointUnreachable(message) if self._reader.has_begun else ClosedWithoutResponse(message)
            )
        self._on_lost(self)

    def _finish(self, response: "asyncio.Future[Read]") -> None:
        self._response, reader = None, self._reader
        # A replica that responds before it has read all leaves a request behind in which the next would end.
        if not reader.keep_alive or self._transport.get_write_buffer_size():
            self.close()
        if not response.done():
            response.set_result((reader.status, reader.body(), reader.json_bytes))

    def _fail(self, error: Exception) -> None:
        response, self._response = self._response, None
        self.close()
        if response is not None and not response.done():
            response.set_exception(error)

    def _set_timer(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = at
        self._timer = self._loop.call_at(at, self._on_timer)

    def _on_timer(self) -> None:
        self._timer, self._fires_at = None, math.inf
        if self._response is None:
            return
        if self._due <= self._loop.time():
            self._fail(UpstreamTimeout())
        else:
            self._set_timer(self._due)
