"""One disturbance under load, from a calm start to a calm end."""

import asyncio
from collections.abc import Callable

from tests.e2e.disturbances.harness import Harness
from tests.support.open_loop import Report

_BEFORE_SECONDS = 3.0
# What a disturbance breaks may show only once routes, leases and connections have been renewed.
_AFTER_SECONDS = 15.0


async def measure(harness: Harness, disturb: Callable[[Harness], None]) -> Report:
    await asyncio.to_thread(harness.settle)
    async with harness.under_load() as load:
        await asyncio.sleep(_BEFORE_SECONDS)
        await asyncio.to_thread(disturb, harness)
        await asyncio.sleep(_AFTER_SECONDS)
        return await load.finish()
