"""The list of models."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from modelport_control_api.analytics import service as analytics
from modelport_control_api.analytics.query import Query
from modelport_control_api.db.base import utc_now
from modelport_control_api.models.schemas import ModelAnswer
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.shown import status_word

router = APIRouter(prefix="/ui/models", include_in_schema=False)
MOST_SHOWN = 200


@router.get("")
async def show_models(visit: CurrentVisit, q: str = "") -> Response:
    return visit.page("models/list.html", **await _seen(visit, q))


@router.get("/live")
async def show_live_part(visit: CurrentVisit, q: str = "") -> Response:
    return visit.page("models/list_live.html", **await _seen(visit, q))


async def _seen(visit: Visit, search: str) -> dict[str, Any]:
    def read(session: Session) -> Any:
        return visit.services.reader.page(session, visit.principal, MOST_SHOWN, None)

    records, next_cursor = await visit.services.transactions.read(read)
    models = [visit.renderer.model(record) for record in records]
    today = Query(from_=utc_now(), bucket="day", timezone=visit.time_zone)
    usage = await analytics.overview(visit.context, visit.services, visit.principal, today)
    return {
        "models": [model for model in models if _matches(model, search)],
        "total": len(models),
        "most_shown": MOST_SHOWN if next_cursor else None,
        "search": search,
        "is_pending": any(model.status == "pending" for model in models),
        "requests_of": {model.id: model.requests for model in usage.by_model},
    }


def _matches(model: ModelAnswer, search: str) -> bool:
    words = search.casefold().split()
    text = f"{model.name} {model.id} {model.framework} {model.status} {status_word(model)}".casefold()
    return all(word in text for word in words)
