"""Stored predictions of a model: filtered, exported, deleted."""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from modelport_control_api.db.base import utc_now
from modelport_control_api.history import endpoints as calls
from modelport_control_api.history import service
from modelport_control_api.history.schemas import OUTCOMES, Filter
from modelport_control_api.history.tables import KeptPrediction
from modelport_control_api.ui.browser import is_htmx
from modelport_control_api.ui.models.batch import own_models
from modelport_control_api.ui.models.visit import CurrentVisit, Visit
from modelport_control_api.ui.outcomes import OUTCOME_WORDS
from modelport_control_api.ui.rendering import redirect, toast

router = APIRouter(prefix="/ui/history", include_in_schema=False)
_ROWS_ON_A_PAGE = 20
_PREVIEW_LENGTH = 60
_SPANS = {
    "1h": ("The last hour", timedelta(hours=1)),
    "24h": ("The last 24 hours", timedelta(hours=24)),
    "7d": ("The last 7 days", timedelta(days=7)),
    "": ("All that is stored", None),
}


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """A row with its bodies as JSON that users can read; `preview`: the prediction, shortened."""

    row: KeptPrediction
    preview: str
    request: str | None
    answer: str | None


@router.get("")
async def show_history(  # noqa: PLR0917 - the filter's fields, each with its name in the address
    visit: CurrentVisit,
    model: str = "",
    outcome: str = "",
    version: str = "",
    span: str = "",
    cursor: str | None = None,
) -> Response:
    """Of the first of the person's models where none is given."""
    models = [each for each in await own_models(visit) if each.owner_id == visit.principal.user_id]
    wanted = _filter(outcome, version, span)
    chosen = next((each for each in models if each.id == model), None)
    if chosen is None and not model:
        chosen = next((each for each in models if each.history), models[0] if models else None)
    page = await _rows(visit, chosen.id if chosen else model, wanted, cursor) if chosen or model else None
    return visit.page(
        "models/history.html",
        models=models,
        model=chosen,
        rows=[_kept(row) for row in page.items] if page else [],
        older=page.next_cursor if page else None,
        cursor=cursor,
        outcome=outcome,
        outcomes=_outcomes(outcome),
        version=version,
        span=span,
        spans={name: words for name, (words, _) in _SPANS.items()},
    )


@router.get("/export")
async def export(
    visit: CurrentVisit, model: str, outcome: str = "", version: str = "", span: str = ""
) -> Response:
    wanted = _filter(outcome, version, span)
    return await run_in_threadpool(calls.export, model, wanted, visit.principal, visit.context)


@router.post("/{model_id}/delete")
async def delete_all(visit: CurrentVisit, model_id: str) -> Response:
    await run_in_threadpool(service.delete_all, visit.context.database, visit.caller, model_id)
    return redirect(visit.request, f"/ui/history?model={model_id}", "All stored predictions are deleted.")


@router.post("/rows/{prediction_id}/delete")
async def delete_one(visit: CurrentVisit, prediction_id: str) -> Response:
    await visit.services.transactions.write(
        lambda session: calls.delete_prediction(prediction_id, visit.caller, session)
    )
    if is_htmx(visit.request):
        return toast(Response(), "The stored prediction is deleted.")
    return redirect(visit.request, "/ui/history", "The stored prediction is deleted.")


async def _rows(visit: Visit, model_id: str, wanted: Filter, cursor: str | None) -> Any:
    def read(session: Session) -> Any:
        return service.list_page(
            session, visit.principal, model_id, wanted, limit=_ROWS_ON_A_PAGE, cursor=cursor
        )

    return await visit.services.transactions.read(read)


def _outcomes(chosen: str) -> dict[str, str]:
    """Those that a prediction can have, and the chosen one: an address may name any reason."""
    known = {chosen: chosen} if chosen in OUTCOMES else {}
    return {**known, **OUTCOME_WORDS}


def _filter(outcome: str, version: str, span: str) -> Filter:
    _, length = _SPANS.get(span, _SPANS[""])
    start = utc_now() - length if length else None
    return Filter(start, None, outcome if outcome in OUTCOMES else None, version or None)


def _kept(row: KeptPrediction) -> PredictionRow:
    return PredictionRow(row, _preview(row.answer), _readable(row.request), _readable(row.answer))


def _preview(response: str | None) -> str:
    try:
        body = json.loads(response or "null")
    except (ValueError, RecursionError):
        return ""
    found = body.get("prediction", body.get("predictions", "")) if isinstance(body, dict) else ""
    text = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return text if len(text) <= _PREVIEW_LENGTH else f"{text[:_PREVIEW_LENGTH]}…"


def _readable(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        # What was kept is untrusted: shown as the text it is.
        return text
