"""Keeps some requests with their responses for the model's owner: chosen at once, redacted and written
as JSON later.
"""

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson
from modelport_telemetry.usage import kept_prediction
from modelport_telemetry.usage.kept_prediction import KeptPrediction

from modelport_gateway.metrics import SAMPLES_DROPPED
from modelport_gateway.outcome import Outcome, PredictionRequest
from modelport_gateway.routing.routes import Route, VersionRoute
from modelport_gateway.sampling.redaction import Redaction, redaction_of
from modelport_gateway.sampling.tap import Seen, decoded
from modelport_gateway.usage.reports import SampleQueue


@dataclass(frozen=True, slots=True)
class Bodies:
    """None: no JSON, or left out (`truncated`)."""

    request: str | None
    response: str | None
    truncated: bool = False


NO_BODIES = Bodies(None, None, truncated=True)


def kept_bodies(seen: Seen) -> Bodies:
    """Read, redact and write again; where nothing is to be redacted, what was sent is kept as it is."""
    redaction = redaction_of(seen)
    try:
        if redaction is None:
            return Bodies(_json_text(seen.body), _json_text(seen.response))
        return _redacted(seen, redaction)
    except RecursionError:
        # Nested so deeply that it cannot be searched.
        return NO_BODIES


def _redacted(seen: Seen, redaction: Redaction) -> Bodies:
    request = decoded(seen.body)
    # The response after the request, whose hidden values it may repeat.
    shown = None if request is None else _text(redaction.request(seen.call, request))
    response = decoded(seen.response)
    if response is None:
        return Bodies(shown, None)
    redacted = redaction.prediction(response) if seen.status < 400 else redaction.problem(response)
    return Bodies(shown, _text(redacted))


def _json_text(body: bytes) -> str | None:
    return None if decoded(body) is None else body.decode()


def _text(value: Any) -> str:
    return orjson.dumps(value).decode()


# In turns this short and this far apart, parsing holds no request up for more than a millisecond or two, and
# takes a tenth of the core at most.
_ROWS_A_TURN = 4
_TURN_SECONDS = 0.02
_MAX_WAITING = 500
# Looked up once: that costs more than all else that is done for a request that is not kept.
_DROPPED = SAMPLES_DROPPED.labels(kept_prediction.KIND)


class HistoryTap:
    """`rows_per_second`: of one model, at most."""

    def __init__(self, queue: SampleQueue, *, rows_per_second: int) -> None:
        self._queue = queue
        self._limiter = _PerKeyRateLimiter(rows_per_second)
        self._waiting: deque[Seen] = deque()
        self._turn: asyncio.TimerHandle | None = None

    def wants(
        self, route: Route, version: VersionRoute, request: PredictionRequest, outcome: Outcome
    ) -> bool:
        history = route.history
        if history is None or random.random() * 100 >= history.percent:  # noqa: S311 - no secret
            return False
        if self._limiter.takes(route.uid):
            return True
        _DROPPED.inc()
        return False

    def take(self, seen: Seen) -> None:
        history = seen.route.history
        if history is None:
            return
        if len(seen.body) + len(seen.response) > history.max_row_bytes:
            # Not even held: a body may be a thousand times as large.
            self._send(seen, NO_BODIES)
        elif len(self._waiting) >= _MAX_WAITING:
            _DROPPED.inc()
        else:
            self._waiting.append(seen)
            self._turn = self._turn or asyncio.get_running_loop().call_later(_TURN_SECONDS, self._work)

    def flush(self) -> None:
        """Send all that waits, at the end."""
        while self._waiting:
            self._work()

    def _work(self) -> None:
        for _ in range(min(_ROWS_A_TURN, len(self._waiting))):
            seen = self._waiting.popleft()
            self._send(seen, kept_bodies(seen))
        if self._turn is not None:
            self._turn.cancel()
        loop = asyncio.get_running_loop()
        self._turn = loop.call_later(_TURN_SECONDS, self._work) if self._waiting else None

    def _send(self, seen: Seen, bodies: Bodies) -> None:
        history = seen.route.history
        kept = KeptPrediction(
            model=seen.route.public_id,
            version=seen.version.name,
            at=seen.at,
            caller=seen.caller_id,
            api_key=seen.api_key_id,
            request_id=seen.request_id,
            status=seen.status,
            reason=seen.reason,
            cache=seen.cache,
            seconds=seen.seconds,
            request=bodies.request,
            request_bytes=len(seen.body),
            answer=bodies.response,
            truncated=bodies.truncated,
            redacted_fields=list(history.redact_fields) if history else [],
        )
        self._queue.put(kept_prediction.KIND, kept_prediction.encode(kept))


class _PerKeyRateLimiter:
    """So many a second of each key; those of the second before are forgotten."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._taken: dict[str, int] = {}

    def takes(self, key: str) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._taken = second, {}
        taken = self._taken.get(key, 0)
        if taken >= self._per_second:
            return False
        self._taken[key] = taken + 1
        return True
