"""A model as it is: what the database wants, and what the cluster has, where the two differ.

A model applied with kubectl has no row: its MLModel is all there is of it.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from modelport_crds.mlmodel import MLModel, MLModelSpec
from modelport_crds.reasons import Reason
from modelport_crds.shares import baselines, weights

from modelport_control_api.publisher.manifest import build_spec
from modelport_control_api.publisher.sync import Difference, differences
from modelport_control_api.registry.records import FeedbackRecord, HistoryRecord, ModelRecord, VersionRecord
from modelport_control_api.registry.status_view import (
    StatusView,
    model_view,
    served_traffic,
    version_view,
)
from modelport_control_api.registry.tables import (
    DEFAULT_FEEDBACK_RETENTION_DAYS,
    DEFAULT_HISTORY_RETENTION_DAYS,
)


@dataclass(frozen=True, slots=True)
class ModelView:
    """`record` is to be shown: of a model that was edited with kubectl, what is in the cluster."""

    record: ModelRecord
    live: MLModel | None
    view: StatusView
    sync: tuple[Difference, ...] = ()
    """Where the cluster's MLModel is out of sync with the record."""

    def version_view(self, name: str) -> StatusView:
        """Return the version's state, reason and message."""
        # With no MLModel, or one that was refused as a whole, what holds of the model holds of its versions.
        if self.view.reason == Reason.NOT_DEPLOYED and (self.live is None or not served_traffic(self.live)):
            return self.view
        return version_view(name, self.live)

    def last_log(self, name: str) -> str:
        """What the operator kept of a failed version's output; empty of every other."""
        known = self.live.status.version(name) if self.live else None
        return known.last_log if known else ""


def look(
    record: ModelRecord, live: MLModel | None, *, settled: bool, refusal: str | None = None
) -> ModelView:
    """`settled`: what was published last has certainly been seen by the watch. `refusal`: the cluster's."""
    if record.managed_by == "kubectl" and live is None:
        return ModelView(record, None, _deleted(record))
    if refusal is not None:
        return ModelView(record, live, _refused(live, refusal))
    if record.waits or not settled or record.managed_by == "kubectl":
        return ModelView(record, live, _status(record, live))
    if live is None:
        return ModelView(record, None, _deleted(record))
    found = differences(build_spec(record), live.spec)
    shown = _as_in_cluster(record, live) if found else record
    return ModelView(shown, live, _status(shown, live), found)


def _status(record: ModelRecord, live: MLModel | None) -> StatusView:
    # While a rollout has the traffic, what is served is what is wanted.
    rolled = served_traffic(live) if live is not None and _has_rollout(live) else {}
    return model_view(rolled or record.traffic, live, record.compatible_with)


def _has_rollout(live: MLModel) -> bool:
    wanted, status = live.spec.rollout, live.status.rollout
    return wanted is not None and status is not None and status.id == wanted.id


def record_of(model_id: str, live: MLModel) -> ModelRecord:
    """A model applied with kubectl, in the shape of those of the API."""
    created_at = time_of(live.metadata.creation_timestamp)
    bare = ModelRecord(
        id=model_id,
        owner_id=live.spec.owner,
        name=live.spec.display_name or live.metadata.name,
        description="",
        access=live.spec.access,
        cache_ttl_seconds=None,
        rate_limit_requests=None,
        rate_limit_period_seconds=60,
        timeout_seconds=live.spec.timeout_seconds,
        acceleration=live.spec.acceleration,
        sticky=live.spec.sticky,
        history=None,
        traffic={},
        revision=live.metadata.generation,
        created_at=created_at,
        updated_at=created_at,
        managed_by="kubectl",
    )
    return _as_in_cluster(bare, live)


def _as_in_cluster(record: ModelRecord, live: MLModel) -> ModelRecord:
    spec = live.spec
    limit = spec.rate_limit
    return replace(
        record,
        name=spec.display_name or record.name,
        owner_id=spec.owner,
        access=spec.access,
        cache_ttl_seconds=spec.cache.ttl_seconds if spec.cache else None,
        rate_limit_requests=limit.requests if limit else None,
        rate_limit_period_seconds=limit.period_seconds if limit else 60,
        timeout_seconds=spec.timeout_seconds,
        acceleration=spec.acceleration,
        sticky=spec.sticky,
        history=_history(record, spec),
        feedback=_feedback(record, spec),
        traffic=weights(spec.traffic),
        compatible_with=baselines(spec.traffic),
        versions=_versions(record, live),
    )


def _history(record: ModelRecord, spec: MLModelSpec) -> HistoryRecord | None:
    if spec.history is None:
        return None
    return HistoryRecord(
        percent=spec.history.percent,
        # The database's alone: the cluster does not know it.
        retention_days=record.history.retention_days if record.history else DEFAULT_HISTORY_RETENTION_DAYS,
        redact_fields=spec.history.redact_fields,
        max_row_bytes=spec.history.max_row_bytes,
    )


def _feedback(record: ModelRecord, spec: MLModelSpec) -> FeedbackRecord | None:
    if spec.feedback is None:
        return None
    # The database's alone, as history's.
    days = record.feedback.retention_days if record.feedback else DEFAULT_FEEDBACK_RETENTION_DAYS
    return FeedbackRecord(spec.feedback.percent, days, spec.feedback.id_field)


def _versions(record: ModelRecord, live: MLModel) -> tuple[VersionRecord, ...]:
    found = []
    for version in live.spec.versions:
        known = record.version(version.name)
        is_same = known is not None and known.sha256 == version.artifact.sha256
        found.append(
            VersionRecord(
                number=int(version.name.removeprefix("v")),
                framework=version.framework,
                environment=version.environment,
                sha256=version.artifact.sha256,
                size=known.size if known and is_same else version.artifact.size,
                sample=version.sample,
                created_at=known.created_at if known and is_same else record.created_at,
                own=known.own if known and is_same else None,
                ensemble=known.ensemble if known and is_same else None,
            )
        )
    return tuple(sorted(found, key=lambda version: version.number))


def _deleted(record: ModelRecord) -> StatusView:
    message = (
        "It was deleted from the cluster outside of the API. "
        f"POST /api/v1/models/{record.id}/redeploy brings it back; DELETE removes it here too."
    )
    return StatusView("failed", Reason.NOT_DEPLOYED, message)


def _refused(live: MLModel | None, refusal: str) -> StatusView:
    served = served_traffic(live)
    goes_on = " What was served before goes on." if served else ""
    return StatusView(
        "degraded" if served else "failed",
        Reason.NOT_DEPLOYED,
        f"The cluster refuses the model as it is: {refusal}{goes_on}",
    )


def time_of(text: str | None) -> datetime:
    """Read a time of the cluster's. None or empty: long ago."""
    return datetime.fromisoformat(text) if text else datetime.fromtimestamp(0, UTC)
