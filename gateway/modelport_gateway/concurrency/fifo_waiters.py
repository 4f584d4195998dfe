"""Who waits for a place, first come first served. On one event loop, hence no locks."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress


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
        """Give the place to the next in line; False: nobody waits for it."""
        while self._turns:
            turn = self._turns.popleft()
            if not turn.done():
                turn.set_result(None)
                return True
        return False
