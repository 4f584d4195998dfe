"""Webhooks: made, changed, tested, and what was sent to them."""

from collections.abc import Sequence

from modelport.alerts import Delivery, Webhook
from modelport.calls.paths import path_of
from modelport.steps import Flow, Listing, request, without_none

LIST = Listing(path_of("webhooks"), lambda each, _url: Webhook.from_json(each))


def create(url: str, events: Sequence[str], model_id: str | None, description: str) -> Flow[Webhook]:
    """Return the webhook with its secret."""
    body = without_none(url=url, events=list(events), model_id=model_id, description=description)
    return Webhook.from_json((yield from request("POST", path_of("webhooks"), json=body)).json())


def get(webhook_id: str) -> Flow[Webhook]:
    """Return it without its secret. Raises `NotFound`."""
    return Webhook.from_json((yield from request("GET", path_of("webhooks", webhook_id))).json())


def update(
    webhook_id: str,
    *,
    url: str | None,
    events: Sequence[str] | None,
    description: str | None,
    enabled: bool | None,
) -> Flow[Webhook]:
    """Return it as it is now; None leaves a thing as it is."""
    body = without_none(
        url=url, events=None if events is None else list(events), description=description, enabled=enabled
    )
    # Twice is as good as once.
    reply = yield from request("PATCH", path_of("webhooks", webhook_id), json=body, repeatable=True)
    return Webhook.from_json(reply.json())


def delete(webhook_id: str) -> Flow[None]:
    """Send it nothing any more."""
    yield from request("DELETE", path_of("webhooks", webhook_id))


def rotate_secret(webhook_id: str) -> Flow[Webhook]:
    """Return it with another secret."""
    reply = yield from request("POST", path_of("webhooks", webhook_id, "rotate"))
    return Webhook.from_json(reply.json())


def test(webhook_id: str) -> Flow[Delivery]:
    """Return the message that is about to be sent. Raises `Conflict` where the webhook is off."""
    reply = yield from request("POST", path_of("webhooks", webhook_id, "test"))
    return Delivery.from_json(reply.json())


def deliveries(webhook_id: str, limit: int) -> Flow[list[Delivery]]:
    """Return the newest messages."""
    path = path_of("webhooks", webhook_id, "deliveries")
    listing = Listing(path, lambda each, _url: Delivery.from_json(each), {"limit": str(limit)})
    return (yield from listing.page(None)).items
