"""Removing a version, which must not be serving nor be the only one, and what becomes of its traffic."""

from modelport_crds.mlmodel import MLModel
from sqlalchemy.orm import Session

from modelport_control_api.identity import Caller
from modelport_control_api.registry import service
from modelport_control_api.registry.errors import VersionServing
from modelport_control_api.registry.rollout import require_free_traffic, require_no_experiment
from modelport_control_api.registry.status_view import is_held, served_traffic
from modelport_control_api.registry.tables import ModelRow, VersionRow


def delete_version(
    session: Session, caller: Caller, model_id: str, name: str, live: MLModel | None
) -> set[str]:
    """Return the digests of the files that it no longer needs. Raises VersionServing."""
    row = service.own_locked(session, caller.principal, model_id)
    version = service.find_version(row, name)
    _check_idle(row, name, live)
    if row.traffic.get(name):
        row.traffic = _traffic_without(row, name, live)
    digests = version.digests
    drop(session, row, version)
    service.finish_change(session, caller, row, "version.delete", {"version": name})
    return digests


def drop(session: Session, row: ModelRow, version: VersionRow) -> None:
    """Remove the version, which the row's traffic must not name, and what else names it.

    Raises RolloutOn, ExperimentOn.
    """
    name = f"v{version.number}"
    if row.rollout is not None and name in (row.rollout.version, row.rollout.baseline):
        require_free_traffic(row)
    if row.experiment is not None and name in row.experiment.arms:
        require_no_experiment(row)
    if row.previous_traffic and (name in row.previous_traffic or row.previous_traffic == row.traffic):
        row.previous_traffic = None
    compared = (row.compatible_with or {}).items()
    row.compatible_with = {new: old for new, old in compared if name not in (new, old)} or None
    row.versions.remove(version)
    session.flush()


def _check_idle(row: ModelRow, name: str, live: MLModel | None) -> None:
    if len(row.versions) == 1:
        raise VersionServing(f"{name} is the model's only version: delete the model instead.")
    known = live.status.version(name) if live else None
    is_wanted = row.traffic.get(name) and known is not None and known.answered and not known.failed
    waits_in_vain = name in (row.compatible_with or {}) and is_held(known)
    if name in served_traffic(live) or (is_wanted and not waits_in_vain):
        raise VersionServing(f"{name} is serving: move the traffic to another version first.")


def _traffic_without(row: ModelRow, name: str, live: MLModel | None) -> dict[str, int]:
    """What is served now; before anything is, the traffic before, or else the newest other version."""
    served = served_traffic(live)
    if served:
        return served
    if row.previous_traffic and name not in row.previous_traffic:
        return dict(row.previous_traffic)
    newest = max(version.number for version in row.versions if f"v{version.number}" != name)
    return {f"v{newest}": 100}
