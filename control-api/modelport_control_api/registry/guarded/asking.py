"""Asking for a rollout, and steering the one that goes on."""

from typing import Literal

import msgspec
from modelport_crds.mlmodel import MLModel, RolloutStrategy
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from modelport_control_api.identity import Caller
from modelport_control_api.registry import repository, service
from modelport_control_api.registry.errors import (
    NothingToRollOut,
    NoTruth,
    RolloutNotFound,
    RolloutOver,
    VersionNotReady,
)
from modelport_control_api.registry.guarded import telling
from modelport_control_api.registry.records import RolloutRecord
from modelport_control_api.registry.rollout import require_free_traffic
from modelport_control_api.registry.status_view import heaviest, served_traffic, version_view
from modelport_control_api.registry.tables import ModelRow, RolloutRow
from modelport_control_api.usage import evidence

Step = Literal["pause", "resume", "promote", "rollback", "cancel"]
_MOST = 200


def start(
    session: Session,
    caller: Caller,
    model_id: str,
    version: str,
    *,
    strategy: RolloutStrategy,
    live: MLModel | None,
) -> RolloutRecord:
    """Raises VersionNotFound, VersionNotReady, NothingToRollOut, RolloutOn, ExperimentOn, NoTruth."""
    row = service.own_locked(session, caller.principal, model_id)
    service.find_version(row, version)
    require_free_traffic(row)
    baseline = _baseline(row, version, live)
    if strategy.guardrails.quality != "off":
        _require_truth(row, baseline, live)
    rollout = RolloutRow(
        model_id=model_id,
        number=_next_number(session, model_id),
        version=version,
        baseline=baseline,
        strategy=msgspec.to_builtins(strategy),
        created_by=caller.principal.user_id,
    )
    session.add(rollout)
    _flush(session, row)
    detail = {"rollout": rollout.number, "version": version, "strategy": rollout.strategy}
    telling.started(session, row, rollout)
    service.finish_change(session, caller, row, "rollout.start", detail)
    return repository.to_rollout_record(rollout)


def steer(
    session: Session, caller: Caller, model_id: str, number: int, *, step: Step, live: MLModel | None
) -> RolloutRecord:
    """Ask for it. Asked for already, it changes nothing.

    Raises RolloutNotFound, RolloutOver, VersionNotReady.
    """
    row = service.own_locked(session, caller.principal, model_id)
    rollout = _find(session, model_id, number)
    _require_going_on(rollout, live)
    if step == "promote":
        _require_ready(rollout.version, live)
    if _set(rollout, step):
        _flush(session, row)
        detail = {"rollout": number, "version": rollout.version, "step": step}
        service.finish_change(session, caller, row, "rollout.steer", detail)
    return repository.to_rollout_record(rollout)


def find(session: Session, model_id: str, number: int) -> RolloutRecord:
    """Raises RolloutNotFound."""
    return repository.to_rollout_record(_find(session, model_id, number))


def list_all(session: Session, model_id: str) -> list[RolloutRecord]:
    """The newest first."""
    query = select(RolloutRow).where(RolloutRow.model_id == model_id)
    rows = session.scalars(query.order_by(RolloutRow.number.desc()).limit(_MOST))
    return [repository.to_rollout_record(row) for row in rows]


def counts_of(session: Session, model_id: str, number: int) -> evidence.Counts:
    """Return what was counted of it by step; without segments once it has ended."""
    found = session.get(RolloutRow, (model_id, number))
    if found is not None and found.ended_at is not None:
        return found.counts or {}
    return evidence.read(session, model_id, number)


def going_on(session: Session) -> set[tuple[str, int]]:
    """Return those of all models that have not ended, each as model and number."""
    query = select(RolloutRow.model_id, RolloutRow.number).where(RolloutRow.ended_at.is_(None))
    return {(model_id, number) for model_id, number in session.execute(query)}


def _find(session: Session, model_id: str, number: int) -> RolloutRow:
    found = session.get(RolloutRow, (model_id, number))
    if found is None:
        raise RolloutNotFound(f"The model has no rollout {number}.")
    return found


def _next_number(session: Session, model_id: str) -> int:
    last = session.scalar(select(func.max(RolloutRow.number)).where(RolloutRow.model_id == model_id))
    return (last or 0) + 1


def _baseline(row: ModelRow, version: str, live: MLModel | None) -> str:
    """Return what it is compared with."""
    view = version_view(version, live)
    if view.status == "failed":
        raise VersionNotReady(f"{version} failed and cannot be rolled out: {view.message}")
    # Before the cluster was seen, as it was wanted.
    baseline = heaviest(row.traffic if live is None else served_traffic(live))
    if baseline is None:
        raise NothingToRollOut(
            f"No version serves that {version} could be compared with: give it the traffic instead."
        )
    if version in (baseline, heaviest(row.traffic)):
        raise NothingToRollOut(
            f"{version} has most of the traffic, or is about to get it, and so there is nothing to compare "
            "it with: give the traffic to the version that it is to replace, then start the rollout."
        )
    return baseline


def _require_truth(row: ModelRow, baseline: str, live: MLModel | None) -> None:
    if row.feedback_percent is None:
        raise NoTruth(
            "guardrails.quality needs to be told what is true, and the model's feedback is off: turn it on "
            '(PATCH …/models/{id} with {"feedback": {}}), or leave the guardrail out.'
        )
    status = live.status.version(baseline) if live else None
    if status is not None and (status.signature or {}).get("task") == "regressor":
        raise NoTruth(
            f"guardrails.quality compares classes, and {baseline} predicts numbers: leave it out, and see "
            "GET …/quality for the errors of both versions."
        )


def _require_going_on(rollout: RolloutRow, live: MLModel | None) -> None:
    status = live.status.rollout if live else None
    is_over = status is not None and status.id == rollout.number and status.is_over
    if rollout.ended_at is not None or is_over:
        raise RolloutOver(
            f"Rollout {rollout.number} of {rollout.version} is over: read it for its verdict, start another "
            "one, or move the traffic by hand."
        )


def _require_ready(version: str, live: MLModel | None) -> None:
    view = version_view(version, live)
    if view.status != "ready":
        raise VersionNotReady(f"{version} is {view.status} and cannot get requests: {view.message}")


def _set(rollout: RolloutRow, step: Step) -> bool:
    """False: it was asked for before."""
    if step in ("pause", "resume"):
        paused = step == "pause"
        changes, rollout.paused = rollout.paused != paused, paused
        return changes
    if rollout.decision not in (None, step):
        raise RolloutOver(
            f"Somebody has asked to {rollout.decision} rollout {rollout.number} already; it ends in seconds."
        )
    changes, rollout.decision = rollout.decision is None, step
    return changes


def _flush(session: Session, row: ModelRow) -> None:
    session.flush()
    # It is for viewing only, and knows nothing of what was added.
    session.expire(row, ["rollout"])
