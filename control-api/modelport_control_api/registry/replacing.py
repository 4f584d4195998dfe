"""A failed version gives its place to a new one: of another file, or of its own with another sample."""

from typing import Any, Literal

from modelport_crds.mlmodel import MLModel
from sqlalchemy.orm import Session

from modelport_control_api.drift import repository as drift
from modelport_control_api.identity import Caller
from modelport_control_api.registry import service, version_deletion
from modelport_control_api.registry.errors import VersionNotFailed
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.registry.service import NewVersion
from modelport_control_api.registry.status_view import version_view
from modelport_control_api.registry.tables import ModelRow, VersionRow


def remove_replaced(
    session: Session, caller: Caller, model_id: str, name: str, live: MLModel | None
) -> tuple[ModelRecord, str]:
    """After the new version was added: remove the failed one. Return the model, and the file not needed.

    Raises VersionNotFailed, VersionNotFound.
    """
    row = service.own_locked(session, caller.principal, model_id)
    _find_failed(row, name, live)
    digest = version_deletion.delete_version(session, caller, model_id, name, live)
    return service.get_model(session, caller.principal, model_id), digest


def retry_version(
    session: Session,
    caller: Caller,
    model_id: str,
    name: str,
    *,
    sample: dict[str, Any] | Literal["same"] | None,
    live: MLModel | None,
) -> ModelRecord:
    """Make a new version of the failed one's file in its place; the last of the model is the new one.

    `sample`: `same`: the one before. Wanted traffic and drift reference go over to it.
    Raises VersionNotFailed, VersionNotFound.
    """
    row = service.own_locked(session, caller.principal, model_id)
    failed = _find_failed(row, name, live)
    row_to_predict = failed.sample if sample == "same" else sample
    again = NewVersion(failed.framework, failed.sha256, failed.size, row_to_predict)
    added = service.append_version(row, again)
    row.traffic = {added if version == name else version: weight for version, weight in row.traffic.items()}
    if row.previous_traffic and name in row.previous_traffic:
        row.previous_traffic = None
    session.flush()
    drift.copy_reference(session, model_id, failed.number, row.last_version)
    row.versions.remove(failed)
    session.flush()
    detail = {"version": added, "of": name, "new_sample": sample != "same"}
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
