"""What happened: listed, and marked as read."""

from modelport.alerts import Event
from modelport.calls.paths import path_of
from modelport.steps import Flow, Listing, request, without_none


def listed(*, unread: bool, model_id: str | None, limit: int) -> Flow[list[Event]]:
    """Return the newest ones."""
    query = {"limit": str(limit), **({"unread": "true"} if unread else {})}
    query |= {"model_id": model_id} if model_id else {}
    listing = Listing(path_of("events"), lambda each, _url: Event.from_json(each), query)
    return (yield from listing.page(None)).items


def mark_read(event_id: str | None) -> Flow[None]:
    """Mark one as read; None: all."""
    yield from request("POST", path_of("events", "read"), json=without_none(id=event_id), repeatable=True)
