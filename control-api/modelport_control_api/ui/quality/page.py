"""A model's quality: charts over time, and each version's figures."""

from fastapi import APIRouter, Response

from modelport_control_api.db.base import utc_now
from modelport_control_api.quality.schemas import QualityAnswer
from modelport_control_api.quality.service import read_quality
from modelport_control_api.quality.wiring import Quality, QualityServices
from modelport_control_api.registry.errors import ModelNotFound
from modelport_control_api.ui.models.detail import header
from modelport_control_api.ui.models.usage_views import PERIODS, query_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.quality.view import charts_of, rows_of

router = APIRouter(prefix="/ui/models/{model_id}/quality", include_in_schema=False)
_USUAL = "30d"
_PERIODS = {name: PERIODS[name] for name in ("24h", "7d", "30d")}


@router.get("")
async def show_quality(
    visit: CurrentVisit, services: Quality, model_id: str, period: str = _USUAL
) -> Response:
    model = await visit.model(model_id)
    chosen = _PERIODS.get(period, _PERIODS[_USUAL])
    found = await _read(visit, services, model_id, chosen.name)
    return visit.page(
        "quality/quality.html",
        **await header(visit, model, "quality"),
        period=chosen,
        periods=list(_PERIODS.values()),
        quality=found,
        charts=charts_of(found) if found else None,
        versions=[(each, rows_of(each)) for each in reversed(found.versions)] if found else [],
    )


async def _read(visit: Visit, services: QualityServices, model_id: str, period: str) -> QualityAnswer | None:
    """None: it is somebody else's, or was applied with kubectl."""
    query = query_of(_PERIODS[period], utc_now(), visit.time_zone)
    try:
        return await read_quality(services, visit.principal, model_id, query, None)
    except ModelNotFound:
        return None
