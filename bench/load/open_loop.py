"""Load that wrk does not make: a fixed rate (open loop), and users, who wait between their calls.

Loopback only. Latencies in seconds inside, milliseconds in `Result`.
"""

import asyncio
import random
import selectors
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httptools


@dataclass
class Result:
    """Latencies in milliseconds; responses by status."""

    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)

    def add(self, status: int, seconds: float) -> None:
        self.latencies.append(seconds * 1000)
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def percentile(self, percent: int) -> float:
        return statistics.quantiles(self.latencies, n=100)[percent - 1]

    def require_no_errors(self, what: str) -> None:
        """Raises RuntimeError."""
        if set(self.statuses) != {200}:
            raise RuntimeError(f"{what} was answered {self.statuses}")


class _Connection(asyncio.Protocol):
    """A keep-alive connection: one request at a time, `answered(status)` after each."""

    def __init__(self) -> None:
        self._answered: Callable[[int], None] | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, request: bytes, answered: Callable[[int], None]) -> None:
        self._answered = answered
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        answered, self._answered = self._answered, None
        assert answered is not None  # no response comes to no request
        # After the parser has returned: the next request makes a new one.
        asyncio.get_running_loop().call_soon(answered, self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered is not None:
            self._answered(0)
        self.lost.set_result(None)


async def _connect(address: str) -> _Connection:
    host, port = address.rsplit(":", 1)
    return (await asyncio.get_running_loop().create_connection(_Connection, host, int(port)))[1]


def open_loop(address: str, requests: Iterator[bytes], *, rate: float, seconds: float) -> Result:
    """Send `rate` requests a second, whatever the responses do, on as many connections as that takes.

    A latency counts from the instant that its request was due, so that waiting for a late generator or a
    free connection counts too.
    """
    # select() waits for microseconds; epoll, as Python and libuv use it, for whole milliseconds.
    with asyncio.Runner(loop_factory=_precise_loop) as runner:
        return runner.run(_open_loop(address, requests, rate, seconds))


def _precise_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _open_loop(address: str, requests: Iterator[bytes], rate: float, seconds: float) -> Result:
    result, idle = Result(), [await _connect(address) for _ in range(4)]
    begin = time.perf_counter() + 0.1
    pending: set[asyncio.Task[None]] = set()
    for number in range(round(rate * seconds)):
        due = begin + number / rate
        # Also when late: the responses must be read in between.
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(_one(address, idle, next(requests), due, result))
        pending.add(task)
        task.add_done_callback(pending.discard)
    if pending:
        await asyncio.wait(pending, timeout=30)
    for connection in idle:
        connection.transport.close()
    return result


async def _one(address: str, idle: list[_Connection], request: bytes, due: float, result: Result) -> None:
    connection = idle.pop() if idle else await _connect(address)
    replied: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    connection.send(request, replied.set_result)
    status = await replied
    result.add(status, time.perf_counter() - due)
    idle.append(connection)


def users(address: str, requests: Iterator[bytes], *, count: int, seconds: float) -> Result:
    """`count` users, each of whom calls again a second after the last response."""
    return asyncio.run(_people(address, requests, count, time.perf_counter() + seconds))


async def _people(address: str, requests: Iterator[bytes], count: int, end: float) -> Result:
    result = Result()
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(_person(address, requests, end, result))
    return result


async def _person(address: str, requests: Iterator[bytes], end: float, result: Result) -> None:
    connection = await _connect(address)
    # Spread over the pause, so that users do not all begin in the same instant.
    await asyncio.sleep(random.random())
    while time.perf_counter() < end:
        replied: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        sent = time.perf_counter()
        connection.send(next(requests), replied.set_result)
        result.add(await replied, time.perf_counter() - sent)
        await asyncio.sleep(1)
    connection.transport.close()
    await connection.lost
