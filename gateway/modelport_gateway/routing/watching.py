"""Keeps the route table true: watches MLModels and EndpointSlices, for ever."""

import asyncio
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import structlog
from modelport_crds.mlmodel import from_object
from modelport_crds.names import LABEL_BATCH_VERSION, LABEL_MODEL, LABEL_MODEL_VERSION

from modelport_gateway.metrics import WATCH_RESTARTS
from modelport_gateway.routing.cluster import ClusterWatch, Object, WatchEvent
from modelport_gateway.routing.routes import Key, RouteTable, Slice

log = structlog.get_logger(__name__)

_RESTART_SECONDS = (0.1, 0.5, 1, 2, 5)


class Sink(Protocol):
    """What a watch writes into."""

    def put(self, obj: Object) -> None: ...

    def drop(self, key: Key) -> None: ...


@dataclass(frozen=True, slots=True)
class Models:
    table: RouteTable

    def put(self, obj: Object) -> None:
        self.table.put_model(from_object(obj))

    def drop(self, key: Key) -> None:
        self.table.drop_model(key)


@dataclass(frozen=True, slots=True)
class Slices:
    table: RouteTable

    def put(self, obj: Object) -> None:
        if _serves(obj):
            self.table.put_slice(_key(obj), read_slice(obj))

    def drop(self, key: Key) -> None:
        self.table.drop_slice(key)


class Watch:
    """One endless watch of one kind. A break keeps what is known; the next listing corrects it."""

    def __init__(self, cluster: ClusterWatch, kind: str, namespace: str | None, sink: Sink) -> None:
        self.synced = asyncio.Event()
        self._cluster = cluster
        self._kind = kind
        self._namespace = namespace
        self._sink = sink
        self._known: set[Key] = set()
        self._breaks = 0

    async def run(self) -> None:
        while True:
            try:
                await self._follow()
            # Whatever a cluster client raises, serving goes on with the routes known; the watch starts anew.
            except Exception as error:  # noqa: BLE001 - counted and logged below
                WATCH_RESTARTS.labels(self._kind).inc()
                log.warning("watch broke", kind=self._kind, error=repr(error))
            await asyncio.sleep(_RESTART_SECONDS[min(self._breaks, len(_RESTART_SECONDS) - 1)])
            self._breaks += 1

    async def _follow(self) -> None:
        listed: set[Key] | None = set()
        async for event in self._cluster.watch(self._kind, self._namespace):
            if event.type == "SYNCED":
                self._forget(self._known - (listed or set()))
                listed = None
                self._breaks = 0
                self.synced.set()
                continue
            self._handle(event)
            if listed is not None:
                listed.add(_key(event.object))

    def _handle(self, event: WatchEvent) -> None:
        key = _key(event.object)
        if event.type == "DELETED":
            self._forget({key})
            return
        try:
            self._sink.put(event.object)
            self._known.add(key)
        except (msgspec.ValidationError, KeyError, TypeError, IndexError, AttributeError) as error:
            # One unreadable object must not stop the others; what was known of it stays.
            log.warning(
                "object cannot be read", kind=self._kind, namespace=key[0], name=key[1], error=str(error)
            )

    def _forget(self, keys: set[Key]) -> None:
        for key in keys:
            self._known.discard(key)
            self._sink.drop(key)


def watches(cluster: ClusterWatch, table: RouteTable, namespace: str | None) -> list[Watch]:
    return [
        Watch(cluster, "MLModel", namespace, Models(table)),
        Watch(cluster, "EndpointSlice", namespace, Slices(table)),
    ]


def read_slice(obj: Object) -> Slice:
    """Read an EndpointSlice: the addresses that may be asked, and those that may if there are no others."""
    labels = obj["metadata"].get("labels") or {}
    port = (obj.get("ports") or [{}])[0].get("port")
    endpoints = [
        (_address(endpoint["addresses"][0], port), endpoint.get("conditions") or {})
        for endpoint in obj.get("endpoints") or []
    ]
    return Slice(
        model=(obj["metadata"]["namespace"], labels.get(LABEL_MODEL, "")),
        version=labels.get(LABEL_MODEL_VERSION, ""),
        addresses=tuple(address for address, conditions in endpoints if _may_be_asked(conditions)),
        leaving=tuple(address for address, conditions in endpoints if _still_answers(conditions)),
    )


def _serves(slice_: Object) -> bool:
    """Pods that do batch jobs are no one else's to ask."""
    return LABEL_BATCH_VERSION not in (slice_["metadata"].get("labels") or {})


def _may_be_asked(conditions: dict[str, Any]) -> bool:
    # The Kubernetes API says that an absent `ready` means ready.
    return conditions.get("ready") is not False and not conditions.get("terminating")


def _still_answers(conditions: dict[str, Any]) -> bool:
    return bool(conditions.get("terminating") and conditions.get("serving"))


def _address(address: str, port: int | None) -> str:
    if address.startswith("unix:"):
        return address
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port}"


def _key(obj: Object) -> Key:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]
