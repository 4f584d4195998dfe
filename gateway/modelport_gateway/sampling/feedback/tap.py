"""Keeps what models with feedback predicted, after their callers have their responses."""

import asyncio
import random
from collections import deque
from typing import Any

from modelport_gateway.metrics import OBSERVED_DROPPED
from modelport_gateway.outcome import Outcome, PredictionRequest
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute
from modelport_gateway.sampling.feedback.asking import Asking
from modelport_gateway.sampling.feedback.rows import Rows, observed, rows_of
from modelport_gateway.sampling.redaction import redaction_of
from modelport_gateway.sampling.tap import Seen, decoded
from modelport_gateway.usage.observed import ObservedPredictions

_UNDER_WAY = 4
_MAX_WAITING = 1000
_MAX_WAITING_BYTES = 16 * 1024 * 1024
# Longer ones would take the core for too long to parse.
_MAX_BYTES = 1024 * 1024


class FeedbackTap:
    """A few requests at a time; what finds no room is dropped, and counted."""

    def __init__(self, kept: ObservedPredictions, asking: Asking) -> None:
        self._kept = kept
        self._asking = asking
        self._waiting: deque[Seen] = deque()
        self._waiting_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def wants(
        self, route: Route, version: VersionRoute, request: PredictionRequest, outcome: Outcome
    ) -> bool:
        feedback = route.feedback
        if feedback is None:
            return False
        return feedback.percent == 100 or random.random() * 100 < feedback.percent  # noqa: S311 - no secret

    def take(self, seen: Seen) -> None:
        if seen.status != 200:
            return
        size = len(seen.body) + len(seen.response)
        is_full = len(self._waiting) >= _MAX_WAITING or self._waiting_bytes + size > _MAX_WAITING_BYTES
        if is_full or size > _MAX_BYTES:
            OBSERVED_DROPPED.inc()
            return
        self._waiting.append(seen)
        self._waiting_bytes += size
        if len(self._tasks) < _UNDER_WAY:
            task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Break off what is being asked, and keep all that waits as it was answered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._waiting:
            seen = self._next()
            self._keep(seen, decoded(seen.body), decoded(seen.response))

    def _next(self) -> Seen:
        seen = self._waiting.popleft()
        self._waiting_bytes -= len(seen.body) + len(seen.response)
        return seen

    async def _work(self) -> None:
        while self._waiting:
            # A turn for callers first.
            await asyncio.sleep(0)
            if self._waiting:
                await self._keep_with_probabilities(self._next())

    async def _keep_with_probabilities(self, seen: Seen) -> None:
        request, response = decoded(seen.body), decoded(seen.response)
        rows = rows_of(request, response)
        try:
            if seen.call is Call.PREDICT and _lacks_probabilities(seen, rows):
                asked = await self._asking.with_probabilities(seen, request)
                # Kept is what the caller was told, and only what belongs to it.
                if rows_of(request, asked).predictions == rows.predictions:
                    response = asked
        finally:
            self._keep(seen, request, response)

    def _keep(self, seen: Seen, request: Any, response: Any) -> None:
        try:
            rows = rows_of(request, _redacted(seen, request, response))
        except RecursionError:
            # Nested so deeply that it cannot be searched for what is hidden.
            OBSERVED_DROPPED.inc()
            return
        kept = list(observed(seen, rows))
        OBSERVED_DROPPED.inc(len(rows.inputs) - len(kept))
        self._kept.add(kept)


def _lacks_probabilities(seen: Seen, rows: Rows) -> bool:
    return seen.version.gives_probabilities and bool(rows.inputs) and rows.probabilities is None


def _redacted(seen: Seen, request: Any, response: Any) -> Any:
    redaction = redaction_of(seen)
    if redaction is None:
        return response
    # The response after the request, whose hidden values it may repeat.
    redaction.request(seen.call, request)
    return redaction.prediction(response)
