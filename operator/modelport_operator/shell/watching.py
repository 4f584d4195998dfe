"""Turns what happens in the cluster into "look at this model again"."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import structlog
from modelport_crds.names import KIND, LABEL_MODEL
from modelport_kube.kube import Kube, KubeError, Object
from modelport_process.backoff import Backoff

from modelport_operator.core.desired import CHILD_KINDS
from modelport_operator.shell.metrics import WATCH_RESTARTS
from modelport_operator.shell.reconcile import Key

OnKey = Callable[[Key], None]
# Runs for ever and calls what it is given for every model that something happened to.
EventSource = Callable[[OnKey], Coroutine[Any, Any, None]]

WATCHED_KINDS = (KIND, *CHILD_KINDS, "Pod", "EndpointSlice")
# Nobody edits the other children of a cluster in this process; its pods tell the rest.
_LOCAL_KINDS = (KIND, "Deployment", "Pod", "EndpointSlice")

_log = structlog.get_logger()


def watching(kube: Kube, namespaces: Iterable[str | None]) -> EventSource:
    """The watches of the `Kube` interface as an event source."""
    wanted = [(kind, namespace) for namespace in namespaces for kind in _LOCAL_KINDS]

    async def watch_all(on_key: OnKey) -> None:
        async with asyncio.TaskGroup() as group:
            for kind, namespace in wanted:
                group.create_task(watch_for_ever(kube, kind, namespace, on_key))

    return watch_all


async def watch_for_ever(kube: Kube, kind: str, namespace: str | None, on_key: OnKey) -> None:
    """Call `on_key` for everything there is and for every change. A watch that ends is begun anew,
    and its listing names all models again, so nothing that happened meanwhile is missed."""
    backoff = Backoff(0.2, 30.0)
    while True:
        try:
            async for event in kube.watch(kind, namespace):
                backoff.reset()
                if (key := model_key(kind, event.object)) is not None:
                    on_key(key)
        except (KubeError, OSError) as error:
            _log.warning("watch_failed", kind=kind, error=repr(error))
        WATCH_RESTARTS.labels(kind).inc()
        await asyncio.sleep(backoff.next_delay())


def model_key(kind: str, obj: Object) -> Key | None:
    """The model that an object is about; None for objects of no model, and for SYNCED."""
    metadata = obj.get("metadata", {})
    name = metadata.get("name") if kind == KIND else (metadata.get("labels") or {}).get(LABEL_MODEL)
    return Key(metadata["namespace"], name) if name else None
