"""Webhooks: made, with a secret that is shown once, tested, and what was sent to them."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from modelport_http.problem import Problem
from modelport_http.rate_limiting import enforce
from sqlalchemy import select
from sqlalchemy.orm import Session

from modelport_control_api.alerting import service
from modelport_control_api.alerting.webhook_schemas import NewWebhook, WebhookChange
from modelport_control_api.alerts import webhooks
from modelport_control_api.alerts.tables import WebhookRow
from modelport_control_api.alerts.types import EVENT_TYPES
from modelport_control_api.db.base import utc_now
from modelport_control_api.http.context import DbSession, RequestContext, RequestOrigin
from modelport_control_api.identity import Caller, Origin, Principal
from modelport_control_api.registry.tables import ModelRow
from modelport_control_api.ui.forms import Form, parse, read_values, without_blanks
from modelport_control_api.ui.pages.alerts import WORDS
from modelport_control_api.ui.rendering import redirect, render
from modelport_control_api.ui.signed_in import CurrentSignedIn, SignedIn

router = APIRouter(prefix="/ui/alerts/webhooks", include_in_schema=False)

_PAGE = 50
_MOST_MODELS = 100


async def read_new(request: Request) -> dict[str, Any]:
    """Return the form's texts by name; `events` is a list, empty if none was chosen."""
    return await read_values(request, lists=("events",))


NewValues = Annotated[dict[str, Any], Depends(read_new)]


async def limit_tests(request: Request, signed_in: CurrentSignedIn, context: RequestContext) -> None:
    """Raises a 429 problem, as the API's call does."""
    user_id = signed_in.principal.user_id
    await enforce(context.store, "webhook_test", context.settings.limit_webhook_test, user_id)


@router.get("")
def show_webhooks(
    request: Request, signed_in: CurrentSignedIn, session: DbSession, cursor: str | None = None
) -> Response:
    page = webhooks.list_page(session, signed_in.principal, _PAGE, cursor)
    return render(
        request,
        "alerts/webhooks.html",
        webhooks=page.items,
        next_cursor=page.next_cursor,
        is_first_page=cursor is None,
    )


@router.get("/new")
def show_form(request: Request, signed_in: CurrentSignedIn, session: DbSession) -> Response:
    return _form(request, session, signed_in, Form({"events": ["*"]}))


@router.post("/new")
def create(
    *,
    request: Request,
    values: NewValues,
    signed_in: CurrentSignedIn,
    session: DbSession,
    origin: RequestOrigin,
    context: RequestContext,
) -> Response:
    body = {**without_blanks(values), "events": values["events"]}
    parsed = parse(NewWebhook, body, shown=values)
    if parsed.body is None:
        return _form(request, session, signed_in, parsed.form, status=422)
    most = context.settings.user_max_webhooks
    try:
        row = service.create(session, _caller(signed_in, origin), parsed.body, most=most)
    except Problem as error:
        return _form(request, session, signed_in, parsed.form.refused_by(error), status=error.status)
    return _made(request, row, "The webhook is made")


@router.get("/{webhook_id}")
def show_webhook(
    webhook_id: str,
    request: Request,
    signed_in: CurrentSignedIn,
    session: DbSession,
    cursor: str | None = None,
) -> Response:
    return render(request, "alerts/webhook.html", **_shown(session, signed_in, webhook_id, cursor))


@router.get("/{webhook_id}/live")
def show_deliveries(
    webhook_id: str, request: Request, signed_in: CurrentSignedIn, session: DbSession
) -> Response:
    return render(request, "alerts/deliveries.html", **_shown(session, signed_in, webhook_id, None))


@router.post("/{webhook_id}/test", dependencies=[Depends(limit_tests)])
def send_test(webhook_id: str, request: Request, signed_in: CurrentSignedIn, session: DbSession) -> Response:
    service.send_test(session, signed_in.principal, webhook_id, utc_now())
    return redirect(request, f"/ui/alerts/webhooks/{webhook_id}", "A test is on its way.")


@router.post("/{webhook_id}/turn/{state}")
def turn(
    *,
    webhook_id: str,
    state: str,
    request: Request,
    signed_in: CurrentSignedIn,
    session: DbSession,
    origin: RequestOrigin,
) -> Response:
    change = WebhookChange(enabled=state == "on")
    service.change(session, _caller(signed_in, origin), webhook_id, change)
    return redirect(request, f"/ui/alerts/webhooks/{webhook_id}", f"The webhook is {state}.")


@router.post("/{webhook_id}/rotate")
def rotate(
    webhook_id: str, request: Request, signed_in: CurrentSignedIn, session: DbSession, origin: RequestOrigin
) -> Response:
    row = service.rotate(session, _caller(signed_in, origin), webhook_id, utc_now())
    return _made(request, row, "The secret is rotated")


@router.post("/{webhook_id}/delete")
def delete(
    webhook_id: str, request: Request, signed_in: CurrentSignedIn, session: DbSession, origin: RequestOrigin
) -> Response:
    service.delete(session, _caller(signed_in, origin), webhook_id)
    return redirect(request, "/ui/alerts/webhooks", "The webhook is deleted.")


def _form(
    request: Request, session: Session, signed_in: SignedIn, form: Form, *, status: int = 200
) -> Response:
    subjects = dict.fromkeys(name.partition(".")[0] for name in EVENT_TYPES)
    patterns = [(f"{subject}.*", _of_subject(subject)) for subject in subjects]
    models = _own_models(session, signed_in.principal)
    return render(
        request, "alerts/new_webhook.html", status=status, form=form, patterns=patterns, models=models
    )


def _of_subject(subject: str) -> str:
    return ", ".join(WORDS[name][0] for name in EVENT_TYPES if name.startswith(f"{subject}."))


def _made(request: Request, row: WebhookRow, heading: str) -> Response:
    return render(request, "alerts/made.html", webhook=row, heading=heading)


def _shown(session: Session, signed_in: SignedIn, webhook_id: str, cursor: str | None) -> dict[str, Any]:
    row = service.get(session, signed_in.principal, webhook_id)
    page = webhooks.deliveries(session, row.id, _PAGE, cursor)
    return {
        "webhook": row,
        "deliveries": page.items,
        "next_cursor": page.next_cursor,
        "is_first_page": cursor is None,
        "words": WORDS,
    }


def _own_models(session: Session, owner: Principal) -> Sequence[ModelRow]:
    mine = select(ModelRow).where(ModelRow.owner_id == owner.user_id)
    return session.scalars(mine.order_by(ModelRow.created_at.desc()).limit(_MOST_MODELS)).all()


def _caller(signed_in: SignedIn, origin: Origin) -> Caller:
    return Caller(signed_in.principal, origin)
