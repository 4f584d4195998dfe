"""What the cluster says of every model, kept in memory and fed by one watch; answers are made from it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable

import msgspec
import structlog
from modelport_crds import mlmodel, names
from prometheus_client import Counter

from modelport_control_api.publisher.cluster import Cluster, ClusterEvent

log = structlog.get_logger(__name__)
WATCH_FAILURES = Counter(
    "modelport_control_api_watch_failures_total",
    "Times that the watch of the cluster's models ended or failed",
)
_RETRY_SECONDS = 1.0


class ModelStatuses:
    """The MLModels of one namespace by name. `run` feeds it; until it has, nothing is known of any model."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._models: dict[str, mlmodel.MLModel] = {}
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self.synced = asyncio.Event()

    def get(self, name: str) -> mlmodel.MLModel | None:
        return self._models.get(name)

    async def wait_until(self, name: str, settled: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait for changes of one model until `settled` holds; False: the time is over."""
        changed = asyncio.Event()
        self._waiters[name].add(changed)
        try:
            async with asyncio.timeout(timeout_seconds):
                while not settled():
                    await changed.wait()
                    changed.clear()
            return True
        except TimeoutError:
            return False
        finally:
            self._forget(name, changed)

    async def run(self) -> None:
        """Follow the cluster for ever; a broken watch is begun again."""
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - counted and logged; the watch must never end
                # Whatever it was, what is known of the models stays in use, and the watch is begun again.
                log.warning("the watch of the cluster's models failed", error=repr(error))
            WATCH_FAILURES.inc()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        listed: set[str] | None = set()
        async for event in self._cluster.watch(names.KIND, self._namespace):
            if event.type == "SYNCED":
                self._drop_all_but(listed or set())
                listed = None
                self.synced.set()
                continue
            name = self._take(event)
            if listed is not None and event.type != "DELETED":
                listed.add(name)

    def _take(self, event: ClusterEvent) -> str:
        name: str = event.object["metadata"]["name"]
        if event.type == "DELETED":
            self._models.pop(name, None)
        else:
            self._keep(name, event)
        self._wake(name)
        return name

    def _keep(self, name: str, event: ClusterEvent) -> None:
        try:
            self._models[name] = mlmodel.from_object(event.object)
        except msgspec.ValidationError as error:
            # Written by something newer or by hand: it must not stop the others from being seen.
            log.warning("an MLModel cannot be read", model=name, error=str(error))

    def _drop_all_but(self, listed: set[str]) -> None:
        """Forget what was deleted while no watch was running."""
        for name in self._models.keys() - listed:
            del self._models[name]
            self._wake(name)

    def _wake(self, name: str) -> None:
        for waiter in self._waiters.get(name, ()):
            waiter.set()

    def _forget(self, name: str, waiter: asyncio.Event) -> None:
        self._waiters[name].discard(waiter)
        if not self._waiters[name]:
            del self._waiters[name]
