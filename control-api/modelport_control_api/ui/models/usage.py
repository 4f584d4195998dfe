"""A model's usage: charts, and by version, caller and reason."""

from typing import Any

from fastapi import APIRouter, Response

from modelport_control_api.analytics import service as analytics
from modelport_control_api.db.base import utc_now
from modelport_control_api.drift.schemas import VersionDataDrift
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.monitoring import reading
from modelport_control_api.monitoring.wiring import Drift, DriftServices
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.models.detail import header
from modelport_control_api.ui.models.usage_views import (
    AUTOMATIC,
    PERIODS,
    card_changes,
    charts_of,
    chosen_period,
    query_of,
)
from modelport_control_api.ui.models.visit import CurrentVisit, Visit

router = APIRouter(prefix="/ui/models/{model_id}/usage", include_in_schema=False)


@router.get("")
async def show_usage(visit: CurrentVisit, drift: Drift, model_id: str, period: str = AUTOMATIC) -> Response:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    return visit.page(
        "models/usage.html",
        **await header(visit, model, "usage"),
        **await _seen(visit, model_id, period),
        drifts=await _drifts(drift, record, model),
    )


@router.get("/live")
async def show_live_parts(visit: CurrentVisit, model_id: str, period: str = AUTOMATIC) -> Response:
    """Cards, charts and tables of one reading, so that they never disagree."""
    return visit.page("models/usage_live.html", **await _seen(visit, model_id, period))


@router.get("/drift")
async def show_drift(visit: CurrentVisit, drift: Drift, model_id: str) -> Response:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    return visit.page("models/drift.html", model=model, drifts=await _drifts(drift, record, model))


async def _drifts(services: DriftServices, record: ModelRecord, model: ModelAnswer) -> list[VersionDataDrift]:
    """Of the versions that get requests, or of the only one."""
    shown = [version.name for version in model.versions if version.traffic or len(model.versions) == 1]
    return [await reading.read_drift(services, record, name) for name in shown]


async def _seen(visit: Visit, model_id: str, period: str) -> dict[str, Any]:
    now = utc_now()
    chosen = await chosen_period(visit, period, now, model_id)
    query = query_of(chosen, now, visit.time_zone)
    usage = await analytics.of_model(visit.context, visit.services, visit.principal, model_id, query)
    return {
        "period": chosen,
        "periods": list(PERIODS.values()),
        "usage": usage,
        "changes": card_changes(usage.totals, usage.previous),
        "charts": charts_of(usage),
    }
