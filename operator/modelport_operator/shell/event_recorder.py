"""Writes a model's happenings as Kubernetes Events."""

import structlog
from modelport_crds.mlmodel import MLModel, MLModelStatus
from modelport_crds.names import FIELD_MANAGER
from modelport_kube.kube import Kube, KubeError

from modelport_operator.core.events import Event, build_event, event_name, events_of
from modelport_operator.shell.clock import Clock, SystemClock
from modelport_operator.shell.metrics import WRITES

_log = structlog.get_logger()


class EventRecorder:
    """Call it after the status has been written. An Event that cannot be written is lost, and logged."""

    def __init__(self, kube: Kube, clock: Clock | None = None) -> None:
        self._kube = kube
        self._clock = clock or SystemClock()

    async def __call__(self, model: MLModel, status: MLModelStatus) -> None:
        """Write what changed from `model.status`, the status before, to `status`."""
        try:
            for event in events_of(model.status, status):
                await self._write(model, event)
        except (KubeError, OSError) as error:
            _log.warning("event_lost", model=model.public_id, error=repr(error))

    async def _write(self, model: MLModel, event: Event) -> None:
        name = event_name(model, event)
        earlier = await self._kube.get("Event", model.metadata.namespace, name)
        body = build_event(model, event, earlier, self._clock.now())
        await self._kube.apply(body, field_manager=FIELD_MANAGER)
        WRITES.labels("event").inc()
