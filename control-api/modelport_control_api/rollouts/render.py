"""Rollouts as users see them: from the rows, and from what the cluster reports."""

from datetime import datetime

from modelport_crds import mlmodel
from modelport_crds.mlmodel import MLModel, RolloutStatus

from modelport_control_api.registry.records import RolloutRecord
from modelport_control_api.rollouts.schemas import Finding, RolloutAnswer, State, Strategy, number_of

_STATES: dict[mlmodel.RolloutState, State] = {
    "Pending": "pending",
    "Replaying": "replaying",
    "Shadowing": "shadowing",
    "Canary": "canary",
    "Baking": "baking",
    "Promoted": "promoted",
    "RolledBack": "rolled_back",
    "Inconclusive": "inconclusive",
    "Cancelled": "cancelled",
}


def render(record: RolloutRecord, live: MLModel | None) -> RolloutAnswer:
    """live: what the cluster has of the model."""
    status = record.status or _reported(record.number, live)
    return _answer(
        status or RolloutStatus(id=record.number, version=record.version),
        baseline=record.baseline,
        strategy=record.strategy,
        paused=record.paused,
        decision=record.decision,
        created_by=record.created_by,
        created_at=record.created_at,
        ended_at=record.ended_at,
    )


def render_outside(live: MLModel) -> RolloutAnswer | None:
    """Return the rollout of a model that was applied with kubectl: its last one, if it ever had any."""
    wanted, status = live.spec.rollout, live.status.rollout
    if wanted is not None and (status is None or status.id != wanted.id):
        status = RolloutStatus(id=wanted.id, version=wanted.version)
    if status is None:
        return None
    known = wanted if wanted is not None and wanted.id == status.id else None
    return _answer(
        status,
        strategy=known.strategy if known else mlmodel.RolloutStrategy(),
        paused=known.paused if known else False,
        decision=known.decision if known else None,
    )


def _reported(number: int, live: MLModel | None) -> RolloutStatus | None:
    status = live.status.rollout if live else None
    return status if status is not None and status.id == number else None


def _answer(
    status: RolloutStatus,
    *,
    strategy: mlmodel.RolloutStrategy,
    paused: bool,
    decision: mlmodel.RolloutDecision | None,
    baseline: str = "",
    created_by: str | None = None,
    created_at: datetime | None = None,
    ended_at: datetime | None = None,
) -> RolloutAnswer:
    return RolloutAnswer(
        id=status.id,
        version=status.version,
        baseline=status.baseline or baseline,
        state=_STATES[status.state],
        step=status.step,
        weight=status.weight,
        shadow_percent=status.shadow_percent,
        replayed_rows=status.replayed_rows,
        verdict=status.verdict,
        held=status.held,
        paused=paused,
        decision=decision,
        findings=[_finding(each) for each in status.findings],
        strategy=Strategy.of(strategy),
        created_by=created_by,
        created_at=created_at,
        started_at=_time(status.started_at),
        step_started_at=_time(status.step_started_at),
        ended_at=_time(status.ended_at) or ended_at,
    )


def _finding(found: mlmodel.Finding) -> Finding:
    return Finding(
        guardrail=found.guardrail,
        state=found.state,
        estimate=number_of(found.estimate),
        lower=number_of(found.lower),
        upper=number_of(found.upper),
        limit=number_of(found.limit),
        observations=found.observations,
        message=found.message,
    )


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
