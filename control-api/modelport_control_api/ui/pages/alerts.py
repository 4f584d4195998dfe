"""What happened to models and jobs, behind the bell: listed, counted, and marked as read."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from modelport_control_api.alerts import events
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.context import DbSession
from modelport_control_api.ui.forms import read_values
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import CurrentSignedIn

router = APIRouter(prefix="/ui/alerts", include_in_schema=False)

_PAGE = 50
WORDS = {
    "model.ready": ("Model ready", "good"),
    "model.degraded": ("Model degraded", "warn"),
    "model.failed": ("Model failed", "bad"),
    "rollout.started": ("Rollout started", "info"),
    "rollout.promoted": ("Promoted", "good"),
    "rollout.rolled_back": ("Rolled back", "bad"),
    "rollout.inconclusive": ("Inconclusive", "warn"),
    "rollout.cancelled": ("Rollout cancelled", ""),
    "experiment.decided": ("Experiment decided", "good"),
    "drift.started": ("Drift", "warn"),
    "drift.ended": ("Drift over", "good"),
    "quality.fell": ("Quality fell", "bad"),
    "job.succeeded": ("Job done", "good"),
    "job.failed": ("Job failed", "bad"),
    "job.cancelled": ("Job cancelled", ""),
}
"""Of each type: the words, and their tone."""


async def read_form(request: Request) -> dict[str, Any]:
    """Return the form's texts by name."""
    return await read_values(request)


@router.get("")
def show_alerts(
    request: Request,
    signed_in: CurrentSignedIn,
    session: DbSession,
    cursor: str | None = None,
    unread: bool = False,
) -> Response:
    page = events.list_page(session, signed_in.principal, _PAGE, cursor, unread=unread)
    return render(
        request,
        "alerts/list.html",
        events=page.items,
        next_cursor=page.next_cursor,
        is_first_page=cursor is None,
        unread_only=unread,
        unread=events.count_unread(session, signed_in.principal),
        words=WORDS,
        # What comes while the list is looked at was not seen.
        seen_until=page.items[0].created_at if page.items else utc_now(),
        link_of=link_of,
    )


@router.get("/unread")
def show_unread(request: Request, signed_in: CurrentSignedIn, session: DbSession) -> Response:
    unread = events.count_unread(session, signed_in.principal)
    return render(request, "alerts/unread.html", unread=unread)


@router.post("/read")
def mark_read(
    request: Request,
    signed_in: CurrentSignedIn,
    session: DbSession,
    values: Annotated[dict[str, Any], Depends(read_form)],
) -> Response:
    up_to = _moment(values.get("up_to", "")) or utc_now()
    events.mark_read(session, signed_in.principal, up_to, values.get("id") or None)
    return redirect(request, "/ui/alerts")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def link_of(event: Any) -> str:
    """Where more is known of it: its job, rollout or experiment, or a page of its model."""
    subject = event.type.partition(".")[0]
    if subject == "job":
        return f"/ui/batch/{event.key}"
    base = f"/ui/models/{event.model_id}"
    tails = {
        "rollout": f"/rollouts/{event.key}",
        "experiment": f"/experiments/{event.key}",
        "drift": "/usage",
        "quality": "/quality",
    }
    return base + tails.get(subject, "")
