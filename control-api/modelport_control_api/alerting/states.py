"""In the background: sees in the cluster that a model got ready, degraded or failed, and tells it.

Level-triggered: what was told last is in the database, so any number of control APIs may do it, and one that
was killed at any moment neither loses a change nor tells it twice.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from modelport_crds.mlmodel import MLModel
from modelport_process.background import every
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from modelport_control_api import outbox
from modelport_control_api.alerting.tables import UNTOLD, ModelStateRow
from modelport_control_api.alerts import events
from modelport_control_api.alerts.events import Fact
from modelport_control_api.alerts.types import EventType
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.model_view import ModelView, time_of
from modelport_control_api.models.wiring import ModelsServices
from modelport_control_api.registry import repository
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.status_view import heaviest

_LOOK_EVERY_SECONDS = 1.0
_LOOK_AT_ALL_EVERY_SECONDS = 60.0
# A model that crashes again and again is ready in between.
_RECOVERED_AFTER = timedelta(minutes=5)

Told = Literal["ready", "degraded", "failed"]
_TYPES: dict[Told, EventType] = {
    "ready": "model.ready",
    "degraded": "model.degraded",
    "failed": "model.failed",
}


@dataclass
class ModelStates:
    """Looks at what the watch saw change, and now and then at all models: some change without it."""

    models: ModelsServices
    _seen: dict[str, MLModel] = field(default_factory=dict)
    _next_round: float = 0.0

    async def run(self) -> None:
        """Look forever."""
        await self.models.statuses.synced.wait()
        await every(_LOOK_EVERY_SECONDS, self.look, failed="model_states_not_told", catches=SQLAlchemyError)

    async def look(self) -> None:
        """Tell each state that is new."""
        # Without a watch nothing is known of now.
        if not self.models.statuses.live_for():
            return
        seen = dict(self.models.statuses.all())
        for model_id in await self._to_look_at(seen):
            await self._look_at(model_id)
        self._seen = seen

    async def _to_look_at(self, seen: dict[str, MLModel]) -> set[str]:
        changed = {id_ for id_, live in seen.items() if self._seen.get(id_) is not live}
        if time.monotonic() < self._next_round:
            return changed
        self._next_round = time.monotonic() + _LOOK_AT_ALL_EVERY_SECONDS
        return changed | await self.models.transactions.read(repository.all_ids)

    async def _look_at(self, model_id: str) -> None:
        transactions = self.models.transactions
        known = await transactions.read(lambda session: _known(session, model_id))
        state = _state(self.models.reader.look(known.record), known.told) if known else None
        # Most changes of an MLModel are none of its state: only those are worth a writer's lock.
        if known and state and (state.status, state.version) != known.told:
            await transactions.write(lambda session: tell(session, model_id, state, known.told))


@dataclass(frozen=True, slots=True)
class _Known:
    """`told`: status and version, as they were told last."""

    record: ModelRecord
    told: tuple[str, str]


@dataclass(frozen=True, slots=True)
class _State:
    """`version`: the one that got ready, or is to blame."""

    status: Told
    version: str
    reason: str
    message: str


def tell(session: Session, model_id: str, state: _State, was: tuple[str, str]) -> None:
    """Tell it, unless another control API did after `was` was told."""
    # Locked first, as by all that changes a model: then two tellers follow each other.
    row = repository.find_locked(session, model_id)
    if row is None:
        return
    told = session.get(ModelStateRow, model_id, populate_existing=True)
    if told is None:
        told = ModelStateRow(model_id=model_id, status="", version="", changes=0)
        session.add(told)
    if (told.status, told.version) != was:
        return
    told.status, told.version, told.changes = state.status, state.version, told.changes + 1
    if was[0] != UNTOLD:
        more = {"status": state.status, "reason": state.reason}
        fact = Fact(_TYPES[state.status], str(told.changes), state.message, state.version or None, more)
        events.record(session, repository.subject_of(row), fact)


def _known(session: Session, model_id: str) -> _Known | None:
    row = repository.find(session, model_id)
    if row is None:
        return None
    told = session.get(ModelStateRow, model_id)
    record = repository.to_record(row, waits=bool(outbox.waiting_among(session, [model_id])))
    return _Known(record, (told.status, told.version) if told else ("", ""))


def _state(shown: ModelView, told: tuple[str, str]) -> _State | None:
    """None: it is on its way to another one."""
    view, version = shown.view, _version(shown) or ""
    if view.status == "pending":
        return None
    recovers = view.status == "ready" and told == ("degraded", version)
    if recovers and shown.live and utc_now() - _sound_since(shown.live) < _RECOVERED_AFTER:
        return None
    return _State(view.status, version, view.reason, view.message)


def _sound_since(live: MLModel) -> datetime:
    times = [each.last_transition_time for each in live.status.conditions if each.type == "Degraded"]
    return time_of(times[0] if times else None)


def _version(shown: ModelView) -> str | None:
    traffic = shown.record.traffic
    to_blame = [name for name in traffic if shown.version_view(name).status in ("failed", "degraded")]
    if shown.view.status != "ready" and to_blame:
        return to_blame[0]
    return heaviest(traffic)
