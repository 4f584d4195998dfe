"""Probing a container over its socket, as Kubernetes does, and how fast things happen here."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from modelport_process.backoff import Backoff
from modelport_runtime.process.starvation import MOST_TIMES


@dataclass(frozen=True)
class Timings:
    """All in seconds."""

    starting_probe: float = 0.1
    """Between startup probes, whatever period the template has; its whole time limit is kept."""

    first_restart: float = 0.2
    last_restart: float = 60.0
    ran_well: float = 10.0
    """A process that was ready this long ago resets the backoff."""

    longest_grace: float = 10.0
    """Between SIGTERM and SIGKILL, whatever the template requests."""


def restart_backoff(timings: Timings) -> Backoff:
    """Four times as long after each end in a row of a process that had not run well."""
    return Backoff(timings.first_restart, timings.last_restart, factor=4.0)


_READINESS_PERIOD_SECONDS = 1.0
_SLOW_BY_OTHERS = 0.5
"""From such a share of its time on, that it did not respond is no sign of the container."""


@dataclass(frozen=True, slots=True)
class Termination:
    """Why the process must be killed. `message`: in words."""

    reason: str
    message: str


class Probes:
    """The three probes of one run of a container.

    `waited`: for how many seconds so far its process could not run for others; `on_start` before it counts
    as started; `on_change(started, ready)` after each change.
    """

    def __init__(
        self,
        container: dict[str, Any],
        socket: str | None,
        timings: Timings,
        *,
        waited: Callable[[], float],
        on_start: Callable[[], Awaitable[None]],
        on_change: Callable[[bool, bool], None],
    ) -> None:
        self._startup = container.get("startupProbe")
        self._readiness = container.get("readinessProbe")
        self._liveness = container.get("livenessProbe")
        self._transport = httpx.AsyncHTTPTransport(uds=socket, verify=False)
        self._timings = timings
        self._waited = waited
        self._on_start = on_start
        self._on_change = on_change

    async def run(self) -> Termination:
        """Return only when the process must be killed."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://pod") as client:
            if self._startup and (termination := await self._await_start(client, self._startup)):
                return termination
            await self._on_start()
            self._on_change(True, self._readiness is None)
            following = asyncio.create_task(self._follow_readiness(client))
            try:
                return await self._watch_liveness(client)
            finally:
                following.cancel()

    async def _await_start(self, client: httpx.AsyncClient, probe: dict[str, Any]) -> Termination | None:
        limit = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
        began = time.monotonic()
        while not await _probe(client, probe):
            seconds = time.monotonic() - began
            if seconds > limit and (text := self._too_late(seconds, limit)):
                return Termination("StartupProbeFailed", text)
            await asyncio.sleep(self._timings.starting_probe)
        return None

    def _too_late(self, seconds: float, limit: float) -> str:
        waited = min(self._waited(), seconds)
        if seconds > MOST_TIMES * limit:
            return _starved(seconds, waited)
        return f"It had not started after {limit:.0f} s." if seconds - waited > limit else ""

    async def _follow_readiness(self, client: httpx.AsyncClient) -> None:
        if self._readiness is None:
            return
        failures = 0
        while True:
            healthy = await self._probe_fairly(client, self._readiness)
            failures = 0 if healthy else failures + (healthy is False)
            if healthy:
                self._on_change(True, True)
            elif failures >= self._readiness.get("failureThreshold", 3):
                self._on_change(True, False)
            await asyncio.sleep(_READINESS_PERIOD_SECONDS)

    async def _watch_liveness(self, client: httpx.AsyncClient) -> Termination:
        if self._liveness is None:
            await asyncio.Event().wait()
            raise AssertionError("unreachable: nobody sets that event")
        most = self._liveness.get("failureThreshold", 3)
        failures = starved = 0
        while failures < most and starved < MOST_TIMES * most:
            await asyncio.sleep(self._liveness.get("periodSeconds", 10))
            healthy = await self._probe_fairly(client, self._liveness)
            failures = 0 if healthy else failures + (healthy is False)
            starved = starved + 1 if healthy is None else 0
        happened = "It no longer answered." if failures >= most else "It no longer answered: starved of CPU."
        return Termination("LivenessProbeFailed", happened)

    async def _probe_fairly(self, client: httpx.AsyncClient, probe: dict[str, Any]) -> bool | None:
        """None: it did not respond, but others had the processor for much of the time."""
        began, before = time.monotonic(), self._waited()
        if await _probe(client, probe):
            return True
        seconds = time.monotonic() - began
        return None if self._waited() - before > _SLOW_BY_OTHERS * seconds else False


def _starved(seconds: float, waited: float) -> str:
    return (
        f"It was starved of CPU: of the {seconds:.0f} s since its start it waited {waited:.0f} s for a "
        "processor. It is started again; run less beside it."
    )


async def _probe(client: httpx.AsyncClient, probe: dict[str, Any]) -> bool:
    try:
        async with asyncio.timeout(probe.get("timeoutSeconds", 1)):
            # The body is not read: the container is untrusted, and may send one without end.
            async with client.stream("GET", probe["httpGet"]["path"], timeout=None) as response:
                return 200 <= response.status_code < 400
    except (httpx.HTTPError, OSError, TimeoutError):
        return False
