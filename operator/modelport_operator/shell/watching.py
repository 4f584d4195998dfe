"""Turns what happens in the cluster into "look at this model again"."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any

import structlog
from modelport_crds.names import KIND, LABEL_MODEL
from modelport_kube.kube import KubeWatch, Object
from modelport_kube.reflector import ObjectKey, Reflector, object_key

from modelport_operator.core.desired import CHILD_KINDS
from modelport_operator.shell.metrics import WATCH_RESTARTS
from modelport_operator.shell.reconcile import Key

OnKey = Callable[[Key], None]
# Runs forever and calls what it is given for every model that something happened to.
EventSource = Callable[[OnKey], Coroutine[Any, Any, None]]

WATCHED_KINDS = (KIND, *CHILD_KINDS, "Pod", "EndpointSlice")
# Nobody edits the other children of a cluster in this process; its pods report the rest.
_LOCAL_KINDS = (KIND, "Deployment", "Pod", "EndpointSlice")

_log = structlog.get_logger()


def watching(kube: KubeWatch, namespaces: Iterable[str | None]) -> EventSource:
    """The watches of the `Kube` interface as an event source."""
    wanted = [(kind, namespace) for namespace in namespaces for kind in _LOCAL_KINDS]

    async def watch_all(on_key: OnKey) -> None:
        async with asyncio.TaskGroup() as group:
            for kind, namespace in wanted:
                note = partial(_note_break, kind)
                group.create_task(
                    Reflector(kube, kind, namespace, _Models(kind, on_key), on_break=note).run()
                )

    return watch_all


class _Models:
    """Calls `on_key` for everything there is, for every change and for what is gone: a listing after a break
    names all models again, so nothing that happened meanwhile is missed."""

    def __init__(self, kind: str, on_key: OnKey) -> None:
        self._kind = kind
        self._on_key = on_key
        self._models: dict[ObjectKey, Key] = {}

    def put(self, obj: Object) -> None:
        if (model := model_key(self._kind, obj)) is not None:
            self._models[object_key(obj)] = model
            self._on_key(model)

    def drop(self, key: ObjectKey) -> None:
        if (model := self._models.pop(key, None)) is not None:
            self._on_key(model)


def _note_break(kind: str, error: Exception | None) -> None:
    if error is not None:
        _log.warning("watch_failed", kind=kind, error=repr(error))
    WATCH_RESTARTS.labels(kind).inc()


def model_key(kind: str, obj: Object) -> Key | None:
    """The model that an object is about; None for objects of no model, and for SYNCED."""
    metadata = obj.get("metadata", {})
    name = metadata.get("name") if kind == KIND else (metadata.get("labels") or {}).get(LABEL_MODEL)
    return Key(metadata["namespace"], name) if name else None
