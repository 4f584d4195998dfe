"""Asking a container how it is, over its socket, as Kubernetes asks."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx

from modelport_standalone.local_cluster.pace import Pace

_READINESS_PERIOD_SECONDS = 1.0


class Probes:
    """The three probes of one run of a container; `on_change(started, ready)` after each change."""

    def __init__(
        self,
        container: dict[str, Any],
        socket: str | None,
        pace: Pace,
        on_change: Callable[[bool, bool], None],
    ) -> None:
        self._startup = container.get("startupProbe")
        self._readiness = container.get("readinessProbe")
        self._liveness = container.get("livenessProbe")
        self._transport = httpx.AsyncHTTPTransport(uds=socket)
        self._pace = pace
        self._on_change = on_change

    async def run(self) -> str:
        """Return, with the reason, only when the process must be killed."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://pod") as client:
            if self._startup and not await self._has_started(client, self._startup):
                return "StartupProbeFailed"
            self._on_change(True, self._readiness is None)
            following = asyncio.create_task(self._follow_readiness(client))
            try:
                return await self._watch_liveness(client)
            finally:
                following.cancel()

    async def _has_started(self, client: httpx.AsyncClient, probe: dict[str, Any]) -> bool:
        limit = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
        try:
            async with asyncio.timeout(limit):
                while not await _ask(client, probe):  # noqa: ASYNC110 - another process sets no event
                    await asyncio.sleep(self._pace.starting_probe)
        except TimeoutError:
            return False
        return True

    async def _follow_readiness(self, client: httpx.AsyncClient) -> None:
        if self._readiness is None:
            return
        failures = 0
        while True:
            failures = 0 if await _ask(client, self._readiness) else failures + 1
            if failures == 0:
                self._on_change(True, True)
            elif failures >= self._readiness.get("failureThreshold", 3):
                self._on_change(True, False)
            await asyncio.sleep(_READINESS_PERIOD_SECONDS)

    async def _watch_liveness(self, client: httpx.AsyncClient) -> str:
        if self._liveness is None:
            await asyncio.Event().wait()
            raise AssertionError("unreachable: nobody sets that event")
        failures = 0
        while failures < self._liveness.get("failureThreshold", 3):
            await asyncio.sleep(self._liveness.get("periodSeconds", 10))
            failures = 0 if await _ask(client, self._liveness) else failures + 1
        return "LivenessProbeFailed"


async def _ask(client: httpx.AsyncClient, probe: dict[str, Any]) -> bool:
    try:
        async with asyncio.timeout(probe.get("timeoutSeconds", 1)):
            # The body is not read: the container is a stranger's, and may send one without end.
            async with client.stream("GET", probe["httpGet"]["path"], timeout=None) as answer:
                return 200 <= answer.status_code < 400
    except (httpx.HTTPError, OSError, TimeoutError):
        return False
