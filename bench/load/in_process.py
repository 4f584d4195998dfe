"""The fast path of a gateway called within its process: without a connection, nothing else is measured."""

import asyncio
import time

from modelport_gateway.http.fast_path import FastPath

from tests.support.gateway_harness import KEY

# Short slices, in pairs: whatever the machine does meanwhile hits both of a pair alike.
SLICE, AT_ONCE = 1000, 50
_BODY = b'{"input": {"a": 1, "b": 2}}'
_HEADERS = [
    (b"host", b"x"),
    (b"x-api-key", KEY.encode()),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
]


async def microseconds(path: FastPath, requests: int = SLICE) -> float:
    """Return the µs CPU of each of so many requests to the model `iris`, AT_ONCE at a time."""
    begin = time.process_time()
    for _ in range(requests // AT_ONCE):
        left = _Left(AT_ONCE)
        for _ in range(AT_ONCE):
            path.begin(_Exchange(left))  # type: ignore[arg-type]
        await left.none.wait()
    return (time.process_time() - begin) / requests * 1e6


class _Exchange:
    """All that the fast path needs of one."""

    target, headers, body, client, scheme = b"/predict/iris", _HEADERS, _BODY, ("127.0.0.1", 1), "http"
    on_cancel = None

    def __init__(self, left: "_Left") -> None:
        self._left = left

    def respond(self, head: bytes, body: bytes) -> None:
        if b" 200 OK" not in head:
            raise RuntimeError(f"answered {head!r}")
        self._left.one_less()


class _Left:
    def __init__(self, requests: int) -> None:
        self._requests = requests
        self.none = asyncio.Event()

    def one_less(self) -> None:
        self._requests -= 1
        if not self._requests:
            self.none.set()
