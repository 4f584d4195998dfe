"""Runs `reconcile` for every model that something happened to. The plain shell: no framework, one process.

One controller at a time may run against a cluster: who is elected is the caller's business.
"""

import asyncio
from collections.abc import Coroutine

import structlog
from modelport_crds.kube import Kube, KubeError
from modelport_crds.names import KIND

from modelport_operator.settings import Settings
from modelport_operator.shell.backoff import Backoff
from modelport_operator.shell.clock import Clock, SystemClock
from modelport_operator.shell.metrics import RECONCILE_ERRORS, RECONCILE_SECONDS
from modelport_operator.shell.queue import WorkQueue
from modelport_operator.shell.reconcile import Key, reconcile
from modelport_operator.shell.runtimes import RuntimeClient, Runtimes
from modelport_operator.shell.watching import WATCHED_KINDS, model_key, watch_for_ever

_log = structlog.get_logger()


class Controller:
    """`run` until `stop`. Reacts to events at once; timers only for what no event tells."""

    def __init__(
        self,
        kube: Kube,
        settings: Settings,
        *,
        runtimes: Runtimes | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._kube = kube
        self._settings = settings
        self._runtimes = runtimes or RuntimeClient(sample_timeout_seconds=settings.sample_timeout_seconds)
        self._clock = clock or SystemClock()
        self._queue = WorkQueue()
        self._backoff: Backoff[Key] = Backoff()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Return after `stop`, when the passes under way have been broken off: any pass may be."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in self._works()]
            await self._stopping.wait()
            for task in tasks:
                task.cancel()
        self._queue.close()

    def stop(self) -> None:
        self._stopping.set()

    def _works(self) -> list[Coroutine[None, None, None]]:
        namespace = self._settings.watch_namespace
        return [
            *(watch_for_ever(self._kube, kind, namespace, self._queue.add) for kind in WATCHED_KINDS),
            *(self._work() for _ in range(self._settings.concurrency)),
            self._resync(),
        ]

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                await self._pass(key)
            finally:
                self._queue.done(key)

    async def _pass(self, key: Key) -> None:
        try:
            with RECONCILE_SECONDS.time():
                again = await reconcile(self._kube, self._runtimes, key, self._settings, self._clock)
        except Exception as error:  # noqa: BLE001 - one model's trouble, of any kind, must not stop the others
            self._retry(key, error)
            return
        self._backoff.succeeded(key)
        if again is not None:
            self._queue.add_after(key, again)

    def _retry(self, key: Key, error: Exception) -> None:
        delay = self._backoff.next_delay(key)
        RECONCILE_ERRORS.labels(type(error).__name__).inc()
        expected = isinstance(error, KubeError)
        _log.warning(
            "reconcile_failed",
            namespace=key.namespace,
            model=key.name,
            error=repr(error),
            retry_in_seconds=round(delay, 2),
            exc_info=None if expected else error,
        )
        self._queue.add_after(key, delay)

    async def _resync(self) -> None:
        while True:
            await asyncio.sleep(self._settings.resync_seconds)
            try:
                found = await self._kube.list(KIND, self._settings.watch_namespace)
            except (KubeError, OSError) as error:
                _log.warning("resync_failed", error=repr(error))
                continue
            for obj in found:
                if key := model_key(KIND, obj):
                    self._queue.add(key)
