"""The calls on events of docs/api.md."""

from datetime import UTC
from typing import Annotated, cast

from fastapi import APIRouter, Query, Response

from modelport_control_api.alerting.schemas import EventAnswer, EventList, ReadEvents
from modelport_control_api.alerts import events
from modelport_control_api.alerts.tables import EventRow
from modelport_control_api.alerts.types import EventType
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import DbSession, PageCursor, PageLimit
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, problems
from modelport_control_api.models.access import Reader, Writer

router = APIRouter(
    prefix="/api/v1/events", tags=["alerts"], route_class=StrictJsonRoute, responses=problems(*CREDENTIAL)
)


@router.get("", responses=problems(422))
def list_events(
    *,
    principal: Reader,
    session: DbSession,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
    model_id: Annotated[str | None, Query(max_length=127)] = None,
    unread: Annotated[bool, Query(description="Only those that were not read.")] = False,
) -> EventList:
    """What happened to your models and jobs, newest first."""
    page = events.list_page(session, principal, limit, cursor, model_id=model_id, unread=unread)
    return EventList(
        items=[render(row) for row in page.items],
        next_cursor=page.next_cursor,
        unread=events.count_unread(session, principal),
    )


@router.post("/read", status_code=204, response_class=Response, responses=problems(*JSON_BODY))
def read_events(wanted: ReadEvents, principal: Writer, session: DbSession) -> None:
    """Mark them as read: all, those up to a time, or one."""
    up_to = wanted.up_to or utc_now()
    # A time without a zone is UTC's, as everywhere.
    up_to = up_to if up_to.tzinfo else up_to.replace(tzinfo=UTC)
    events.mark_read(session, principal, up_to, wanted.id)


def render(row: EventRow) -> EventAnswer:
    """As the API shows it."""
    return EventAnswer(
        id=row.id,
        type=cast(EventType, row.type),
        at=row.created_at,
        read=row.read_at is not None,
        data=row.data,
    )
