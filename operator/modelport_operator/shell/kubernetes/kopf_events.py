"""kopf as the controller's event source: its handlers name the model that something happened to, no more.

kopf writes nothing here: no finalizer, no annotation, no Event, no peering. It lists, watches, logs in and
restarts watches.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Collection
from dataclasses import asdict
from functools import partial
from typing import Any

import kopf
import structlog
from modelport_crds.names import KIND, LABEL_MODEL
from modelport_kube.connect import runs_in_pod
from modelport_kube.kube import RESOURCES, Kube, KubeError

from modelport_operator.settings import Settings
from modelport_operator.shell.watching import WATCHED_KINDS, EventSource, OnKey, model_key

# The API server ends each stream after this long, so that connections spread over its replicas again.
_STREAM_SECONDS = 300
_CONNECT_SECONDS = 10.0
_REQUEST_SECONDS = 30.0
_STOP_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 2.0

_log = structlog.get_logger()


class WatchEnded(Exception):
    """kopf gave up: nothing would be heard of any more."""


def kopf_events(kube: Kube, settings: Settings, *, on_started: Callable[[], None]) -> EventSource:
    """`on_started` is called once kopf has taken the signals of the process, to take them back."""

    # It would log each event that a handler has heard.
    logging.getLogger("kopf.objects").setLevel(logging.WARNING)

    async def run(on_key: OnKey) -> None:
        await _until_readable(kube, settings.namespaces[0])
        tasks = await _spawn(settings, on_key)
        on_started()
        try:
            await _until_one_ends(tasks)
        finally:
            await _stop(tasks)

    return run


async def _until_readable(kube: Kube, namespace: str | None) -> None:
    """kopf looks once which kinds there are: without the CRD it would hear of everything but models."""
    while True:
        try:
            await kube.list(KIND, namespace)
            return
        except KubeError as error:
            _log.warning("models_unreadable", error=str(error))
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)


async def _spawn(settings: Settings, on_key: OnKey) -> Collection[asyncio.Task[Any]]:
    namespaces = settings.watch_namespaces
    return await kopf.spawn_tasks(
        registry=build_registry(on_key),
        settings=build_kopf_settings(settings),
        standalone=True,
        # Its own would have the user's name, and an id that the cluster gave the pod has none.
        identity=socket.gethostname(),  # type: ignore[arg-type]
        clusterwide=not namespaces,
        namespaces=namespaces,
    )


async def _until_one_ends(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Not `kopf.run_tasks`: in the end it cancels every task of the process that is younger than kopf's."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    task = done.pop()
    error = None if task.cancelled() else task.exception()
    raise WatchEnded(f"kopf's {task.get_name()} has ended: {error!r}") from error


async def _stop(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=_STOP_SECONDS)


def build_registry(on_key: OnKey) -> kopf.OperatorRegistry:
    """Return handlers of all watched kinds, and the login. `on_key` is not called for objects of no model."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(id="login", registry=registry)(_login)
    for kind in WATCHED_KINDS:
        handler = partial(_handle, kind, on_key)
        kopf.on.event(*_resource(kind), id=f"on-{kind.lower()}", registry=registry)(handler)
    return registry


def build_kopf_settings(settings: Settings) -> kopf.OperatorSettings:
    """Return kopf's settings: it writes nothing, and of all but models it watches what has our label."""
    built = kopf.OperatorSettings()
    built.posting.enabled = False
    # Namespaces and kinds are known: it need not watch CRDs and namespaces, nor may it.
    built.scanning.disabled = True
    # Nothing of ours hangs; the default would kill the process ten minutes after a stop.
    built.process.ultimate_exiting_timeout = None
    built.networking.request_timeout = _REQUEST_SECONDS
    built.networking.connect_timeout = _CONNECT_SECONDS
    built.watching.server_timeout = _STREAM_SECONDS
    built.watching.client_timeout = _STREAM_SECONDS + _REQUEST_SECONDS
    built.watching.connect_timeout = _CONNECT_SECONDS
    built.watching.inactivity_timeout = settings.watch_silence_seconds
    for kind in WATCHED_KINDS:
        if kind != KIND:
            # Filtered by the server: of all else the cluster has plenty that is not ours.
            built.watching.label_selectors[_resource(kind)] = LABEL_MODEL
    return built


async def _handle(kind: str, on_key: OnKey, *, body: kopf.Body, **_: Any) -> None:
    if (key := model_key(kind, {"metadata": body["metadata"]})) is not None:
        on_key(key)


async def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """As modelport_kube.connect does it. Called again when the API server refuses a token."""
    log_in = kopf.login_with_service_account if runs_in_pod() else kopf.login_with_kubeconfig
    found = log_in(**kwargs)
    return found and _Connection(**asdict(found))


class _Connection(kopf.ConnectionInfo):
    def as_ssl_context(self) -> ssl.SSLContext:
        """Return a context that verifies as modelport_kube.connect's does."""
        context = super().as_ssl_context()
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def _resource(kind: str) -> tuple[str, str, str]:
    group, _, version = RESOURCES[kind].rpartition("/")
    return group, version, kind
