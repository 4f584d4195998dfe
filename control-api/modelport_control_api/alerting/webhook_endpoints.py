"""The calls on webhooks of docs/api.md."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from modelport_http.rate_limiting import enforce

from modelport_control_api.alerting import service
from modelport_control_api.alerting.webhook_schemas import (
    DeliveryAnswer,
    DeliveryList,
    NewWebhook,
    WebhookAnswer,
    WebhookChange,
    WebhookList,
    WebhookWithSecret,
)
from modelport_control_api.alerts import webhooks
from modelport_control_api.alerts.tables import WebhookRow
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.bodies import StrictJsonRoute
from modelport_control_api.http.context import DbSession, PageCursor, PageLimit, RequestContext, get_context
from modelport_control_api.http.responses import CREDENTIAL, JSON_BODY, never_stored, problems
from modelport_control_api.models.access import ChangingCaller, Reader, Writer

router = APIRouter(
    prefix="/api/v1/webhooks", tags=["alerts"], route_class=StrictJsonRoute, responses=problems(*CREDENTIAL)
)


async def limit_tests(request: Request, principal: Writer) -> None:
    """Raises a 429 problem: each test is a request to somebody."""
    context = get_context(request)
    await enforce(context.store, "webhook_test", context.settings.limit_webhook_test, principal.user_id)


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(never_stored)],
    responses=problems(*JSON_BODY, 404, 409),
)
def create_webhook(
    wanted: NewWebhook,
    caller: ChangingCaller,
    session: DbSession,
    context: RequestContext,
    response: Response,
) -> WebhookWithSecret:
    """Have an address sent what happens to your models and jobs, signed as Standard Webhooks has it.

    The response is the only place where the secret is shown.
    """
    row = service.create(session, caller, wanted, most=context.settings.user_max_webhooks)
    response.headers["Location"] = f"/api/v1/webhooks/{row.id}"
    return _with_secret(row)


@router.get("", responses=problems(422))
def list_webhooks(
    principal: Reader,
    session: DbSession,
    limit: PageLimit = 50,
    cursor: PageCursor = None,
    model_id: Annotated[str | None, Query(max_length=127, description="Only those of this model.")] = None,
) -> WebhookList:
    """Yours, newest first."""
    page = webhooks.list_page(session, principal, limit, cursor, model_id=model_id)
    return WebhookList(items=[WebhookAnswer.of(row) for row in page.items], next_cursor=page.next_cursor)


@router.get("/{webhook_id}", responses=problems(404))
def read_webhook(webhook_id: str, principal: Reader, session: DbSession) -> WebhookAnswer:
    """One of them, without its secret."""
    return WebhookAnswer.of(service.get(session, principal, webhook_id))


@router.patch("/{webhook_id}", responses=problems(*JSON_BODY, 404))
def change_webhook(
    webhook_id: str, wanted: WebhookChange, caller: ChangingCaller, session: DbSession
) -> WebhookAnswer:
    """Another address or other events, or on and off. What waits while it is off is sent once it is on."""
    return WebhookAnswer.of(service.change(session, caller, webhook_id, wanted))


@router.delete("/{webhook_id}", status_code=204, response_class=Response, responses=problems(404))
def delete_webhook(webhook_id: str, caller: ChangingCaller, session: DbSession) -> None:
    """Send nothing any more, and forget what was sent."""
    service.delete(session, caller, webhook_id)


@router.post("/{webhook_id}/rotate", dependencies=[Depends(never_stored)], responses=problems(404))
def rotate_secret(webhook_id: str, caller: ChangingCaller, session: DbSession) -> WebhookWithSecret:
    """Another secret, shown this once. For 24 hours messages are signed with the former one too."""
    return _with_secret(service.rotate(session, caller, webhook_id, utc_now()))


@router.post(
    "/{webhook_id}/test",
    status_code=202,
    dependencies=[Depends(limit_tests)],
    responses=problems(404, 409, 429),
)
def test_webhook(webhook_id: str, principal: Writer, session: DbSession) -> DeliveryAnswer:
    """Have a message sent that is about nothing. How it fares is among the deliveries in a second or two."""
    return DeliveryAnswer.of(service.send_test(session, principal, webhook_id, utc_now()))


@router.get("/{webhook_id}/deliveries", responses=problems(404, 422))
def list_deliveries(
    webhook_id: str, principal: Reader, session: DbSession, limit: PageLimit = 50, cursor: PageCursor = None
) -> DeliveryList:
    """What was sent, or is to be, newest first: how often it was tried, and what came of it."""
    row = service.get(session, principal, webhook_id)
    page = webhooks.deliveries(session, row.id, limit, cursor)
    return DeliveryList(items=[DeliveryAnswer.of(each) for each in page.items], next_cursor=page.next_cursor)


def _with_secret(row: WebhookRow) -> WebhookWithSecret:
    return WebhookWithSecret(**WebhookAnswer.of(row).model_dump(), secret=row.secret)
