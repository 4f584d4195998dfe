"""Whether the components that the control API depends on respond."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from modelport_http.wording import counted
from modelport_store.fallback_store import FallbackStore

from modelport_control_api.admin.schemas import Check
from modelport_control_api.http.context import Context
from modelport_control_api.models.wiring import ModelsServices

# Longer than any of them takes that works, shorter than a page is waited for.
_TIMEOUT_SECONDS = 3.0
_NO_DIGEST = "0" * 64


async def check_all(context: Context, services: ModelsServices) -> tuple[Check, Check, Check, Check]:
    """Database, artifacts, shared store and cluster, all at once."""

    async def database() -> None:
        await asyncio.to_thread(context.database.ping)

    async def artifacts() -> None:
        await services.store.exists(_NO_DIGEST)
        if not services.reserve.has_room():
            raise OSError("the disk has no room but its reserve; uploads are refused and jobs wait")

    async def shared_store() -> None:
        await context.store.get(b"health")
        if isinstance(context.store, FallbackStore) and context.store.degraded:
            raise ConnectionError("Redis does not answer; limits and cached responses are each process's own")

    async def cluster() -> None:
        if not services.statuses.live_for():
            raise ConnectionError("the watch of the cluster's models is down; what is shown of them is old")

    return await asyncio.gather(_check(database), _check(artifacts), _check(shared_store), _check(cluster))


async def _check(probe: Callable[[], Awaitable[None]]) -> Check:
    begin = time.perf_counter()
    detail = ""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await probe()
    except TimeoutError:
        detail = f"It does not answer within {counted(_TIMEOUT_SECONDS, 'second')}."
    except Exception as error:  # noqa: BLE001 - whatever it is: it is what the caller wants to know
        detail = f"{type(error).__name__}: {error}"
    milliseconds = (time.perf_counter() - begin) * 1000
    return Check(ok=not detail, milliseconds=round(milliseconds, 2), detail=detail)
