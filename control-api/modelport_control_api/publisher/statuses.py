"""What the cluster reports of every model, in memory, fed by one watch; responses are made from it."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator

import structlog
from modelport_crds import mlmodel, names
from modelport_kube.kube import KubeWatch, Object
from modelport_kube.reflector import ObjectKey, Reflector, object_key
from prometheus_client import Counter

log = structlog.get_logger(__name__)
WATCH_FAILURES = Counter(
    "modelport_control_api_watch_failures_total",
    "Times that the watch of the cluster's models ended or failed",
)


class ModelStatuses:
    """The MLModels by their public id. `run` feeds it; until it has, nothing is known of any model."""

    def __init__(self, cluster: KubeWatch, namespace: str, *, all_namespaces: bool = False) -> None:
        watched = None if all_namespaces else namespace
        self._reflector = Reflector(cluster, names.KIND, watched, self, on_break=_note_break)
        self.synced = self._reflector.synced
        self._namespace = namespace
        self._models: dict[str, mlmodel.MLModel] = {}
        self._waiters: defaultdict[str, set[asyncio.Event]] = defaultdict(set)
        self._listeners: list[Callable[[str], None]] = []

    def listen(self, on_change: Callable[[str], None]) -> None:
        """Have it called with the id of each model that was put or dropped: of all, when `run` has begun."""
        self._listeners.append(on_change)

    def get(self, model_id: str) -> mlmodel.MLModel | None:
        return self._models.get(model_id)

    def all(self) -> Iterator[tuple[str, mlmodel.MLModel]]:
        """Every model in sight with its public id. Do not wait while you iterate."""
        yield from self._models.items()

    def live_for(self) -> float:
        """Seconds for which changes have been seen as they came; 0 while the watch is down."""
        return self._reflector.live_for()

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
        """Follow the cluster forever; a broken watch is begun again."""
        await self._reflector.run()

    def put(self, obj: Object) -> None:
        """An MLModel as it is now. Raises msgspec.ValidationError, which the reflector logs."""
        model_id = self._id(object_key(obj))
        self._models[model_id] = mlmodel.from_object(obj)
        self._wake(model_id)

    def drop(self, key: ObjectKey) -> None:
        """It was deleted, perhaps while no watch was running."""
        model_id = self._id(key)
        self._models.pop(model_id, None)
        self._wake(model_id)

    def _id(self, key: ObjectKey) -> str:
        return names.public_id(key[0] or self._namespace, key[1], models_namespace=self._namespace)

    def _wake(self, model_id: str) -> None:
        for waiter in self._waiters.get(model_id, ()):
            waiter.set()
        for listener in self._listeners:
            listener(model_id)

    def _forget(self, model_id: str, waiter: asyncio.Event) -> None:
        self._waiters[model_id].discard(waiter)
        if not self._waiters[model_id]:
            del self._waiters[model_id]


def _note_break(error: Exception | None) -> None:
    if error is not None:
        # What is known of the models stays in use.
        log.warning("mlmodel_watch_failed", error=repr(error))
    WATCH_FAILURES.inc()
