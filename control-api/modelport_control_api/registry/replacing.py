"""A failed version gives its place to a new one: of another file, or of its own with another sample."""

from typing import Any

from modelport_crds.mlmodel import MLModel, RolloutStrategy
from sqlalchemy.orm import Session

from modelport_control_api.drift import repository as drift
from modelport_control_api.identity import Caller
from modelport_control_api.registry import environments, guarded, repository, service, version_deletion
from modelport_control_api.registry.errors import VersionNotFailed
from modelport_control_api.registry.quotas import Limits
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.rollout import Rollout, take_place
from modelport_control_api.registry.service import NewVersion
from modelport_control_api.registry.status_view import version_view
from modelport_control_api.registry.tables import ModelRow, VersionRow


def add_version(
    session: Session,
    caller: Caller,
    model_id: str,
    version: NewVersion,
    *,
    limits: Limits,
    rollout: Rollout,
    live: MLModel | None,
) -> tuple[ModelRecord, set[str]]:
    """As `service.add_version`, in place of a failed version if the rollout names one.

    Return the model and the digests of files that it no longer needs. Raises VersionNotFailed too.
    """
    failed = rollout.instead_of
    if failed is not None:
        _find_failed(service.own_locked(session, caller.principal, model_id), failed, live)
    record = service.add_version(
        session, caller, model_id, version, limits=limits, rollout=rollout, live=live
    )
    if rollout.guarded:
        name = record.versions[-1].name
        guarded.start(session, caller, model_id, name, strategy=RolloutStrategy(), live=live)
        record = service.get_model(session, caller.principal, model_id)
    if failed is None:
        return record, set()
    digests = version_deletion.delete_version(session, caller, model_id, failed, live)
    return service.get_model(session, caller.principal, model_id), digests


def retry_version(
    session: Session,
    caller: Caller,
    model_id: str,
    name: str,
    *,
    sample: dict[str, Any] | None,
    keep_sample: bool,
    environment: str | None,
    live: MLModel | None,
) -> ModelRecord:
    """Make a new version of the failed one's file in its place; the last of the model is the new one.

    `keep_sample`: it has the failed one's, whatever `sample` is. `environment` None: it runs in the same. The
    share that the failed one was to get and its drift reference go over to the new one, whose traffic is held
    as that of any other if it lacks what callers depend on.
    Raises VersionNotFailed, VersionNotFound, InvalidFields.
    """
    row = service.own_locked(session, caller.principal, model_id)
    failed = _find_failed(row, name, live)
    to_predict = failed.sample if keep_sample else sample
    # By name it would be looked for in the catalogue, where an environment of its own requirements is not.
    environment = None if environment == failed.environment else environment
    runs_in = environments.named(environment, failed.framework) if environment else failed.environment
    # Another environment is not made of them.
    own = None if environment else repository.own_of(failed)
    again = NewVersion(
        failed.framework,
        failed.sha256,
        failed.size,
        to_predict,
        runs_in,
        own=own,
        ensemble=failed.ensemble,
    )
    added = service.append_version(row, again)
    take_place(row, name, added, live)
    session.flush()
    drift.copy_reference(session, model_id, failed.number, row.last_version)
    version_deletion.drop(session, row, failed)
    detail = {"version": added, "of": name, "new_sample": not keep_sample}
    if environment:
        detail["environment"] = runs_in
    return service.finish_change(session, caller, row, "version.retry", detail)


def _find_failed(row: ModelRow, name: str, live: MLModel | None) -> VersionRow:
    version = service.find_version(row, name)
    view = version_view(name, live)
    if view.status != "failed":
        raise VersionNotFailed(
            f"{name} is {view.status}: only a version that has failed is replaced or tried again. "
            "Upload a new version beside it instead."
        )
    return version
