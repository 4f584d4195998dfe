"""Batches of what was counted, sent until the ledger has them, and samples that may be lost, each
second's together.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

import structlog
from modelport_process.background import every, is_cancelled
from modelport_process.backoff import Backoff
from modelport_telemetry.usage import samples as samples_wire
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.samples import Sample
from modelport_telemetry.usage.wire import UsageBatch

from modelport_gateway.metrics import (
    SAMPLES_DROPPED,
    USAGE_SENT_AGAIN,
    USAGE_UNCONFIRMED_BATCHES,
    USAGE_UNCONFIRMED_REQUESTS,
)
from modelport_gateway.usage.counter import UsageCounter
from modelport_gateway.usage.evidence import EvidenceCounter
from modelport_gateway.usage.observed import ObservedPredictions
from modelport_gateway.usage.sink import SinkUnavailable, UsageSink

MAX_WAITING_BYTES = 4 * 1024 * 1024
ENVELOPE_BYTES = 512 * 1024
"""An envelope ends with the sample that reaches it: the control API and Redis take it in one piece."""


class SampleQueue:
    def __init__(self, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._waiting: list[Sample] = []

    def put(self, kind: str, payload: bytes) -> None:
        """Have `payload` given to the control API's handler of `kind`, if all goes well, within seconds."""
        if self._bytes + len(payload) > self._max_bytes:
            SAMPLES_DROPPED.labels(kind).inc()
            return
        self._bytes += len(payload)
        self._waiting.append(Sample(kind, payload))

    def take(self) -> list[list[Sample]]:
        """Return everything that waits, in envelopes, and forget it."""
        envelopes: list[list[Sample]] = []
        room = 0
        for sample in self._waiting:
            if room <= 0:
                envelopes.append([])
                room = ENVELOPE_BYTES
            envelopes[-1].append(sample)
            room -= len(sample.payload)
        self._waiting, self._bytes = [], 0
        return envelopes


log = structlog.get_logger(__name__)

_EVERY_SECONDS = 1.0
# While so many are not confirmed counting goes on in the counter, where what is alike adds up.
_MAX_UNCONFIRMED = 16
_BATCH_LINES = 1000
# Until what the sink took and nobody confirmed is sent again; doubled each time.
_FIRST_AGAIN_SECONDS, _LAST_AGAIN_SECONDS = 5.0, 60.0
# The same in a gateway that stops: what Redis has lost by then it must be given before the end.
_STOPPING_AGAIN_SECONDS = 1.0
# After a sink that failed; doubled each time. The last is short: every turn that fails is one call.
_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 1.0, 8.0
_LAST_TURNS_EVERY_SECONDS = 0.05


@dataclass(slots=True, eq=False)
class _Unconfirmed:
    requests: int
    encoded: bytes
    due: float = 0.0
    sent: int = 0
    """How often the sink took it."""


class UsageReports:
    """`run` beside the requests; `finish` after the last of them."""

    def __init__(
        self,
        counter: UsageCounter,
        samples: SampleQueue,
        sink: UsageSink,
        evidence: EvidenceCounter,
        observed: ObservedPredictions,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._counter = counter
        self._samples = samples
        self._sink = sink
        self._evidence = evidence
        self._observed = observed
        self._clock = clock
        # Not the host's name alone: a restarted process counts from zero.
        self._gateway = f"{socket.gethostname()[:40]}-{os.getpid()}-{uuid4().hex[:8]}"
        self._unconfirmed: dict[str, _Unconfirmed] = {}
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS)
        self._paused_until = 0.0
        self._stopping = False

    async def run(self) -> None:
        await every(_EVERY_SECONDS, self.turn, failed="usage_report_failed", level="error", at_once=False)

    async def turn(self) -> None:
        """Send what is due."""
        self._counter.fold()
        self._evidence.fold()
        if self._clock() >= self._paused_until:
            await self._send_usage()
        await self._send_samples()

    async def finish(self, seconds: float) -> None:
        """Send all that was counted and wait until it is confirmed, for so many seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                self._stopping, self._paused_until = True, 0.0
                for batch in self._unconfirmed.values():
                    batch.due = 0.0
                await self.turn()
                while self._is_waiting() and not is_cancelled():
                    await asyncio.sleep(_LAST_TURNS_EVERY_SECONDS)
                    await self._send_usage()
        if self._is_waiting():
            self._log_unconfirmed()

    def _is_waiting(self) -> bool:
        counted = self._counter.waiting() or self._evidence.is_waiting() or self._observed.is_waiting()
        return bool(self._unconfirmed or counted)

    async def _send_usage(self) -> None:
        if not self._backoff.failures:
            self._make_batches()
        if self._unconfirmed:
            await self._exchange()
        USAGE_UNCONFIRMED_BATCHES.set(len(self._unconfirmed))
        USAGE_UNCONFIRMED_REQUESTS.set(sum(each.requests for each in self._unconfirmed.values()))

    def _make_batches(self) -> None:
        while len(self._unconfirmed) < _MAX_UNCONFIRMED:
            lines, dropped = self._counter.take(_BATCH_LINES)
            evidence = self._evidence.take(_BATCH_LINES)
            observed = self._observed.take(_BATCH_LINES)
            if not lines and not dropped and not evidence and not observed:
                return
            batch = UsageBatch(str(uuid4()), self._gateway, lines, dropped, evidence, observed)
            requests = sum(line.requests for line in lines)
            self._unconfirmed[batch.id] = _Unconfirmed(requests, wire.encode(batch))

    async def _exchange(self) -> None:
        now = self._clock()
        due = {id_: each for id_, each in self._unconfirmed.items() if each.due <= now}
        try:
            confirmed = await self._sink.send(
                {id_: each.encoded for id_, each in due.items()}, self._unconfirmed.keys()
            )
        except SinkUnavailable as error:
            self._pause(error)
            return
        if self._backoff.failures:
            log.info("usage_reports_resumed", unconfirmed_batches=len(self._unconfirmed))
        self._backoff.reset()
        for each in due.values():
            self._note_sent(each)
        for id_ in confirmed:
            self._unconfirmed.pop(id_, None)

    def _note_sent(self, batch: _Unconfirmed) -> None:
        if batch.sent:
            USAGE_SENT_AGAIN.inc()
        again = min(_FIRST_AGAIN_SECONDS * 2**batch.sent, _LAST_AGAIN_SECONDS)
        batch.due = self._clock() + (_STOPPING_AGAIN_SECONDS if self._stopping else again)
        batch.sent += 1

    def _pause(self, error: SinkUnavailable) -> None:
        if not self._backoff.failures:
            log.warning("usage_reports_delayed", error=str(error))
        self._paused_until = self._clock() + self._backoff.next_delay()

    async def _send_samples(self) -> None:
        for envelope in self._samples.take():
            try:
                await self._sink.send_samples(samples_wire.encode(envelope))
            except SinkUnavailable:
                for sample in envelope:
                    SAMPLES_DROPPED.labels(sample.kind).inc()

    def _log_unconfirmed(self) -> None:
        taken = sum(each.requests for each in self._unconfirmed.values() if each.sent)
        untold = sum(each.requests for each in self._unconfirmed.values() if not each.sent)
        lost = untold + self._counter.waiting()
        # Taken by Redis is not lost, though not known to be written down either.
        report = log.warning if lost else log.info
        report("the gateway stops before its usage was confirmed", lost_requests=lost, sent_requests=taken)
