"""A bounded queue per model: so many requests at a time, so many waiting, and no more."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from modelport_gateway.metrics import IN_FLIGHT, WAITING


class QueueFull(Exception):
    """More requests wait for the model than its queue holds."""


@dataclass(slots=True)
class _Queue:
    in_flight: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Admission:
    """Places at models, given in the order asked. All on one event loop, hence no locks."""

    def __init__(self, *, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def place(self, model_uid: str, places: int) -> AsyncIterator[None]:
        """Hold one of the model's `places`. Raises QueueFull at once when too many wait already."""
        queue = self._queues.setdefault(model_uid, _Queue())
        if queue.in_flight >= places:
            await self._wait(queue)
        else:
            queue.in_flight += 1
        IN_FLIGHT.inc()
        try:
            yield
        finally:
            IN_FLIGHT.dec()
            self._leave(model_uid, queue)

    async def _wait(self, queue: _Queue) -> None:
        if len(queue.waiting) >= self._max_waiting:
            raise QueueFull
        turn = asyncio.get_running_loop().create_future()
        queue.waiting.append(turn)
        WAITING.inc()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                # A place may have been offered, and passed on, between the cancellation and now.
                with suppress(ValueError):
                    queue.waiting.remove(turn)
            else:
                self._hand_on(queue)
            raise
        finally:
            WAITING.dec()

    def _leave(self, model_uid: str, queue: _Queue) -> None:
        self._hand_on(queue)
        if not queue.in_flight and not queue.waiting:
            self._queues.pop(model_uid, None)

    def _hand_on(self, queue: _Queue) -> None:
        # The place goes straight to the next in line: a newcomer cannot slip in between.
        while queue.waiting:
            turn = queue.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        queue.in_flight -= 1
