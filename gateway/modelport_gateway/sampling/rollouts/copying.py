"""Sends copies of answered requests to the other version of a rollout, and compares what it says.

Callers wait for none of it: copies queue within bounds, a few are under way at a time, and what finds no room
is counted as dropped. A copy counts against no limit and no usage, and neither cache nor history sees it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from modelport_evidence import counters
from modelport_evidence.comparing import disagreements
from modelport_evidence.counters import BASELINE, CANDIDATE, OK
from modelport_telemetry.usage.latency import bucket_of

from modelport_gateway.metrics import ROLLOUT_COPIES
from modelport_gateway.routing.routes import Endpoint, RolloutRoute, RouteTable
from modelport_gateway.sampling.rollouts.segments import KnownSegments
from modelport_gateway.sampling.tap import Seen
from modelport_gateway.upstream.replica import Upstream, UpstreamCall, UpstreamResponse, check_good
from modelport_gateway.upstream.response_reader import (
    EndpointUnreachable,
    ResponseCutOff,
    UpstreamMisbehaved,
    UpstreamTimeout,
)
from modelport_gateway.usage.evidence import EvidenceCounter

_UNDER_WAY = 8
_MAX_WAITING = 500
_MAX_WAITING_BYTES = 16 * 1024 * 1024
_MAX_BYTES = 1024 * 1024
_FAILED = 502
# It has enough to do with callers.
_BUSY = {429, 503}


@dataclass(frozen=True, slots=True)
class Copy:
    """`side`: of the version that answered the caller."""

    seen: Seen
    rollout: RolloutRoute
    side: str

    @property
    def other(self) -> str:
        return BASELINE if self.side == CANDIDATE else CANDIDATE

    @property
    def other_version(self) -> str:
        return self.rollout.baseline if self.side == CANDIDATE else self.rollout.candidate

    @property
    def bytes(self) -> int:
        return len(self.seen.body) + len(self.seen.response)


class Copying:
    def __init__(self, table: RouteTable, upstream: Upstream, evidence: EvidenceCounter) -> None:
        self._table = table
        self._upstream = upstream
        self._evidence = evidence
        self._segments = KnownSegments()
        self._waiting: deque[Copy] = deque()
        self._waiting_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def put(self, copy: Copy) -> None:
        """Have it sent when its turn comes. Called while responses are sent: nothing is parsed here."""
        is_full = len(self._waiting) >= _MAX_WAITING or self._waiting_bytes + copy.bytes > _MAX_WAITING_BYTES
        if is_full or copy.bytes > _MAX_BYTES:
            self._drop(copy)
            return
        self._waiting.append(copy)
        self._waiting_bytes += copy.bytes
        if len(self._tasks) < _UNDER_WAY:
            task = asyncio.get_running_loop().create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Break off what is under way, and drop what waits: nobody was promised a copy."""
        while self._waiting:
            self._drop(self._waiting.popleft())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while self._waiting:
            # A turn for callers first.
            await asyncio.sleep(0)
            if not self._waiting:
                return
            copy = self._waiting.popleft()
            self._waiting_bytes -= copy.bytes
            await self._send(copy)

    async def _send(self, copy: Copy) -> None:
        route = self._table.get(copy.seen.route.public_id)
        version = route.versions.get(copy.other_version) if route else None
        if version is None or not version.answered or not version.endpoints:
            self._drop(copy)
            return
        endpoint = min(version.endpoints, key=_in_flight)
        try:
            answer = await self._answer(copy, endpoint)
        except EndpointUnreachable:
            # Its pod has gone: that is no answer of the model's.
            self._drop(copy)
            return
        # A short request may have an endless response; to parse it would take the core from callers.
        if answer.status in _BUSY or len(answer.body) > _MAX_BYTES:
            self._drop(copy)
            return
        ROLLOUT_COPIES.labels("compared").inc()
        self._evidence.add(copy.seen.route.public_id, copy.rollout, compared(copy, answer, self._segments))

    async def _answer(self, copy: Copy, endpoint: Endpoint) -> UpstreamResponse:
        call = UpstreamCall("POST", "/predict", copy.seen.body, copy.seen.request_id)
        started = asyncio.get_running_loop().time()
        due = started + copy.seen.route.timeout_seconds
        try:
            answer = await self._upstream.send(endpoint, call, due=due)
            if answer.status == OK:
                check_good(call, answer)
            return answer
        except (ResponseCutOff, UpstreamMisbehaved, UpstreamTimeout, TimeoutError):
            # What a caller would have had from it.
            return UpstreamResponse(_FAILED, b"", asyncio.get_running_loop().time() - started)

    def _drop(self, copy: Copy) -> None:
        ROLLOUT_COPIES.labels("dropped").inc()
        self._evidence.add(copy.seen.route.public_id, copy.rollout, {counters.DROPPED: 1})


def compared(copy: Copy, answer: UpstreamResponse, segments: KnownSegments) -> Mapping[str, int]:
    """Return what is counted of a pair."""
    counts = Counter({counters.PAIRS: 1, counters.shadow_latency(copy.other, bucket_of(answer.seconds)): 1})
    if copy.seen.model_seconds:
        counts[counters.shadow_latency(copy.side, bucket_of(copy.seen.model_seconds))] = 1
    if copy.seen.status == answer.status == OK:
        _count_rows(counts, copy, answer, segments)
    elif alone := counters.unanswered_alone({copy.side: copy.seen.status, copy.other: answer.status}):
        counts[alone] += 1
    return counts


def _count_rows(counts: Counter[str], copy: Copy, answer: UpstreamResponse, known: KnownSegments) -> None:
    differing = disagreements(_decoded(copy.seen.response), _decoded(answer.body))
    counts[counters.ROWS] += len(differing)
    counts[counters.DISAGREEMENTS] += sum(differing)
    of_rows = known.known(copy.seen, copy.rollout, _decoded(copy.seen.body))
    for differs, segments in zip(differing, of_rows, strict=False):
        for segment in segments:
            counts[counters.segment_rows(segment)] += 1
            counts[counters.segment_disagreements(segment)] += differs


def _in_flight(endpoint: Endpoint) -> int:
    return endpoint.in_flight


def _decoded(body: bytes) -> Any:
    """None: it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
