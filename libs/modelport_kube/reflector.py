"""Keeps a copy of one kind of object true: list, follow, and after every break list again."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog
from modelport_process.backoff import Backoff

from modelport_kube.kube import KubeWatch, Object, WatchEvent

log = structlog.get_logger(__name__)

ObjectKey = tuple[str, str]
"""Namespace and name."""

OnBreak = Callable[[Exception | None], None]
"""Called after every break with what was raised; None: the stream just ended."""

_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
# A listing alone is no recovery: a server that then refuses the watch would be listed again at once.
_STEADY_SECONDS = 5.0
_UNREADABLE = (msgspec.ValidationError, KeyError, TypeError, IndexError, AttributeError)


class Sink(Protocol):
    """What the copy is written into."""

    def put(self, obj: Object) -> None: ...

    def drop(self, key: ObjectKey) -> None:
        """It is gone. It need not have been put: an object that cannot be read is dropped all the same."""
        ...


class Reflector:
    """One endless watch of one kind. A break keeps what is known; the next listing corrects it.

    `synced` is set once the first listing is complete.
    """

    def __init__(
        self, cluster: KubeWatch, kind: str, namespace: str | None, sink: Sink, *, on_break: OnBreak
    ) -> None:
        self.synced = asyncio.Event()
        self._cluster = cluster
        self._kind = kind
        self._namespace = namespace
        self._sink = sink
        self._on_break = on_break
        self._known: set[ObjectKey] = set()
        self._live_since: float | None = None
        self._backoff = Backoff(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS)

    def live_for(self) -> float:
        """Seconds for which changes have been seen as they came; 0 while the watch is down."""
        if self._live_since is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._live_since

    async def run(self) -> None:
        """Follow the cluster until cancelled."""
        while True:
            broke: Exception | None = None
            try:
                await self._follow()
            except Exception as error:  # noqa: BLE001 - handed to on_break; the watch must never end
                broke = error
            if self.live_for() >= _STEADY_SECONDS:
                self._backoff.reset()
            self._live_since = None
            self._on_break(broke)
            await asyncio.sleep(self._backoff.next_delay())

    async def _follow(self) -> None:
        listed: set[ObjectKey] = set()
        async for event in self._cluster.watch(self._kind, self._namespace):
            if event.type == "SYNCED":
                self._drop(self._known - listed)
                self._live_since = asyncio.get_running_loop().time()
                self.synced.set()
                continue
            self._handle(event)
            if self._live_since is None:
                listed.add(object_key(event.object))

    def _handle(self, event: WatchEvent) -> None:
        key = object_key(event.object)
        if event.type == "DELETED":
            self._drop({key})
            return
        self._known.add(key)
        try:
            self._sink.put(event.object)
        except _UNREADABLE as error:
            # One unreadable object must not stop the others; what was known of it stays.
            log.warning("object_unreadable", kind=self._kind, namespace=key[0], name=key[1], error=str(error))

    def _drop(self, keys: set[ObjectKey]) -> None:
        for key in keys:
            self._known.discard(key)
            self._sink.drop(key)


def object_key(obj: Object) -> ObjectKey:
    """Return namespace (empty for an object of the cluster) and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
