"""Load that counts answers: what it counted is what a ledger must hold.

A connection that ends before the first byte of a response has its request sent again, elsewhere. One that
ends in the middle of a response is an error: nobody could say whether that request was counted.
"""

import asyncio
import itertools
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import httptools

Name = tuple[str, int, str]
"""Model, status and cache state, as a caller sees them."""


@dataclass
class Load:
    """`requests`: (model, bytes) in turn. Sends `wanted` of them, to whichever of `ports` listens.

    `limit`: until it is raised no more than so many; what is done to the platform then comes in between.
    """

    ports: list[int]
    requests: Sequence[tuple[str, bytes]]
    wanted: int
    per_second: float = math.inf
    limit: float = math.inf
    answered: Counter[Name] = field(default_factory=Counter)
    sent: int = 0
    resent: int = 0

    async def run(self, connections: int) -> None:
        """Raises RuntimeError for a response that was cut off."""
        self._began = time.monotonic()
        await asyncio.gather(*(self._use(number) for number in range(connections)))

    async def _use(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        turns = itertools.cycle(
            self.ports[number % len(self.ports) :] + self.ports[: number % len(self.ports)]
        )
        unanswered: tuple[str, bytes] | None = None
        while self.sent < self.wanted or unanswered is not None:
            if unanswered is None and not self._may_send():
                await asyncio.sleep(0.01)
                continue
            try:
                _, connection = await loop.create_connection(
                    partial(_Connection, self, unanswered), "127.0.0.1", next(turns)
                )
            except OSError:
                # It restarts; the next one listens.
                await asyncio.sleep(0.01)
                continue
            unanswered = await connection.ended

    def next(self) -> tuple[str, bytes] | None:
        if not self._may_send():
            return None
        self.sent += 1
        return self.requests[self.sent % len(self.requests)]

    def _may_send(self) -> bool:
        by_now = self.per_second * (time.monotonic() - self._began)
        return self.sent < min(self.wanted, self.limit, by_now)


class _Connection(asyncio.Protocol):
    """`ended` gives the request that was not answered, if one was in flight."""

    def __init__(self, load: Load, first: tuple[str, bytes] | None) -> None:
        self._load = load
        self._asking = first
        self.ended: asyncio.Future[tuple[str, bytes] | None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._asking is not None:
            self._load.resent += 1
        self._send(self._asking or self._load.next())

    def data_received(self, data: bytes) -> None:
        self._begun = True
        self._parser.feed_data(data)
        if self._whole:
            self._note()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-cache":
            self._cache = value.decode()

    def on_message_complete(self) -> None:
        self._whole = True

    def connection_lost(self, error: Exception | None) -> None:
        if self.ended.done():
            return
        if self._asking is not None and self._begun:
            self.ended.set_exception(RuntimeError(f"a response was cut off: {error!r}"))
        else:
            self.ended.set_result(self._asking)

    def _send(self, request: tuple[str, bytes] | None) -> None:
        self._asking, self._begun, self._whole, self._cache = request, False, False, "none"
        if request is None:
            self._transport.close()
            return
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request[1])

    def _note(self) -> None:
        assert self._asking is not None
        self._load.answered[(self._asking[0], self._parser.get_status_code(), self._cache)] += 1
        if self._parser.should_keep_alive():
            self._send(self._load.next())
        else:
            self._asking = None
            self._transport.close()
