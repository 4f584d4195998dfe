"""What a model's owner does with references."""

from sqlalchemy.orm import Session

from modelport_control_api.accounts.audit import service as audit
from modelport_control_api.drift import repository
from modelport_control_api.drift.errors import ReferenceNotFound
from modelport_control_api.drift.profiles.profile import Profile, size_of
from modelport_control_api.drift.tables import DriftReferenceRow
from modelport_control_api.identity.caller import Caller
from modelport_control_api.registry import quotas, service
from modelport_control_api.registry.quotas import Limits


def put(
    session: Session, caller: Caller, model_id: str, version: str, profile: Profile, *, limits: Limits
) -> DriftReferenceRow:
    """Keep it in place of the one before. Raises ModelNotFound, VersionNotFound, QuotaReached."""
    row = service.own_locked(session, caller.principal, model_id)
    found = service.find_version(row, version)
    # What was there goes first: it makes room.
    repository.remove_reference(session, model_id, found.number)
    quotas.require_room(session, row.owner_id, limits, models=0, size=size_of(profile))
    kept = repository.keep_reference(session, model_id, found.number, profile)
    audit.record(
        session, caller, "reference.put", f"model:{model_id}", {"version": version, "rows": profile.rows}
    )
    return kept


def delete(session: Session, caller: Caller, model_id: str, version: str) -> None:
    """Raises ModelNotFound, VersionNotFound, ReferenceNotFound."""
    row = service.own_locked(session, caller.principal, model_id)
    found = service.find_version(row, version)
    if not repository.remove_reference(session, model_id, found.number):
        raise ReferenceNotFound(f"The version {version} has no reference.")
    audit.record(session, caller, "reference.delete", f"model:{model_id}", {"version": version})
