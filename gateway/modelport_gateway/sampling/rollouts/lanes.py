"""Where copies wait for their turn: a bounded queue for each version that gets some."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from modelport_gateway.outcome import PredictionResponse
from modelport_gateway.routing.routes import Endpoint, RolloutRoute
from modelport_gateway.sampling.tap import Seen

# A few hundred pairs decide: what would have to wait for long is not worth what keeping it costs callers.
MAX_WAITING = 20
_MAX_COPY_BYTES = 1024 * 1024
_MAX_LANE_BYTES = 8 * 1024 * 1024
_MAX_BYTES = 64 * 1024 * 1024
# More are forgotten, with the lanes that are idle, when another one comes.
_MANY_ROLLOUTS = 50

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
    dropped: int = 0
    """Copies since its last turn, however many steps of a rollout they were of."""
    dropped_of: RolloutRoute | None = None
    """The last one of them."""
    turn: asyncio.TimerHandle | None = None
    sending: dict[Endpoint, asyncio.Task[None]] = field(default_factory=dict)
    """At most one to a replica."""

    def drop(self, rollout: RolloutRoute) -> None:
        self.dropped += 1
        self.dropped_of = rollout


class Lanes(dict[RolloutRoute, tuple[Lane, Lane]]):
    """By rollout, of copies to its candidate and to its baseline: found with one look on the hot path."""

    def __init__(self) -> None:
        super().__init__()
        self._lanes: dict[Key, Lane] = {}
        self._bytes = 0

    def __missing__(self, rollout: RolloutRoute) -> tuple[Lane, Lane]:
        # Each change of a route makes its rollout another object.
        if len(self) >= _MANY_ROLLOUTS:
            self._forget_idle()
        lanes = self[rollout] = (
            self._lane(rollout, rollout.candidate),
            self._lane(rollout, rollout.baseline),
        )
        return lanes

    def all(self) -> Iterable[Lane]:
        return self._lanes.values()

    def put(self, lane: Lane, seen: Seen, rollout: RolloutRoute) -> bool:
        """Have it wait, and return whether there was room."""
        size = _size(seen)
        if size > min(_MAX_COPY_BYTES, _MAX_LANE_BYTES - lane.bytes, _MAX_BYTES - self._bytes):
            return False
        lane.waiting.append((seen, rollout))
        lane.bytes += size
        self._bytes += size
        return True

    def take(self, lane: Lane) -> Copy:
        copy = lane.waiting.popleft()
        size = _size(copy[0])
        lane.bytes -= size
        self._bytes -= size
        return copy

    def _lane(self, rollout: RolloutRoute, version: str) -> Lane:
        key = (rollout.model, version)
        return self._lanes.setdefault(key, Lane(key))

    def _forget_idle(self) -> None:
        self.clear()
        self._lanes = {
            key: lane for key, lane in self._lanes.items() if lane.waiting or lane.turn or lane.sending
        }


def _size(seen: Seen) -> int:
    sent = seen.outcome.response
    # Problems are short, and written only when they are looked at.
    return len(seen.outcome.body) + (len(sent.body) if type(sent) is PredictionResponse else 0)
