"""Sends copies of answered requests to the other version of a rollout, and compares what it says.

Callers wait for none of it: a replica gets a copy when nobody else calls it, one at a time, and none while
callers wait for the model or the event loop is behind. What finds no room is counted as dropped.
A copy counts against no limit and no usage, and neither cache nor history sees it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping

from modelport_evidence import counters
from modelport_evidence.comparing import disagreement_at
from modelport_evidence.counters import BASELINE, CANDIDATE, OK
from modelport_telemetry.usage.latency import bucket_of

from modelport_gateway.metrics import ROLLOUT_COPIES
from modelport_gateway.prediction import UPSTREAM_PATHS
from modelport_gateway.request.paths import Call
from modelport_gateway.routing.routes import Endpoint, RolloutRoute, Route, RouteTable, VersionRoute
from modelport_gateway.sampling.rollouts.lanes import MAX_WAITING, Copy, Lane, Lanes
from modelport_gateway.sampling.rollouts.segments import KnownSegments
from modelport_gateway.sampling.tap import Seen, decoded
from modelport_gateway.sampling.tensors import as_predictions, rows_of_tensors
from modelport_gateway.upstream.replica import Upstream, UpstreamCall, UpstreamResponse, check_good
from modelport_gateway.upstream.response_reader import (
    EndpointUnreachable,
    ResponseCutOff,
    UpstreamMisbehaved,
    UpstreamTimeout,
)
from modelport_gateway.usage.evidence import EvidenceCounter

_TURN_SECONDS = 0.005
_LATE_SECONDS = 0.01
_MAX_RESPONSE_BYTES = 1024 * 1024
_FAILED = 502
# It has enough to do with callers.
_BUSY = {429, 503}
_COMPARED, _DROPPED = ROLLOUT_COPIES.labels("compared"), ROLLOUT_COPIES.labels("dropped")


class Copying:
    """`callers_wait`: whether anybody waits for a place at the route's model."""

    def __init__(
        self,
        table: RouteTable,
        upstream: Upstream,
        evidence: EvidenceCounter,
        callers_wait: Callable[[Route], bool],
    ) -> None:
        self._table = table
        self._upstream = upstream
        self._evidence = evidence
        self._callers_wait = callers_wait
        self._segments = KnownSegments()
        self._lanes = Lanes()

    def has_room(self, rollout: RolloutRoute, is_candidates: bool) -> bool:
        """Return whether to `put` what a version answered; where there is no room it is dropped already."""
        lane = self._lanes[rollout][is_candidates]
        if len(lane.waiting) < MAX_WAITING:
            return True
        lane.drop(rollout)
        return False

    def put(self, seen: Seen, rollout: RolloutRoute, is_candidates: bool) -> None:
        """Have it sent to the other version when its turn comes. Called while responses are sent: nothing is
        parsed here."""
        lane = self._lanes[rollout][is_candidates]
        if not self._lanes.put(lane, seen, rollout):
            lane.drop(rollout)
        if lane.turn is None:
            self._have_turn(lane)

    async def aclose(self) -> None:
        """Break off what is under way, and drop what waits: nobody was promised a copy."""
        tasks: list[asyncio.Task[None]] = []
        for lane in self._lanes.all():
            if lane.turn is not None:
                lane.turn.cancel()
            self._drop_waiting(lane)
            tasks += lane.sending.values()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _have_turn(self, lane: Lane) -> None:
        loop = asyncio.get_running_loop()
        lane.turn = loop.call_later(_TURN_SECONDS, self._take_turn, lane, loop.time() + _TURN_SECONDS)

    def _take_turn(self, lane: Lane, due: float) -> None:
        lane.turn = None
        if asyncio.get_running_loop().time() - due < _LATE_SECONDS:
            self._send_waiting(lane)
        self._count_dropped(lane)
        if lane.waiting:
            self._have_turn(lane)

    def _send_waiting(self, lane: Lane) -> None:
        """Send as many as there are idle replicas."""
        route, version = self._found(lane)
        if route is None or version is None:
            self._drop_waiting(lane)
            return
        if self._callers_wait(route):
            return
        for endpoint in version.endpoints:
            if lane.waiting and not endpoint.in_flight and endpoint not in lane.sending:
                self._begin(lane, endpoint)

    def _drop_waiting(self, lane: Lane) -> None:
        while lane.waiting:
            self._drop(self._lanes.take(lane))

    def _count_dropped(self, lane: Lane) -> None:
        if lane.dropped and lane.dropped_of:
            _DROPPED.inc(lane.dropped)
            self._evidence.add(lane.dropped_of, {counters.DROPPED: lane.dropped})
            lane.dropped = 0

    def _found(self, lane: Lane) -> tuple[Route | None, VersionRoute | None]:
        """None: no version that could be called."""
        model, name = lane.key
        route = self._table.get(model)
        version = route.versions.get(name) if route else None
        return route, version if version and version.answered and version.endpoints else None

    def _begin(self, lane: Lane, endpoint: Endpoint) -> None:
        task = asyncio.get_running_loop().create_task(self._send(self._lanes.take(lane), endpoint))
        lane.sending[endpoint] = task
        task.add_done_callback(lambda _: lane.sending.pop(endpoint))

    async def _send(self, copy: Copy, endpoint: Endpoint) -> None:
        seen, rollout = copy
        try:
            answer = await self._answer(seen, endpoint)
        except EndpointUnreachable:
            # Its pod has gone: that is no answer of the model's.
            self._drop(copy)
            return
        # A short request may have an endless response; to parse it would take the core from callers.
        if answer.status in _BUSY or len(answer.body) > _MAX_RESPONSE_BYTES:
            self._drop(copy)
            return
        _COMPARED.inc()
        self._evidence.add(rollout, compared(copy, answer, self._segments))

    async def _answer(self, seen: Seen, endpoint: Endpoint) -> UpstreamResponse:
        call = UpstreamCall("POST", UPSTREAM_PATHS[seen.call], seen.body, seen.request_id)
        started = asyncio.get_running_loop().time()
        due = started + seen.route.timeout_seconds
        try:
            answer = await self._upstream.send(endpoint, call, due=due)
            if answer.status == OK:
                check_good(call, answer)
            return answer
        except (ResponseCutOff, UpstreamMisbehaved, UpstreamTimeout, TimeoutError):
            # What a caller would have had from it.
            return UpstreamResponse(_FAILED, b"", asyncio.get_running_loop().time() - started)

    def _drop(self, copy: Copy) -> None:
        _, rollout = copy
        _DROPPED.inc()
        self._evidence.add(rollout, {counters.DROPPED: 1})


def compared(copy: Copy, answer: UpstreamResponse, segments: KnownSegments) -> Mapping[str, int]:
    """Return what is counted of a pair."""
    seen, rollout = copy
    side, other = (CANDIDATE, BASELINE) if seen.version.name == rollout.candidate else (BASELINE, CANDIDATE)
    counts = Counter({counters.PAIRS: 1})
    if seen.status == answer.status == OK:
        # Not the other way round: a copy has its replica to itself, and so may well be quicker than a caller.
        if side == BASELINE and seen.model_seconds:
            counts[counters.shadow_latency(other, bucket_of(answer.seconds))] = 1
        counts.update(_row(copy, answer, segments))
    elif alone := counters.unanswered_alone({side: seen.status, other: answer.status}):
        counts[alone] += 1
    return counts


def _row(copy: Copy, answer: UpstreamResponse, known: KnownSegments) -> Mapping[str, int]:
    """Of one, drawn at random: rows of one request are alike, and would pass for as many independent ones."""
    seen, rollout = copy
    body, said, other = decoded(seen.body), decoded(seen.response), decoded(answer.body)
    if seen.call is Call.INFER:
        said, other = as_predictions(said), as_predictions(other)
        tensors = body.get("inputs") if isinstance(body, dict) else None
        body = {"inputs": rows_of_tensors(tensors, len(said["predictions"]) if said else 0)}
    row, differs = disagreement_at(said, other, random.randrange)
    counts = {counters.ROWS: 1, counters.DISAGREEMENTS: int(differs)}
    for segment in known.known(seen, rollout, body, row):
        counts[counters.segment_rows(segment)] = 1
        counts[counters.segment_disagreements(segment)] = int(differs)
    return counts
