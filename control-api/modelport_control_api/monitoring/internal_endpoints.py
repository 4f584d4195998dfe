"""What gateways ask about references, and what is shown of drift to Prometheus: on the internal app alone."""

from fastapi import APIRouter, Response
from modelport_http.problem import Problem
from modelport_telemetry.drift import bins as wire
from pydantic import BaseModel

from modelport_control_api.drift import repository
from modelport_control_api.drift.profiles.profile import from_json, match
from modelport_control_api.drift.tables import DriftReferenceRow
from modelport_control_api.http.platform_only import PLATFORM_ONLY
from modelport_control_api.http.session import DbSession
from modelport_control_api.monitoring import metrics
from modelport_control_api.monitoring.wiring import Drift

router = APIRouter(prefix="/internal/v1/drift", dependencies=[PLATFORM_ONLY])


class Known(BaseModel):
    model: str
    version: str
    reference: str


class KnownReferences(BaseModel):
    references: list[Known]


@router.get("/references")
def list_references(session: DbSession, part: Drift) -> KnownReferences:
    """Of versions that have answered: before that it is not known which columns are features."""
    found = repository.all_references(session)
    return KnownReferences(
        references=[
            Known(model=model_id, version=f"v{number}", reference=id_)
            for id_, model_id, number in found
            if part.has_answered(model_id, number)
        ]
    )


@router.get("/bins/{reference}")
def read_bins(reference: str, session: DbSession, part: Drift) -> Response:
    row = session.get(DriftReferenceRow, reference)
    if row is None:
        raise Problem(status=404, detail="There is no such reference: it was replaced or deleted.")
    signature = part.signature_of(row.model_id, row.number)
    bins = match(from_json(row.profile), signature).reference_bins(row.id, signature)
    return Response(wire.encode(bins), media_type="application/json")


@router.get("/metrics")
def read_drift_metrics(session: DbSession) -> Response:
    """Prometheus text. Not on the public page: ids of everybody's models are nothing for strangers."""
    return Response(metrics.render(session), media_type="text/plain; version=0.0.4; charset=utf-8")
