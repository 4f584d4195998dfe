"""How many pods for batch jobs each version should have; the publisher writes it to the cluster."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from modelport_crds.mlmodel import MLModel
from modelport_crds.names import LABEL_MANAGED_BY, MANAGED_BY_CONTROL_API
from modelport_process.background import every
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api import outbox
from modelport_control_api.batch import repository
from modelport_control_api.db.base import utc_now
from modelport_control_api.db.session import Transactions
from modelport_control_api.publisher.statuses import ModelStatuses
from modelport_control_api.registry import repository as models
from modelport_control_api.registry.tables import BatchJob

log = structlog.get_logger(__name__)

Replicas = dict[tuple[str, str], int]
"""Pods by model and version."""

# A next job soon after the last one finds its pod still there.
_KEPT_IDLE = timedelta(seconds=60)
_LOOK_EVERY_SECONDS = 2.0


def wanted(session: Session, now: datetime, most: int) -> Replicas:
    """One pod for each unfinished job, at most `most` of a version; one for a while after the last job."""
    idle = select(BatchJob.model_id, BatchJob.version).where(BatchJob.finished_at > now - _KEPT_IDLE)
    kept = [(model_id, version) for model_id, version in session.execute(idle.distinct())]
    needed = repository.requested_replicas(session)
    return dict.fromkeys(kept, 1) | {pair: min(count, most) for pair, count in needed.items()}


def wanted_of(most: int, session: Session, model_id: str) -> dict[str, int]:
    """The same of one model now, by version."""
    found = wanted(session, utc_now(), most).items()
    return {version: count for (model, version), count in found if model == model_id}


@dataclass(frozen=True)
class Demand:
    """Sees to it that a model is published again when it needs other pods. In every replica: it writes only
    what is not on its way already."""

    transactions: Transactions
    statuses: ModelStatuses
    most: int

    async def run(self) -> None:
        """Look forever."""
        await self.statuses.synced.wait()
        await every(_LOOK_EVERY_SECONDS, self.look, failed="batch_demand_unknown")

    async def look(self) -> None:
        needed = await self.transactions.read(lambda session: wanted(session, utc_now(), self.most))
        if different := {model_id for model_id, live in self.statuses.all() if _needs_others(live, needed)}:
            await self.transactions.write(lambda session: publish_again(session, different))


def _needs_others(live: MLModel, needed: Replicas) -> bool:
    """Of a model applied with kubectl the owner sets how many."""
    if live.metadata.labels.get(LABEL_MANAGED_BY) != MANAGED_BY_CONTROL_API:
        return False
    return any(
        version.batch_replicas != needed.get((live.metadata.name, version.name), 0)
        for version in live.spec.versions
    )


def publish_again(session: Session, model_ids: set[str]) -> None:
    """Publish to the cluster how many pods these need, but for models applied with kubectl."""
    waiting = outbox.waiting_among(session, model_ids)
    for model_id in sorted(models.existing_ids(session, model_ids) - waiting):
        outbox.record_change(session, model_id)
