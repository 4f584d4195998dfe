"""How many predictions are in flight, whichever path they came by: a stop waits for them."""

import asyncio
from types import TracebackType


class InFlight:
    """`with in_flight: …` around each prediction."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.idle = asyncio.Event()
        """Set while none is."""
        self.idle.set()

    def __enter__(self) -> None:
        self.in_flight += 1
        self.idle.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            self.idle.set()
