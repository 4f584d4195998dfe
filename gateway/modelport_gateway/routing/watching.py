"""Keeps the route table true: watches MLModels and EndpointSlices, forever."""

from dataclasses import dataclass
from typing import Any

import structlog
from modelport_crds.mlmodel import from_object
from modelport_crds.names import LABEL_BATCH_VERSION, LABEL_MODEL, LABEL_MODEL_VERSION
from modelport_kube.kube import KubeWatch, Object
from modelport_kube.reflector import Reflector, Sink, object_key

from modelport_gateway.metrics import WATCH_RESTARTS
from modelport_gateway.routing.routes import Key, RouteTable, Slice

log = structlog.get_logger(__name__)


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
            self.table.put_slice(object_key(obj), read_slice(obj))

    def drop(self, key: Key) -> None:
        self.table.drop_slice(key)


def watches(cluster: KubeWatch, table: RouteTable, namespace: str | None) -> list[Reflector]:
    """Return what keeps the table as the cluster is: one reflector for models, one for their endpoints."""
    return [
        _follow(cluster, "MLModel", namespace, Models(table)),
        _follow(cluster, "EndpointSlice", namespace, Slices(table)),
    ]


def _follow(cluster: KubeWatch, kind: str, namespace: str | None, sink: Sink) -> Reflector:
    def note(error: Exception | None) -> None:
        # Whatever a cluster client raises, serving goes on with the routes known.
        if error is not None:
            WATCH_RESTARTS.labels(kind).inc()
            log.warning("watch_failed", kind=kind, error=repr(error))

    return Reflector(cluster, kind, namespace, sink, on_break=note)


def read_slice(obj: Object) -> Slice:
    """Read an EndpointSlice: the addresses that may be called, and those that may if there are no others."""
    labels = obj["metadata"].get("labels") or {}
    port = (obj.get("ports") or [{}])[0].get("port")
    endpoints = [
        (_address(endpoint["addresses"][0], port), endpoint.get("conditions") or {})
        for endpoint in obj.get("endpoints") or []
    ]
    return Slice(
        model=(obj["metadata"]["namespace"], labels.get(LABEL_MODEL, "")),
        version=labels.get(LABEL_MODEL_VERSION, ""),
        addresses=tuple(address for address, conditions in endpoints if _may_be_called(conditions)),
        leaving=tuple(address for address, conditions in endpoints if _still_serves(conditions)),
    )


def _serves(slice_: Object) -> bool:
    """Pods that do batch jobs take no other calls."""
    return LABEL_BATCH_VERSION not in (slice_["metadata"].get("labels") or {})


def _may_be_called(conditions: dict[str, Any]) -> bool:
    # The Kubernetes API says that an absent `ready` means ready.
    return conditions.get("ready") is not False and not conditions.get("terminating")


def _still_serves(conditions: dict[str, Any]) -> bool:
    return bool(conditions.get("terminating") and conditions.get("serving"))


def _address(address: str, port: int | None) -> str:
    if address.startswith("unix:"):
        return address
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{port}"
