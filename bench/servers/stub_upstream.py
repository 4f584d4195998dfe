"""A model that answers a constant, for what a gateway costs by itself.

Run: ``python -m bench.servers.stub_upstream PORT``.
"""

import asyncio
import sys
from typing import cast

import uvloop

_BODY = b'{"model":"iris","version":"v1","predictions":[0],"probabilities":[[0.9,0.05,0.05]]}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_BODY),
    _BODY,
)


class Stub(asyncio.Protocol):
    """One answer a complete request; a request is a head with a Content-Length, and its body."""

    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._data += data
        while size := _complete(self._data):
            self._data = self._data[size:]
            if not self._transport.is_closing():
                self._transport.write(_ANSWER)


def _complete(data: bytes) -> int:
    """The bytes of the first request; 0 while some of it is to come."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    _, _, rest = data[:end].lower().partition(b"content-length:")
    size = end + 4 + (int(rest.split(b"\r\n", 1)[0]) if rest else 0)
    return size if len(data) >= size else 0


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
