"""Work that goes on beside the requests, and loops that end when they are cancelled, whatever they await."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Literal

import structlog


def is_cancelled() -> bool:
    """Whether the running task was cancelled, though nothing was raised in it.

    redis-py sends with `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that comes together
    with its result (https://github.com/python/cpython/issues/86296). A loop that does not check would
    go on forever, and so would everything that waits for its end.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


log = structlog.get_logger(__name__)

Work = Callable[[], Awaitable[None]]
"""Goes on until it is cancelled; called again after it broke."""

_AGAIN_SECONDS = 5.0


@asynccontextmanager
async def working(works: Iterable[Work]) -> AsyncIterator[None]:
    """Have all of it going on; on exit cancel it and wait for its end."""
    tasks = [asyncio.create_task(_keep_going(work)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_going(work: Work) -> None:
    while True:
        try:
            return await work()
        except Exception:
            # What it expects it deals with itself. A task that ends unseen is missed when it is too late.
            log.exception("background_work_failed", work=work.__qualname__)
            await asyncio.sleep(_AGAIN_SECONDS)


async def every(
    seconds: float | Callable[[], float],
    step: Callable[[], Awaitable[object]],
    *,
    failed: str,
    catches: type[Exception] | tuple[type[Exception], ...] = Exception,
    level: Literal["debug", "warning", "error"] = "warning",
    at_once: bool = True,
    **fields: str,
) -> None:
    """Call `step`, wait `seconds`, and so on until cancelled. `at_once` False: wait first.

    What `step` raises of `catches` is logged as `failed`, with `fields`, and the next round tries again;
    anything else is raised. A callable for `seconds` is called before each wait.
    """
    due = at_once
    while not is_cancelled():
        if due:
            try:
                await step()
            except catches as error:
                getattr(log, level)(failed, error=repr(error), **fields)
        due = True
        await asyncio.sleep(seconds() if callable(seconds) else seconds)
