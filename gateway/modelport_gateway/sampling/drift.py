"""Counts some rows of completed requests into the bins of their version's reference. No row is sent."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Mapping
from typing import Any
from zlib import crc32

import orjson
from modelport_process.background import every
from modelport_telemetry.drift.bins import ReferenceBins
from modelport_telemetry.drift.counting import RowCounter
from modelport_telemetry.drift.predictions import count_predictions
from modelport_telemetry.usage import drift_counts
from modelport_telemetry.usage.drift_counts import DriftCounts

from modelport_gateway.metrics import SAMPLES_DROPPED
from modelport_gateway.outcome import Outcome, PredictionRequest
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Route, VersionRoute
from modelport_gateway.sampling.references import Version
from modelport_gateway.sampling.tap import Seen
from modelport_gateway.usage.reports import SampleQueue

# As for history, turns are short and far apart; only a large batch after a pause takes some milliseconds.
_ROWS_A_TURN = 50
_TURN_SECONDS = 0.02
_MAX_WAITING = 200
# Longer ones would take the core for too long to parse.
_MAX_BODY_BYTES = 1024 * 1024
_SEND_SECONDS = 2.0
# A batch that comes after a pause is counted whole, up to as many rows as so many seconds allow.
_BURST_SECONDS = 10


class DriftTap:
    """`rows_per_second`: of one version, on average at most; 0: none."""

    def __init__(self, queue: SampleQueue, *, rows_per_second: int) -> None:
        self._queue = queue
        self._rows_per_second = rows_per_second
        self._watched: dict[Version, _Watched] = {}
        self._waiting: deque[tuple[Seen, _Watched]] = deque()
        self._turn: asyncio.TimerHandle | None = None

    def watch(self, versions: Mapping[Version, ReferenceBins]) -> None:
        """Count rows of these versions from now on, and of no others."""
        if not self._rows_per_second:
            return
        before, self._watched = self._watched, {}
        for version, bins in versions.items():
            known = before.pop(version, None)
            if known is None or known.bins is not bins:
                known = _Watched(version, bins, self._rows_per_second)
            self._watched[version] = known

    def wants(
        self, route: Route, version: VersionRoute, request: PredictionRequest, outcome: Outcome
    ) -> bool:
        if not self._watched:
            return False
        watched = self._watched.get((route.public_id, version.name))
        return watched is not None and watched.limiter.has_room()

    def take(self, seen: Seen) -> None:
        watched = self._watched.get((seen.route.public_id, seen.version.name))
        if watched is None or seen.status != 200 or seen.call is not Call.PREDICT:
            return
        if len(self._waiting) >= _MAX_WAITING or len(seen.body) + len(seen.response) > _MAX_BODY_BYTES:
            SAMPLES_DROPPED.labels(drift_counts.KIND).inc()
            return
        watched.limiter.take_one()
        self._waiting.append((seen, watched))
        self._turn = self._turn or asyncio.get_running_loop().call_later(_TURN_SECONDS, self._work)

    async def run(self) -> None:
        """Send what was counted, until cancelled."""

        async def send() -> None:
            self._send()

        await every(_SEND_SECONDS, send, failed="drift_counts_not_sent", at_once=False)

    def flush(self) -> None:
        """Count and send all that waits, at the end."""
        while self._waiting:
            self._work()
        self._send()

    def _work(self) -> None:
        rows = 0
        try:
            while self._waiting and rows < _ROWS_A_TURN:
                seen, watched = self._waiting.popleft()
                rows += watched.count(seen)
        finally:
            if self._turn is not None:
                self._turn.cancel()
            loop = asyncio.get_running_loop()
            self._turn = loop.call_later(_TURN_SECONDS, self._work) if self._waiting else None

    def _send(self) -> None:
        for watched in self._watched.values():
            if counts := watched.take():
                self._queue.put(drift_counts.KIND, drift_counts.encode(counts))


class _Watched:
    """One version, and what was counted of it since the last time."""

    def __init__(self, version: Version, bins: ReferenceBins, rows_per_second: int) -> None:
        self.bins = bins
        self.limiter = _RowRateLimiter(rows_per_second)
        self._version = version
        self._rows = RowCounter(bins)
        self._predictions: dict[str, int] = {}

    def count(self, seen: Seen) -> int:
        """Return how many rows were counted."""
        rows, predictions = _rows_of(seen)
        chosen = self._choose(len(rows))
        for at in chosen:
            row = rows[at]
            self._rows.add(row, crc32(orjson.dumps(row)))
        predicted = (predictions[at] for at in chosen if at < len(predictions))
        count_predictions(self._predictions, predicted, self.bins.predictions)
        return len(chosen)

    def take(self) -> DriftCounts | None:
        if not self._rows.rows:
            return None
        counts = self._rows.take()
        predictions, self._predictions = self._predictions, {}
        model, version = self._version
        return DriftCounts(
            model=model,
            version=version,
            reference=self.bins.reference,
            minute=int(time.time()) // 60,
            rows=counts.rows,
            counted=counts.counted,
            features=counts.features,
            predictions=predictions,
            values=counts.values,
            blocks=counts.blocks,
        )

    def _choose(self, rows: int) -> list[int]:
        """Of many rows, as many as there is room for, at random."""
        if rows <= 1:
            return list(range(rows))
        room = self.limiter.take_more(rows - 1) + 1
        return list(range(rows)) if room >= rows else random.sample(range(rows), room)


class _RowRateLimiter:
    """A bucket of rows that fills with time."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._most = float(per_second * _BURST_SECONDS)
        self._room = self._most
        self._at = time.monotonic()

    def has_room(self) -> bool:
        now = time.monotonic()
        self._room = min(self._most, self._room + (now - self._at) * self._per_second)
        self._at = now
        return self._room >= 1

    def take_one(self) -> None:
        self._room -= 1

    def take_more(self, wanted: int) -> int:
        """Return how many of these may be counted."""
        taken = max(0, min(wanted, int(self._room)))
        self._room -= taken
        return taken


def _rows_of(seen: Seen) -> tuple[list[Any], list[Any]]:
    """The rows of a request and the predictions of its response, in the same order."""
    try:
        sent, returned = orjson.loads(seen.body), orjson.loads(seen.response)
    except orjson.JSONDecodeError:
        return [], []
    match sent, returned:
        case {"input": row}, {"prediction": prediction}:
            return [row], [prediction]
        case {"inputs": [*rows]}, {"predictions": [*predictions]}:
            return rows, predictions
        case {"input": row}, _:
            return [row], []
        case {"inputs": [*rows]}, _:
            return rows, []
    return [], []
