"""What users may do with models: each change, its outbox entry and its audit entry in one transaction."""

import re
import secrets
import string
import unicodedata
from dataclasses import dataclass
from typing import Any

from modelport_crds.mlmodel import MLModel
from sqlalchemy.orm import Session

from modelport_control_api import outbox
from modelport_control_api.accounts import audit
from modelport_control_api.alerts import events
from modelport_control_api.db.base import utc_now
from modelport_control_api.drift import repository as drift
from modelport_control_api.drift.profiles.profile import Profile, size_of
from modelport_control_api.errors import InvalidFields
from modelport_control_api.ground_truth import writing as ground_truth
from modelport_control_api.identity import Caller, Principal
from modelport_control_api.registry import quotas, repository
from modelport_control_api.registry.errors import ModelNotFound, TooManyVersions, VersionNotFound
from modelport_control_api.registry.quotas import Limits
from modelport_control_api.registry.records import ModelRecord, OwnRequirements
from modelport_control_api.registry.rollout import Rollout, forced, require_no_experiment, roll_out
from modelport_control_api.registry.tables import DEFAULT_ACCELERATION, ModelRow, VersionRow
from modelport_control_api.usage import evidence

_ALPHABET = string.ascii_lowercase + string.digits
_SUFFIX_LENGTH = 5
# The operator appends `-<version>` and its own suffixes; the whole must stay a DNS label of 63.
_SLUG_LENGTH = 40


def new_model_id(name: str) -> str:
    """Return `<slug>-<5 random characters>`, at most 46 characters of [a-z0-9-], beginning with a letter."""
    suffix = "".join(secrets.choice(_ALPHABET) for _ in range(_SUFFIX_LENGTH))
    return f"{slugify(name)}-{suffix}"


def slugify(name: str) -> str:
    """Return the name as the beginning of an id that Kubernetes takes as a Service's name."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:_SLUG_LENGTH].strip("-")
    # A Service's name must not begin with a digit.
    return slug if slug and slug[0].isalpha() else f"model-{slug}"[:_SLUG_LENGTH].strip("-")


# All versions of a model are in one Kubernetes resource, whose size is bounded.
MAX_VERSIONS = 50


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A stored file that becomes a version. `size` is in bytes."""

    framework: str
    sha256: str
    size: int
    sample: dict[str, Any] | None
    environment: str | None = None
    reference: Profile | None = None
    """What its live inputs are to be compared with."""
    own: OwnRequirements | None = None
    """Their lock is stored too."""
    ensemble: dict[str, Any] | None = None
    """Which versions it was made of, and how they are joined."""

    @property
    def stored_bytes(self) -> int:
        """Bytes of the file, of its lock, and of its drift reference."""
        lock_bytes = self.own.lock_bytes if self.own else 0
        return self.size + lock_bytes + (size_of(self.reference) if self.reference else 0)


def create_model(
    session: Session,
    caller: Caller,
    *,
    name: str,
    description: str,
    version: NewVersion,
    limits: Limits,
    acceleration: str = DEFAULT_ACCELERATION,
) -> ModelRecord:
    """Raises QuotaReached."""
    quotas.require_room(session, caller.principal.user_id, limits, models=1, size=version.stored_bytes)
    row = ModelRow(
        id=new_model_id(name),
        owner_id=caller.principal.user_id,
        name=name,
        description=description,
        acceleration=acceleration,
        traffic={},
    )
    session.add(row)
    row.traffic = {append_version(row, version): 100}
    # Flushed first: the defaults of the columns are part of the record.
    session.flush()
    _keep_reference(session, row, version)
    detail = {"name": name, "sha256": version.sha256} | _made_of(version)
    return finish_change(session, caller, row, "model.create", detail)


def add_version(
    session: Session,
    caller: Caller,
    model_id: str,
    version: NewVersion,
    *,
    limits: Limits,
    rollout: Rollout,
    live: MLModel | None,
) -> ModelRecord:
    """Its last version is the new one, and counts as the model's owner's. Raises QuotaReached."""
    row = own_locked(session, caller.principal, model_id)
    # The failed version that it takes the place of goes in the same transaction.
    leaving = [find_version(row, rollout.instead_of)] if rollout.instead_of is not None else []
    size = version.stored_bytes - sum(each.stored_bytes for each in leaving)
    quotas.require_room(session, row.owner_id, limits, models=0, size=size)
    if len(row.versions) - len(leaving) >= MAX_VERSIONS:
        raise TooManyVersions(
            f"The model has {MAX_VERSIONS} versions, the most there may be: delete some first."
        )
    name = append_version(row, version)
    roll_out(row, name, rollout, live)
    session.flush()
    _keep_reference(session, row, version)
    detail = {"version": name, "sha256": version.sha256, "traffic": row.traffic.get(name, 0)}
    detail |= _made_of(version)
    return finish_change(session, caller, row, "version.create", detail | forced(rollout.force))


def _made_of(version: NewVersion) -> dict[str, Any]:
    """Return what the audit log notes of an ensemble."""
    if version.ensemble is None:
        return {}
    final = version.ensemble["final"]
    members = [*version.ensemble["members"], *([final] if final else [])]
    return {
        "join": version.ensemble["join"],
        "members": [f"{each['model']} {each['version']}" for each in members],
    }


def change_model(session: Session, caller: Caller, model_id: str, changes: dict[str, Any]) -> ModelRecord:
    """Set columns. What is not in `changes` stays. Raises ExperimentOn."""
    row = own_locked(session, caller.principal, model_id)
    different = {column: value for column, value in changes.items() if getattr(row, column) != value}
    if not different:
        return _record(session, row)
    if any(column == "sticky" or column.startswith("feedback_") for column in different):
        require_no_experiment(row)
    before = {column: getattr(row, column) for column in different}
    for column, value in different.items():
        setattr(row, column, value)
    require_id_that_may_be_kept(row)
    if any(column.startswith("drift_") for column in different):
        drift.mark_model_pending(session, model_id)
    return finish_change(session, caller, row, "model.change", {"changes": different, "before": before})


def require_id_that_may_be_kept(row: ModelRow) -> None:
    """Raises InvalidFields."""
    is_hidden = row.history_percent is not None and row.feedback_id_field in row.history_redact_fields
    if row.feedback_percent is not None and is_hidden:
        raise InvalidFields(
            ("feedback.id_field", f"must not be {row.feedback_id_field}, which history.redact_fields hides")
        )


def delete_model(session: Session, caller: Caller, model_id: str) -> set[str]:
    """Return the digests of files that it no longer needs."""
    row = own_locked(session, caller.principal, model_id)
    digests = {digest for version in row.versions for digest in version.digests}
    # What was told goes first: who sends it on takes the locks in this order.
    events.forget_model(session, model_id)
    session.delete(row)
    evidence.forget(session, model_id)
    ground_truth.forget(session, model_id)
    outbox.record_change(session, model_id)
    audit.record(session, caller, "model.delete", f"model:{model_id}", {"name": row.name})
    return digests


def redeploy(session: Session, caller: Caller, model_id: str) -> ModelRecord:
    """Have the cluster made as the database has it, whatever was changed or deleted there."""
    row = own_locked(session, caller.principal, model_id)
    outbox.record_change(session, row.id)
    audit.record(session, caller, "model.redeploy", f"model:{row.id}")
    return repository.to_record(row, waits=True)


def get_model(session: Session, principal: Principal, model_id: str) -> ModelRecord:
    """Return the model if the caller may read it. Raises `ModelNotFound`."""
    return _record(session, _own(principal, repository.find(session, model_id), model_id))


def own_locked(session: Session, principal: Principal, model_id: str) -> ModelRow:
    """Return the row to change, if it is the caller's. Raises ModelNotFound, whichever of the two is
    wrong.
    """
    return _own(principal, repository.find_locked(session, model_id), model_id)


def find_version(row: ModelRow, name: str) -> VersionRow:
    """Return the version of this name. Raises `VersionNotFound`."""
    for version in row.versions:
        if f"v{version.number}" == name:
            return version
    raise VersionNotFound(f"The model has no version {name}.")


def append_version(row: ModelRow, version: NewVersion) -> str:
    """Add it to the row, under the next name, which is returned."""
    row.last_version = (row.last_version or 0) + 1
    row.versions.append(
        VersionRow(
            number=row.last_version,
            framework=version.framework,
            environment=version.environment,
            requirements=version.own.given if version.own else None,
            packages=list(version.own.packages) if version.own else None,
            lock_sha256=version.own.lock_sha256 if version.own else None,
            lock_bytes=version.own.lock_bytes if version.own else 0,
            sha256=version.sha256,
            size=version.size,
            sample=version.sample,
            ensemble=version.ensemble,
        )
    )
    return f"v{row.last_version}"


def finish_change(
    session: Session, caller: Caller | None, row: ModelRow, action: str, detail: dict[str, Any]
) -> ModelRecord:
    """Count the change, notify the cluster and the audit log, and return the model as it is now.

    caller None: it is the platform's own.
    """
    row.revision += 1
    row.updated_at = utc_now()
    outbox.record_change(session, row.id)
    audit.record(session, caller, action, f"model:{row.id}", detail)
    return repository.to_record(row, waits=True)


def _record(session: Session, row: ModelRow) -> ModelRecord:
    return repository.to_record(row, waits=bool(outbox.waiting_among(session, [row.id])))


def _keep_reference(session: Session, row: ModelRow, version: NewVersion) -> None:
    if version.reference is not None:
        drift.keep_reference(session, row.id, row.last_version, version.reference)


def _own(principal: Principal, row: ModelRow | None, model_id: str) -> ModelRow:
    mine = row is not None and (principal.is_admin or row.owner_id == principal.user_id)
    if row is None or not mine or not principal.may_use(model_id):
        raise ModelNotFound("There is no such model, or it is not yours.")
    return row
