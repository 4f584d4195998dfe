"""The calls on drift and references of docs/api.md."""

import asyncio

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.drift import repository
from modelport_control_api.drift.profiles.csv_rows import ReferenceInvalid, ReferenceNotFound
from modelport_control_api.drift.profiles.profile import Profile, size_of
from modelport_control_api.drift.profiles.profiling import profile_csv
from modelport_control_api.drift.schemas import ReferenceAnswer, VersionDataDrift
from modelport_control_api.drift.tables import DriftReferenceRow
from modelport_control_api.errors import InvalidFields
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.identity import Caller
from modelport_control_api.models.access import ChangingCaller, Reader, load_model
from modelport_control_api.monitoring import reading
from modelport_control_api.monitoring.wiring import Drift
from modelport_control_api.registry import quotas, service
from modelport_control_api.registry.quotas import Limits
from modelport_control_api.uploads.receive import receive_body


def put(
    session: Session, caller: Caller, model_id: str, version: str, profile: Profile, *, limits: Limits
) -> DriftReferenceRow:
    """Store it in place of the one before. Raises ModelNotFound, VersionNotFound, QuotaReached."""
    row = service.own_locked(session, caller.principal, model_id)
    found = service.find_version(row, version)
    # What was there goes first: it makes room.
    former = repository.remove_reference(session, model_id, found.number)
    quotas.require_room(session, row.owner_id, limits, models=0, size=size_of(profile))
    kept = repository.keep_reference(session, model_id, found.number, profile)
    before = {} if former is None else {"before": {"rows": former}}
    detail = {"version": version, "rows": profile.rows, **before}
    audit.record(session, caller, "reference.put", f"model:{model_id}", detail)
    return kept


def delete(session: Session, caller: Caller, model_id: str, version: str) -> None:
    """Raises ModelNotFound, VersionNotFound, ReferenceNotFound."""
    row = service.own_locked(session, caller.principal, model_id)
    found = service.find_version(row, version)
    if repository.remove_reference(session, model_id, found.number) is None:
        raise ReferenceNotFound(f"The version {version} has no reference.")
    audit.record(session, caller, "reference.delete", f"model:{model_id}", {"version": version})


router = APIRouter(
    prefix="/api/v1/models/{model_id}/versions/{version}",
    tags=["drift"],
    responses=problems(*CREDENTIAL, 404),
)

_CSV_BODY = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("/drift")
async def read_drift(model_id: str, version: str, principal: Reader, services: Drift) -> VersionDataDrift:
    """How the newest inputs are distributed beside the reference, feature by feature."""
    return await reading.read_drift(services, await load_model(services.models, principal, model_id), version)


@router.get("/reference")
async def read_reference(model_id: str, version: str, principal: Reader, services: Drift) -> ReferenceAnswer:
    """What is known of the reference. Its rows are not kept for longer than importance takes."""
    record = await load_model(services.models, principal, model_id)
    return await reading.read_reference(services, record, version)


@router.put("/reference", openapi_extra=_CSV_BODY, responses=problems(400, 409, 413, 422, 507))
async def put_reference(
    model_id: str, version: str, request: Request, caller: ChangingCaller, services: Drift
) -> ReferenceAnswer:
    """Upload the rows that the version was trained on, as CSV with a header; counting starts over."""
    models = services.models
    # Checked before the body is read.
    record = await load_model(models, caller.principal, model_id)
    reading.find_version(record, version)
    if record.managed_by == "kubectl":
        raise models.reader.read_only(model_id)
    async with receive_body(
        request,
        models.store.incoming,
        max_bytes=services.max_reference_bytes,
        idle_seconds=services.idle_seconds,
        reserve=models.reserve,
    ) as upload:
        try:
            profile: Profile = await asyncio.to_thread(profile_csv, upload.path)
        except ReferenceInvalid as error:
            raise InvalidFields(("reference", str(error))) from error
        row = await models.transactions.write(
            lambda session: put(session, caller, model_id, version, profile, limits=models.limits)
        )
        await models.on_reference(model_id, row.number, upload.path)
    return reading.reference_response(services, row)


@router.delete("/reference", status_code=204, response_class=Response, responses=problems(409))
async def delete_reference(model_id: str, version: str, caller: ChangingCaller, services: Drift) -> None:
    """Stop comparing, and forget what was counted."""
    with services.models.reader.changing(caller.principal, model_id):
        await services.models.transactions.write(lambda session: delete(session, caller, model_id, version))
