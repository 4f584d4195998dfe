"""The process: serve probes, wait to lead, lead, hand over."""

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import Any

import structlog
from kubernetes.aio.client import ApiClient
from modelport_kube.api import KubernetesApi
from modelport_kube.calls import Call, object_path
from modelport_kube.connect import connected
from modelport_kube.kube import KubeError, Object

from modelport_operator.core.sync import is_edited, replacement
from modelport_operator.settings import Settings
from modelport_operator.shell.bundles import open_bundles
from modelport_operator.shell.controller import Controller
from modelport_operator.shell.event_recorder import EventRecorder
from modelport_operator.shell.kubernetes.http import Health, serving
from modelport_operator.shell.kubernetes.kopf_events import kopf_events
from modelport_operator.shell.kubernetes.leadership import Leadership
from modelport_operator.shell.metrics import LEADER
from modelport_operator.shell.rollout.evidence import open_evidence


class RepairingApi(KubernetesApi):
    """Server-side apply keeps what other writers added; replacing the object does not."""

    async def apply(self, obj: Object, *, field_manager: str) -> Object:
        live = await super().apply(obj, field_manager=field_manager)
        if not is_edited(live):
            return live
        return await self._replace(replacement(obj, live), field_manager)

    async def _replace(self, obj: Object, field_manager: str) -> Object:
        metadata = obj["metadata"]
        path = object_path(obj["kind"], metadata["namespace"], metadata["name"])
        # It holds the resourceVersion: what was written meanwhile is a conflict, and the pass is run again.
        replaced = await self._calls.object(Call("PUT", path, {"fieldManager": field_manager}, obj))
        if replaced is None:
            raise KubeError(f"{path} is gone.")
        return replaced


_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger()


async def run(settings: Settings) -> int:
    """Return the exit code: 0 after a signal, 1 when it cannot go on.

    Raises `CannotListen`, `NoClusterAccess`.
    """
    stop = asyncio.Event()
    _hear_signals(stop)
    health = Health()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(health, settings.listen))
        client = await stack.enter_async_context(connected())
        code = await _lead_once(client, settings, health, stop)
    _log.info("operator_stopped", exit_code=code)
    return code


async def _lead_once(client: ApiClient, settings: Settings, health: Health, stop: asyncio.Event) -> int:
    leadership = Leadership(client, settings.platform_namespace)
    _log.info("waiting_to_lead", identity=leadership.identity, namespace=settings.platform_namespace)
    if not await _unless(stop, leadership.acquire()):
        return 0
    LEADER.set(1)
    _log.info("leading", identity=leadership.identity)
    try:
        return await _lead(leadership, _build_controller(client, settings, stop), health, stop)
    finally:
        LEADER.set(0)
        await leadership.release()


def _build_controller(client: ApiClient, settings: Settings, stop: asyncio.Event) -> Controller:
    kube = RepairingApi(client)
    events = kopf_events(kube, settings, on_started=lambda: _hear_signals(stop))
    return Controller(
        kube,
        settings,
        events=events,
        record=EventRecorder(kube),
        drain_seconds=settings.drain_seconds,
        bundles=open_bundles(settings),
        evidence=open_evidence(settings),
    )


async def _lead(leadership: Leadership, controller: Controller, health: Health, stop: asyncio.Event) -> int:
    """Reconcile until a signal, or until that is not ours to do or cannot be done any more."""
    keeping = asyncio.create_task(leadership.keep())
    working = asyncio.create_task(controller.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({keeping, working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        health.stopping = True
        if stopping.done():
            controller.stop()
            await asyncio.wait({keeping, working}, return_when=asyncio.FIRST_COMPLETED)
        return _ended_well(keeping=keeping, working=working)
    finally:
        await _end({keeping, working, stopping})


def _ended_well(**tasks: asyncio.Task[None]) -> int:
    for name, task in tasks.items():
        if task.done() and (error := task.exception()) is not None:
            _log.error("operator_cannot_go_on", because=name, error=_innermost(error))
            return 1
    return 0


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


async def _unless(stop: asyncio.Event, coroutine: Any) -> bool:
    """Whether it came to its end before `stop`."""
    wanted, stopping = asyncio.create_task(coroutine), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({wanted, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not wanted.done():
            return False
        wanted.result()
        return True
    finally:
        await _end({wanted, stopping})


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _hear_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
