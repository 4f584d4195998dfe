"""Starting an experiment, finding it, and ending it: each change in one transaction with the traffic's."""

from modelport_crds.mlmodel import MLModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from modelport_control_api.db.base import utc_now
from modelport_control_api.errors import InvalidFields
from modelport_control_api.experiments.schemas import ExperimentStart, Terms
from modelport_control_api.identity import Caller
from modelport_control_api.registry import service
from modelport_control_api.registry.errors import (
    ExperimentNotFound,
    ExperimentOver,
    NotDecided,
    VersionNotReady,
)
from modelport_control_api.registry.rollout import forced, replace_traffic
from modelport_control_api.registry.status_view import version_view
from modelport_control_api.registry.tables import ExperimentRow, ModelRow
from modelport_control_api.registry.traffic import move

_MOST = 200
# All predictions: the share that is kept is drawn by request, and units would be counted in part.
_ALL_PERCENT = 100


def start(
    session: Session,
    caller: Caller,
    model_id: str,
    wanted: ExperimentStart,
    live: MLModel | None,
    *,
    force: bool = False,
) -> ExperimentRow:
    """Move the traffic to the arms, have units stay on theirs, and have what is predicted kept.

    force: also to versions that lack what callers depend on. Raises ModelNotFound and what `move` raises.
    """
    row = service.own_locked(session, caller.principal, model_id)
    move(row, wanted.arms, live, force=force)
    _require_retention(row, wanted.max_days)
    experiment = ExperimentRow(
        model_id=model_id,
        number=_next_number(session, model_id),
        arms=dict(wanted.arms),
        design=wanted.terms.model_dump(mode="json"),
        before={"sticky": row.sticky, "feedback_percent": row.feedback_percent},
        created_by=caller.principal.user_id,
    )
    session.add(experiment)
    row.sticky, row.feedback_percent = wanted.unit, _ALL_PERCENT
    service.require_id_that_may_be_kept(row)
    _flush(session, row)
    detail = {
        "experiment": experiment.number,
        "arms": experiment.arms,
        **experiment.design,
        **forced(force),
    }
    service.finish_change(session, caller, row, "experiment.start", detail)
    return experiment


def promote(
    session: Session,
    caller: Caller,
    model_id: str,
    number: int,
    *,
    version: str | None,
    live: MLModel | None,
) -> ExperimentRow:
    """End it: the version, or else the winner, has all traffic.

    Raises ExperimentNotFound, ExperimentOver, NotDecided, InvalidFields, VersionNotReady.
    """
    row = service.own_locked(session, caller.principal, model_id)
    experiment = _going_on(session, model_id, number)
    chosen = version or experiment.winner
    if chosen is None:
        arms = " or ".join(experiment.arms)
        raise NotDecided(
            f"Experiment {number} has no winner yet: wait for its verdict, or name the version that is to "
            f'have all traffic ({arms}): {{"version": …}}.'
        )
    if chosen not in experiment.arms:
        raise InvalidFields(("version", f"is none of the arms; they are {', '.join(experiment.arms)}"))
    _require_ready(chosen, live)
    end(session, caller, row, experiment, state="promoted", version=chosen, live=live)
    return experiment


def stop(session: Session, caller: Caller, model_id: str, number: int, live: MLModel | None) -> ExperimentRow:
    """End it: the control has all traffic. Raises ExperimentNotFound, ExperimentOver."""
    row = service.own_locked(session, caller.principal, model_id)
    experiment = _going_on(session, model_id, number)
    control = terms_of(experiment).control
    end(session, caller, row, experiment, state="stopped", version=control, live=live)
    return experiment


def end(
    session: Session,
    caller: Caller | None,
    row: ModelRow,
    experiment: ExperimentRow,
    *,
    state: str,
    version: str,
    live: MLModel | None,
) -> None:
    """Give the version all traffic, and the model back the settings that the experiment changed.

    caller None: the verdict does it.
    """
    before = dict(row.traffic)
    replace_traffic(row, {version: 100}, {}, live)
    for setting, value in experiment.before.items():
        setattr(row, setting, value)
    experiment.state, experiment.promoted, experiment.ended_at = state, version, utc_now()
    _flush(session, row)
    detail = {
        "experiment": experiment.number,
        "state": state,
        "version": version,
        "verdict": experiment.verdict,
        "traffic": dict(row.traffic),
        "before": {"traffic": before},
    }
    service.finish_change(session, caller, row, "experiment.end", detail)


def find(session: Session, model_id: str, number: int) -> ExperimentRow:
    """With its looks. Raises ExperimentNotFound."""
    query = select(ExperimentRow).where(ExperimentRow.model_id == model_id, ExperimentRow.number == number)
    found = session.scalar(query.options(undefer(ExperimentRow.looks)))
    if found is None:
        raise ExperimentNotFound(f"The model has no experiment {number}.")
    return found


def list_all(session: Session, model_id: str) -> list[ExperimentRow]:
    """The newest first."""
    query = select(ExperimentRow).where(ExperimentRow.model_id == model_id)
    return list(session.scalars(query.order_by(ExperimentRow.number.desc()).limit(_MOST)))


def terms_of(experiment: ExperimentRow) -> Terms:
    """Return what was asked for."""
    return Terms.model_validate(experiment.design)


def _going_on(session: Session, model_id: str, number: int) -> ExperimentRow:
    experiment = find(session, model_id, number)
    if experiment.ended_at is not None:
        raise ExperimentOver(
            f"Experiment {number} is over, and {experiment.promoted} got all traffic: read it for its "
            "verdict, start another one, or move the traffic by hand."
        )
    return experiment


def _require_retention(row: ModelRow, max_days: int) -> None:
    if row.feedback_retention_days < max_days:
        raise InvalidFields((
            "max_days",
            f"must not exceed {row.feedback_retention_days}, the days for which the model keeps what was "
            "predicted (feedback.retention_days)",
        ))  # fmt: skip


def _require_ready(version: str, live: MLModel | None) -> None:
    view = version_view(version, live)
    if view.status not in ("ready", "degraded"):
        raise VersionNotReady(f"{version} is {view.status} and cannot get requests: {view.message}")


def _next_number(session: Session, model_id: str) -> int:
    query = select(func.max(ExperimentRow.number)).where(ExperimentRow.model_id == model_id)
    return (session.scalar(query) or 0) + 1


def _flush(session: Session, row: ModelRow) -> None:
    session.flush()
    # It is for viewing only, and knows nothing of what was added or ended.
    session.expire(row, ["experiment"])
