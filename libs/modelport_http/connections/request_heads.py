"""A request's head has a size: uvicorn and its parser keep whatever comes."""

import asyncio
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelport_http.connections.timeouts import is_body_open

MAX_BYTES = 64 * 1024
"""Beside the first pieces of data, which the event loop bounds."""
UNKNOWN = -1
"""The next piece may be the end of a body."""

_DETAIL = (
    "The head of the request, or what follows its body, is too long: send fewer or shorter headers, or a "
    "shorter path."
)
_BODY = orjson.dumps(
    {"type": "about:blank", "title": "Request Header Fields Too Large", "status": 431, "detail": _DETAIL}
)
_RESPONSE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/problem+json\r\n"
    b"connection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class HeadAwareProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, but that it refuses heads which do not end."""

    __slots__ = ("_of_a_head", "of_no_body")

    of_no_body: int
    """Bytes within a body that brought nothing of it: trailers, and extensions of chunks. `UNKNOWN` once the
    piece of data that is being read has brought some of the body.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._of_a_head, self.of_no_body = UNKNOWN, 0
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._of_a_head, self.of_no_body = UNKNOWN, 0
            return
        self._of_a_head = _counted(self, self._of_a_head, len(data))
        self.of_no_body = 0 if self.of_no_body == UNKNOWN else self.of_no_body + len(data)
        if self._of_a_head > MAX_BYTES or self.of_no_body > MAX_BYTES:
            _refuse(self)

    def on_body(self, body: bytes) -> None:
        self.of_no_body = UNKNOWN
        super().on_body(body)

    def on_chunk_header(self) -> None:
        # The parser gives trailers as headers: they are none of this request's.
        self.headers = []


def _counted(connection: Any, before: int, size: int) -> int:
    """With a piece of data more, in which no head came to its end."""
    if connection.cycle is not None and is_body_open(connection, connection.cycle):
        return UNKNOWN
    return 0 if before == UNKNOWN else before + size


def _refuse(connection: Any) -> None:
    cycle = connection.cycle
    if cycle is None or cycle.response_complete:
        connection.transport.write(_RESPONSE)
    elif is_body_open(connection, cycle):
        _break_off(connection, cycle)
    connection.transport.close()


def _break_off(connection: Any, cycle: Any) -> None:
    """Of a request that is being read: what handles it learns that the client has gone."""
    if not cycle.response_started and not connection.pipeline:
        connection.transport.write(_RESPONSE)
    cycle.disconnected = True
    cycle.message_event.set()
