"""The calls on calibrations of docs/api.md."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from modelport_control_api.accounts import audit
from modelport_control_api.drift.repository import find_reference, mark_pending
from modelport_control_api.errors import DomainError
from modelport_control_api.ground_truth.calibrations import CalibrationRow
from modelport_control_api.http.bodies import Line
from modelport_control_api.http.responses import CREDENTIAL, problems
from modelport_control_api.identity import Caller
from modelport_control_api.models.access import ChangingCaller, load_model
from modelport_control_api.monitoring.reading import find_version
from modelport_control_api.quality.calibration import repository
from modelport_control_api.quality.calibration.fitting import Fitted, fit_file
from modelport_control_api.quality.schemas import CalibrationAnswer
from modelport_control_api.quality.wiring import Quality
from modelport_control_api.registry import service
from modelport_control_api.uploads.receive import receive_body


class CalibrationNotFound(DomainError):
    """The version has none."""

    status = 404


router = APIRouter(
    prefix="/api/v1/models/{model_id}/versions/{version}/calibration",
    tags=["quality"],
    responses=problems(*CREDENTIAL, 404, 409),
)
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("text/csv", "application/x-ndjson")
        },
    }
}
LabelColumn = Annotated[
    Line, Query(min_length=1, max_length=200, description="Where the file has the truth.")
]


@router.put("", openapi_extra=_BODY, responses=problems(400, 413, 422, 507))
async def put_calibration(
    model_id: str,
    version: str,
    request: Request,
    caller: ChangingCaller,
    services: Quality,
    *,
    label: LabelColumn = "label",
) -> CalibrationAnswer:
    """Upload rows with the version's probabilities and their truth: what is expected before labels come.

    CSV with the columns `label` and `probability_<class>`, as a batch job's results have them, or JSON Lines
    of `{"label": …, "probabilities": {…}}`.
    """
    models = services.models
    # Checked before the body is read.
    record = await load_model(models, caller.principal, model_id)
    find_version(record, version)
    if record.managed_by == "kubectl":
        raise models.reader.read_only(model_id)
    async with (
        receive_body(
            request,
            models.store.incoming,
            max_bytes=services.max_calibration_bytes,
            idle_seconds=services.idle_seconds,
            reserve=models.reserve,
        ) as upload,
        services.turn,
    ):
        signature = services.signature_of(model_id, version) or {}
        reference = await models.transactions.read(
            lambda session: find_reference(session, model_id, find_version(record, version).number)
        )
        found = await asyncio.to_thread(fit_file, upload.path, label, signature, reference)
    row = await models.transactions.write(lambda session: _put(session, caller, model_id, version, found))
    return CalibrationAnswer(source="uploaded", rows=row.rows, created_at=row.created_at)


@router.delete("", status_code=204, response_class=Response)
async def delete_calibration(model_id: str, version: str, caller: ChangingCaller, services: Quality) -> None:
    """Forget it: the version is then calibrated by the labels that are in."""
    with services.models.reader.changing(caller.principal, model_id):
        await services.models.transactions.write(lambda session: _delete(session, caller, model_id, version))


def _put(session: Session, caller: Caller, model_id: str, version: str, fitted: Fitted) -> CalibrationRow:
    found = service.find_version(service.own_locked(session, caller.principal, model_id), version)
    row = repository.put(session, model_id, found.number, fitted)
    _rank_again(session, model_id, found.number)
    detail = {"version": version, "rows": row.rows}
    audit.record(session, caller, "calibration.put", f"model:{model_id}", detail)
    return row


def _delete(session: Session, caller: Caller, model_id: str, version: str) -> None:
    found = service.find_version(service.own_locked(session, caller.principal, model_id), version)
    if not repository.remove(session, model_id, found.number):
        raise CalibrationNotFound(f"The version {version} has no calibration.")
    _rank_again(session, model_id, found.number)
    audit.record(session, caller, "calibration.delete", f"model:{model_id}", {"version": version})


def _rank_again(session: Session, model_id: str, number: int) -> None:
    """What drifts is ordered by what it does to expected performance."""
    reference = find_reference(session, model_id, number)
    if reference is not None:
        mark_pending(session, [reference.id])
