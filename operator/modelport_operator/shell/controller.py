"""Runs `reconcile` for every model that something happened to. The plain shell: no framework, one process.

One controller at a time may run against a cluster: who is elected is the caller's business.
"""

import asyncio

import structlog
from modelport_crds.names import KIND
from modelport_kube.kube import Kube, KubeError
from modelport_process.background import every
from modelport_process.backoff import KeyedBackoff

from modelport_operator.settings import Settings
from modelport_operator.shell.bundles import Bundles
from modelport_operator.shell.clock import Clock, SystemClock
from modelport_operator.shell.metrics import HELD_BACK, RECONCILE_ERRORS, RECONCILE_SECONDS
from modelport_operator.shell.queue import WorkQueue
from modelport_operator.shell.rate_limiter import PerKeyRateLimiter
from modelport_operator.shell.reconcile import Key, Record, reconcile, record_nothing
from modelport_operator.shell.rollout.evidence import Evidence
from modelport_operator.shell.runtimes import RuntimeClient, Runtimes
from modelport_operator.shell.watching import EventSource, model_key, watching

_log = structlog.get_logger()

_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS = 0.05, 30.0


class Controller:
    """`run` until `stop`. Reacts to events at once; timers only for what no event reports.

    `events`: where they come from; the watches of `kube` unless given. `record`: called with each change
    of a model's status. `drain_seconds`: how long `stop` lets the passes in progress go on. `bundles` and
    `evidence`: as `reconcile` has them.
    """

    def __init__(
        self,
        kube: Kube,
        settings: Settings,
        *,
        events: EventSource | None = None,
        record: Record = record_nothing,
        runtimes: Runtimes | None = None,
        clock: Clock | None = None,
        bundles: Bundles | None = None,
        evidence: Evidence | None = None,
        drain_seconds: float = 0.0,
    ) -> None:
        self._kube = kube
        self._settings = settings
        self._events = events or watching(kube, settings.namespaces)
        self._record = record
        self._runtimes = runtimes or RuntimeClient(sample_timeout_seconds=settings.sample_timeout_seconds)
        self._clock = clock or SystemClock()
        self._bundles = bundles
        self._evidence = evidence
        self._drain_seconds = drain_seconds
        self._queue = WorkQueue()
        self._backoff: KeyedBackoff[Key] = KeyedBackoff(_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS)
        self._pace: PerKeyRateLimiter[Key] = PerKeyRateLimiter()
        # Whose engines have not been probed since the last resync.
        self._unchecked: set[Key] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Return after `stop`. A pass that has not ended by then is broken off: any pass may be.

        Raises an `ExceptionGroup` with what ended the event source.
        """
        async with asyncio.TaskGroup() as group:
            hearing = [group.create_task(self._events(self._queue.add)), group.create_task(self._resync())]
            working = [group.create_task(self._work()) for _ in range(self._settings.concurrency)]
            await self._stopping.wait()
            self._queue.close()
            for task in hearing:
                task.cancel()
            await self._drain()
            for task in working:
                task.cancel()

    def stop(self) -> None:
        self._stopping.set()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._drain_seconds):
                await self._queue.drained()
        except TimeoutError:
            _log.info("passes_broken_off")

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            try:
                if wait := self._pace.wait_before(key):
                    HELD_BACK.inc()
                    self._queue.add_after(key, wait)
                else:
                    await self._pass(key)
            finally:
                self._queue.done(key)

    async def _pass(self, key: Key) -> None:
        check_engines = key in self._unchecked
        try:
            with RECONCILE_SECONDS.time():
                again = await reconcile(
                    self._kube,
                    self._runtimes,
                    key,
                    self._settings,
                    self._clock,
                    record=self._record,
                    check_engines=check_engines,
                    bundles=self._bundles,
                    evidence=self._evidence,
                )
        except Exception as error:  # noqa: BLE001 - one model's trouble, of any kind, must not stop the others
            self._retry(key, error)
            return
        self._backoff.succeeded(key)
        if check_engines:
            self._unchecked.discard(key)
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
        await every(self._settings.resync_seconds, self._add_all, failed="resync_failed", at_once=False)

    async def _add_all(self) -> None:
        for namespace in self._settings.namespaces:
            await self._add_all_of(namespace)

    async def _add_all_of(self, namespace: str | None) -> None:
        try:
            found = await self._kube.list(KIND, namespace)
        except (KubeError, OSError) as error:
            _log.warning("resync_failed", error=repr(error))
            return
        for obj in found:
            if key := model_key(KIND, obj):
                self._unchecked.add(key)
                self._queue.add(key)
