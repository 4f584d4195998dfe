"""A closed-loop HTTP/1.1 load generator: N keep-alive connections, each sends its next request when answered,
or some time after that, as people do.

Cheap enough (raw sockets, httptools) that one core of it saturates one core of server.
Loopback and unix sockets only.
"""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httptools


@dataclass(frozen=True)
class Target:
    """Where to send: ``address`` is ``127.0.0.1:8000`` or ``unix:/path``; ``bodies`` is cycled through.

    Without bodies the requests are GETs.
    """

    address: str
    path: str
    bodies: tuple[bytes, ...]
    headers: dict[str, str] = field(default_factory=dict)
    requests: Iterator[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # One iterator for all slices: a row that an earlier slice has sent would be answered from the cache.
        object.__setattr__(self, "requests", self._requests())

    def _requests(self) -> Iterator[bytes]:
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        if not self.bodies:
            return itertools.repeat(f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        head = f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{lines}"
        ready = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in self.bodies]
        return itertools.cycle(ready)


@dataclass
class Result:
    """Requests a second; latencies in milliseconds; answers by status."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.latencies, n=100)[percent - 1] * 1000

    @property
    def errors(self) -> int:
        return sum(count for status, count in self.statuses.items() if status != 200)


class _Connection(asyncio.Protocol):
    """Sends one request after the other, `pause` seconds apart, until told to stop."""

    def __init__(
        self, requests: Iterator[bytes], answered: Callable[[int, float], bool], pause: float
    ) -> None:
        self._requests, self._answered, self._pause = requests, answered, pause
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # Spread over the pause, so that people do not all begin in the same instant.
        asyncio.get_running_loop().call_later(random.uniform(0, self._pause), self._send)

    def _send(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        go_on = self._answered(self._parser.get_status_code(), time.perf_counter() - self._sent)
        loop = asyncio.get_running_loop()
        if go_on:
            loop.call_later(self._pause, self._send)
        else:
            loop.call_soon(self._transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done.done():
            return
        if exc is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(exc)


async def _connect(target: Target, make: Callable[[], _Connection]) -> _Connection:
    loop = asyncio.get_running_loop()
    if target.address.startswith("unix:"):
        return (await loop.create_unix_connection(make, target.address[5:]))[1]
    host, port = target.address.rsplit(":", 1)
    return (await loop.create_connection(make, host, int(port)))[1]


async def closed_loop(
    target: Target, *, connections: int, seconds: float, warm_up: float = 1.0, pause: float = 0.0
) -> Result:
    """Load `target` for `warm_up` + `seconds`; only the latter counts. Raises what a connection raised.

    `pause` is the seconds between an answer and the next request of the same connection.
    """
    begin = time.perf_counter() + warm_up
    result = Result(seconds, [], {})

    def answered(status: int, latency: float) -> bool:
        now = time.perf_counter()
        if begin <= now < begin + seconds:
            result.latencies.append(latency)
            result.statuses[status] = result.statuses.get(status, 0) + 1
        return now < begin + seconds

    def connection() -> _Connection:
        return _Connection(target.requests, answered, pause)

    open_connections = [await _connect(target, connection) for _ in range(connections)]
    await asyncio.wait_for(
        asyncio.gather(*(connection.done for connection in open_connections)), warm_up + seconds + 30
    )
    return result
