"""Waiting for facts that tell nobody when they come about."""

import asyncio
import time
from collections.abc import Callable
from typing import Any


def eventually(what: Callable[[], Any], *, seconds: float = 240, every: float = 0.05) -> Any:
    """Call `what` until it gives something true. Raises with what it gave last."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s; last: {answer!r}")
        time.sleep(every)
    return answer


async def until(holds: Callable[[], object], *, seconds: float = 120) -> None:
    """The same while this event loop goes on: what is awaited sets no event. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
