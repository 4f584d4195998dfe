"""A bounded queue per model: so many requests at a time, so many waiting, first come first served, and
no more.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from modelport_gateway.metrics import IN_FLIGHT, WAITING


class FifoWaiters:
    """A place that is given up goes straight to the next in line: a newcomer cannot slip in between."""

    __slots__ = ("_turns",)

    def __init__(self) -> None:
        self._turns: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._turns)

    async def stand(self, pass_on: Callable[[], None]) -> None:
        """Wait for a place. `pass_on`: gives up one that came when this waiter had just left."""
        turn = asyncio.get_running_loop().create_future()
        self._turns.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                # A place may have been offered, and passed on, between the cancellation and now.
                with suppress(ValueError):
                    self._turns.remove(turn)
            else:
                pass_on()
            raise

    def call_next(self) -> bool:
        """Pass the place on to the next in line; False: nobody waits for it."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return True
        return False


class QueueFull(Exception):
    """More requests wait for the model than its queue holds."""


@dataclass(slots=True)
class _Queue:
    in_flight: int = 0
    waiting: FifoWaiters = field(default_factory=FifoWaiters)


class Admission:
    """Places at models, given in the order of the requests. All on one event loop, hence no locks."""

    def __init__(self, *, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._queues: dict[str, _Queue] = {}
        # Asked when they are shown: counting up and down would cost each request more than its place does.
        IN_FLIGHT.set_function(self._in_flight)
        WAITING.set_function(self._waiting)

    @asynccontextmanager
    async def place(self, model_uid: str, places: int) -> AsyncIterator[None]:
        """Hold one of the model's `places`. Raises QueueFull at once when too many wait already."""
        if not self.enter(model_uid, places):
            await self.wait(model_uid)
        try:
            yield
        finally:
            self.leave(model_uid)

    def enter(self, model_uid: str, places: int) -> bool:
        """Acquire one of the model's `places` if one is free. Its holder must `leave`."""
        queue = self._queues.get(model_uid)
        if queue is None:
            queue = self._queues[model_uid] = _Queue()
        if queue.in_flight >= places:
            return False
        queue.in_flight += 1
        return True

    def is_waited_for(self, model_uid: str) -> bool:
        queue = self._queues.get(model_uid)
        return queue is not None and len(queue.waiting) > 0

    async def wait(self, model_uid: str) -> None:
        """Wait for a place, in line, as one whom `enter` refused. Raises QueueFull."""
        queue = self._queues[model_uid]
        if len(queue.waiting) >= self._max_waiting:
            raise QueueFull
        await queue.waiting.stand(lambda: self._hand_on(queue))

    def leave(self, model_uid: str) -> None:
        """Release a place that `enter` or `wait` gave, once: it goes to the next in line, if there is one."""
        queue = self._queues[model_uid]
        self._hand_on(queue)
        if not queue.in_flight and not queue.waiting:
            del self._queues[model_uid]

    def _in_flight(self) -> int:
        return sum(queue.in_flight for queue in self._queues.values())

    def _waiting(self) -> int:
        return sum(len(queue.waiting) for queue in self._queues.values())

    def _hand_on(self, queue: _Queue) -> None:
        if not queue.waiting.call_next():
            queue.in_flight -= 1
