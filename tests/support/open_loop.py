"""An open loop: requests leave at their times, whatever became of those before; each one is counted.

A closed loop would wait while nothing answers, and so hide the very gap that it should find.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import aiohttp

_GIVE_UP_SECONDS = 30.0
UNLIMITED = {"rate_limit": {"requests": 1_000_000, "period_seconds": 1}}
"""What a model's settings are changed to, so that none of the requests is refused."""


@dataclass(frozen=True)
class Sent:
    """Times are of the monotonic clock; `at` is when it should have left. `status` 0: no response."""

    at: float
    answered: float
    status: int
    version: str = ""
    error: str = ""

    @property
    def latency(self) -> float:
        """From the intended time, so that a late departure counts."""
        return self.answered - self.at


@dataclass
class Report:
    sent: list[Sent] = field(default_factory=list)

    @property
    def statuses(self) -> Counter[int]:
        return Counter(each.status for each in self.sent)

    @property
    def failed(self) -> list[Sent]:
        return [each for each in self.sent if each.status != 200]

    @property
    def longest_gap(self) -> float:
        """Seconds between one good response and the next."""
        times = sorted(each.answered for each in self.sent if each.status == 200)
        return max((later - earlier for earlier, later in pairwise(times)), default=float("inf"))

    def latency(self, percent: int) -> float:
        latencies = sorted(each.latency for each in self.sent)
        return latencies[min(len(latencies) - 1, len(latencies) * percent // 100)]


class OpenLoop:
    """`async with OpenLoop(…) as loop: …; report = await loop.finish()`."""

    def __init__(self, url: str, bodies: Sequence[bytes], headers: dict[str, str], *, rate: float) -> None:
        self._url, self._bodies, self._rate = url, bodies, rate
        self._headers = {"Content-Type": "application/json", **headers}
        self._report = Report()
        self._requests: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()

    async def __aenter__(self) -> "OpenLoop":
        timeout = aiohttp.ClientTimeout(total=_GIVE_UP_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout, connector=connector)
        self._sending = asyncio.create_task(self._send_for_ever())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._sending.cancel()
        await asyncio.gather(self._sending, *self._requests, return_exceptions=True)
        await self._session.close()

    async def finish(self) -> Report:
        """Stop sending, wait for what is in flight, and return all."""
        self._stopping.set()
        await self._sending
        await asyncio.gather(*self._requests)
        return self._report

    async def _send_for_ever(self) -> None:
        begin = time.monotonic()
        number = 0
        while not self._stopping.is_set():
            at = begin + number / self._rate
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            task = asyncio.create_task(self._send(at, self._bodies[number % len(self._bodies)]))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)
            number += 1

    async def _send(self, at: float, body: bytes) -> None:
        status, version, error = 0, "", ""
        try:
            async with self._session.post(self._url, data=body) as response:
                text = await response.text()
                status, version = response.status, response.headers.get("X-Modelport-Version", "")
                error = "" if status == 200 else text[:300]
        except (aiohttp.ClientError, TimeoutError) as problem:
            error = repr(problem)
        self._report.sent.append(Sent(at, time.monotonic(), status, version, error))
