"""The end of a rollout, which the operator reports, written down: in one transaction with what it changes."""

import msgspec
from modelport_crds.mlmodel import MLModel, RolloutStatus
from modelport_crds.shares import scaled
from sqlalchemy.orm import Session

from modelport_control_api.db.base import utc_now
from modelport_control_api.registry import repository, service
from modelport_control_api.registry.guarded import telling
from modelport_control_api.registry.rollout import replace_traffic
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.usage import evidence


def end(session: Session, model_id: str, live: MLModel) -> None:
    """Take the rollout out that is over in the cluster. Nothing if it was done before, or is not ours.

    Promoted: the candidate has all traffic from now on; else it has none.
    """
    status = live.status.rollout
    row = repository.find_locked(session, model_id)
    rollout = row.rollout if row else None
    if row is None or rollout is None or status is None or status.id != rollout.number or not status.is_over:
        return
    rollout.status = msgspec.to_builtins(status)
    rollout.ended_at = utc_now()
    rollout.counts = evidence.without_segments(evidence.read(session, model_id, rollout.number))
    evidence.forget(session, model_id, rollout.number)
    before, after = dict(row.traffic), _traffic_after(row, status)
    if after != before:
        replace_traffic(row, after, {}, live)
    session.flush()
    session.expire(row, ["rollout"])
    detail = {
        "rollout": status.id,
        "version": status.version,
        "state": status.state,
        "verdict": status.verdict,
        "traffic": dict(row.traffic),
        "before": {"traffic": before},
    }
    telling.ended(session, row, status)
    service.finish_change(session, None, row, "rollout.end", detail)


def _traffic_after(row: ModelRow, status: RolloutStatus) -> dict[str, int]:
    if status.state == "Promoted":
        return {status.version: 100}
    others = {name: weight for name, weight in row.traffic.items() if name != status.version}
    return others if len(others) == len(row.traffic) else scaled(others, 100)
