"""What the cluster says of every model, kept in memory and fed by one watch; answers are made from it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator

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
    """The MLModels by their public id. `run` feeds it; until it has, nothing is known of any model."""

    def __init__(self, cluster: Cluster, namespace: str, *, all_namespaces: bool = False) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._watched = None if all_namespaces else namespace
        self._models: dict[str, mlmodel.MLModel] = {}
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._live_since: float | None = None
        self.synced = asyncio.Event()

    def get(self, model_id: str) -> mlmodel.MLModel | None:
        return self._models.get(model_id)

    def all(self) -> Iterator[tuple[str, mlmodel.MLModel]]:
        """Every model in sight with its public id. Do not wait while you iterate."""
        yield from self._models.items()

    def live_for(self) -> float:
        """Seconds for which changes have been seen as they came; 0 while the watch is down."""
        if self._live_since is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._live_since

    async def wait_until(self, model_id: str, settled: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait for changes of one model until `settled` holds; False: the time is over."""
        changed = asyncio.Event()
        self._waiters[model_id].add(changed)
        try:
            async with asyncio.timeout(timeout_seconds):
                while not settled():
                    await changed.wait()
                    changed.clear()
            return True
        except TimeoutError:
            return False
        finally:
            self._forget(model_id, changed)

    async def run(self) -> None:
        """Follow the cluster for ever; a broken watch is begun again."""
        while True:
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - counted and logged; the watch must never end
                # Whatever it was, what is known of the models stays in use, and the watch is begun again.
                log.warning("the watch of the cluster's models failed", error=repr(error))
            self._live_since = None
            WATCH_FAILURES.inc()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self) -> None:
        listed: set[str] | None = set()
        async for event in self._cluster.watch(names.KIND, self._watched):
            if event.type == "SYNCED":
                self._drop_all_but(listed or set())
                listed = None
                self._live_since = asyncio.get_running_loop().time()
                self.synced.set()
                continue
            model_id = self._take(event)
            if listed is not None and event.type != "DELETED":
                listed.add(model_id)

    def _take(self, event: ClusterEvent) -> str:
        metadata = event.object["metadata"]
        namespace = metadata.get("namespace", self._namespace)
        model_id = names.public_id(namespace, metadata["name"], models_namespace=self._namespace)
        if event.type == "DELETED":
            self._models.pop(model_id, None)
        else:
            self._keep(model_id, event)
        self._wake(model_id)
        return model_id

    def _keep(self, model_id: str, event: ClusterEvent) -> None:
        try:
            self._models[model_id] = mlmodel.from_object(event.object)
        except msgspec.ValidationError as error:
            # Written by something newer or by hand: it must not stop the others from being seen.
            log.warning("an MLModel cannot be read", model=model_id, error=str(error))

    def _drop_all_but(self, listed: set[str]) -> None:
        """Forget what was deleted while no watch was running."""
        for model_id in self._models.keys() - listed:
            del self._models[model_id]
            self._wake(model_id)

    def _wake(self, model_id: str) -> None:
        for waiter in self._waiters.get(model_id, ()):
            waiter.set()

    def _forget(self, model_id: str, waiter: asyncio.Event) -> None:
        self._waiters[model_id].discard(waiter)
        if not self._waiters[model_id]:
            del self._waiters[model_id]
