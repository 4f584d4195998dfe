"""A model's usage: charts, and by version, caller and reason."""

from fastapi import APIRouter, Response

from modelport_control_api.drift.schemas import VersionDataDrift
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.monitoring import reading
from modelport_control_api.monitoring.wiring import Drift, DriftServices
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.models.detail import header
from modelport_control_api.ui.models.usage_views import AUTOMATIC, figures_of
from modelport_control_api.ui.models.visit import CurrentVisit

router = APIRouter(prefix="/ui/models/{model_id}/usage", include_in_schema=False)


@router.get("")
async def show_usage(visit: CurrentVisit, drift: Drift, model_id: str, period: str = AUTOMATIC) -> Response:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    return visit.page(
        "models/usage.html",
        **await header(visit, model, "usage"),
        **await figures_of(visit, period, model_id),
        drifts=await _drifts(drift, record, model),
    )


@router.get("/live")
async def show_live_parts(visit: CurrentVisit, model_id: str, period: str = AUTOMATIC) -> Response:
    """Cards, charts and tables of one reading, so that they never disagree."""
    return visit.page("models/usage_live.html", **await figures_of(visit, period, model_id))


@router.get("/drift")
async def show_drift(visit: CurrentVisit, drift: Drift, model_id: str) -> Response:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    return visit.page("models/drift.html", model=model, drifts=await _drifts(drift, record, model))


async def _drifts(services: DriftServices, record: ModelRecord, model: ModelAnswer) -> list[VersionDataDrift]:
    """Of the versions that get requests, or of the only one."""
    shown = [version.name for version in model.versions if version.traffic or len(model.versions) == 1]
    return [await reading.read_drift(services, record, name) for name in shown]
