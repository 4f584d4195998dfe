"""Where copies wait for their turn: a bounded queue for each version that gets some."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from modelport_gateway.outcome import PredictionResponse
from modelport_gateway.routing.routes import Endpoint, RolloutRoute
from modelport_gateway.sampling.tap import Seen

# A few hundred pairs decide: what would have to wait for long is not worth what keeping it costs callers.
_MAX_WAITING = 20
_MAX_COPY_BYTES = 1024 * 1024
_MAX_LANE_BYTES = 8 * 1024 * 1024
_MAX_BYTES = 64 * 1024 * 1024
# More are looked through for idle ones when another one opens.
_MANY_LANES = 100

Key = tuple[str, str]
"""Model, and the version that the copies are for."""


Copy = tuple[Seen, RolloutRoute]
"""A request that is to go to the other version of a rollout. A tuple: one is made for each request."""


@dataclass(slots=True, eq=False)
class Lane:
    """Copies to one version: one that hangs holds up no others."""

    key: Key
    waiting: deque[Copy] = field(default_factory=deque)
    bytes: int = 0
    dropped: dict[RolloutRoute, int] = field(default_factory=dict)
    """Copies since its last turn, by the rollout that they were for."""
    turn: asyncio.TimerHandle | None = None
    sending: dict[Endpoint, asyncio.Task[None]] = field(default_factory=dict)
    """At most one to a replica."""


class Lanes:
    def __init__(self) -> None:
        self._lanes: dict[Key, Lane] = {}
        self._bytes = 0

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def put(self, seen: Seen, rollout: RolloutRoute) -> Lane:
        """Have it wait, or count it as dropped where there is no room; return where."""
        version = rollout.baseline if seen.version.name == rollout.candidate else rollout.candidate
        key = (seen.route.public_id, version)
        lane = self._lanes.get(key) or self._open(key)
        if len(lane.waiting) >= _MAX_WAITING or not self._keep(lane, seen, rollout):
            lane.dropped[rollout] = lane.dropped.get(rollout, 0) + 1
        return lane

    def pop(self, lane: Lane) -> Copy:
        copy = lane.waiting.popleft()
        size = _size(copy[0])
        lane.bytes -= size
        self._bytes -= size
        return copy

    def _keep(self, lane: Lane, seen: Seen, rollout: RolloutRoute) -> bool:
        size = _size(seen)
        if size > min(_MAX_COPY_BYTES, _MAX_LANE_BYTES - lane.bytes, _MAX_BYTES - self._bytes):
            return False
        lane.waiting.append((seen, rollout))
        lane.bytes += size
        self._bytes += size
        return True

    def _open(self, key: Key) -> Lane:
        if len(self._lanes) >= _MANY_LANES:
            self._lanes = {
                known: lane
                for known, lane in self._lanes.items()
                if lane.waiting or lane.turn or lane.sending
            }
        lane = self._lanes[key] = Lane(key)
        return lane


def _size(seen: Seen) -> int:
    sent = seen.outcome.response
    # Problems are short, and written only when they are looked at.
    return len(seen.outcome.body) + (len(sent.body) if type(sent) is PredictionResponse else 0)
