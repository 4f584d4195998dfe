"""A model's usage: charts, and by version, caller and reason."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from modelport_control_api.drift.schemas import VersionDataDrift
from modelport_control_api.importance import endpoints as importance_calls
from modelport_control_api.importance import service as importance
from modelport_control_api.importance.schemas import ImportanceAnswer
from modelport_control_api.importance.wiring import ImportanceOf
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.monitoring import reading
from modelport_control_api.monitoring.wiring import Drift, DriftServices
from modelport_control_api.registry.records import ModelRecord
from modelport_control_api.ui.models.detail import header
from modelport_control_api.ui.models.usage_views import AUTOMATIC, figures_of
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.rendering import redirect

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
        importances=await _importances(visit, record, model),
    )


@router.get("/importance")
async def show_importance(visit: CurrentVisit, model_id: str) -> Response:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    return visit.page(
        "models/importance.html", model=model, importances=await _importances(visit, record, model)
    )


@router.post("/importance/{version}")
async def compute_importance(
    visit: CurrentVisit, services: ImportanceOf, model_id: str, version: str
) -> Response:
    """From history."""
    await importance_calls.compute(services, visit.principal, model_id, version)
    return redirect(visit.request, f"/ui/models/{model_id}/usage", "Importance is being computed.")


@router.get("/live")
async def show_live_parts(visit: CurrentVisit, model_id: str, period: str = AUTOMATIC) -> Response:
    """Cards, charts and tables of one reading, so that they never disagree."""
    return visit.page("models/usage_live.html", **await figures_of(visit, period, model_id))


@router.get("/drift")
async def show_drift(visit: CurrentVisit, drift: Drift, model_id: str) -> Response:
    record = await visit.record(model_id)
    model = visit.renderer.model(record)
    return visit.page("models/drift.html", model=model, drifts=await _drifts(drift, record, model))


@dataclass(frozen=True, slots=True)
class ShownImportance:
    """`found` None: nothing was computed, and `problem` says why it cannot be, or is empty."""

    version: str
    found: ImportanceAnswer | None
    problem: str = ""


async def _importances(visit: Visit, record: ModelRecord, model: ModelAnswer) -> list[ShownImportance]:
    return [await _importance(visit, record, name) for name in _shown_versions(model)]


async def _importance(visit: Visit, record: ModelRecord, version: str) -> ShownImportance:
    try:
        return ShownImportance(version, await importance.read(visit.services, record, version))
    except importance.ImportanceNotFound:
        return ShownImportance(version, None)
    except importance.NoImportance as error:
        return ShownImportance(version, None, error.detail)


def _shown_versions(model: ModelAnswer) -> list[str]:
    """Those that get requests, or the only one."""
    return [version.name for version in model.versions if version.traffic or len(model.versions) == 1]


async def _drifts(services: DriftServices, record: ModelRecord, model: ModelAnswer) -> list[VersionDataDrift]:
    return [await reading.read_drift(services, record, name) for name in _shown_versions(model)]
