"""What is kept of a model's requests, and how many there were."""

from datetime import UTC, datetime, timedelta

from modelport.calls.paths import path_of
from modelport.history import KeptPrediction
from modelport.steps import Flow, Listing, request, without_none
from modelport.usage import Bucket, Usage

_PATH = path_of("predictions")
EXPORT = path_of("predictions", "export")


def listing(query: dict[str, str]) -> Listing[KeptPrediction]:
    """Return the list of kept predictions, newest first. `query`: as `query_of` returns it."""
    return Listing(_PATH, lambda each, _url: KeptPrediction.from_json(each), query)


def query_of(
    model_id: str, start: datetime | None, end: datetime | None, outcome: str | None, version: str | None
) -> dict[str, str]:
    """Return the history's filter as the API takes it."""
    return without_none(
        **{
            "model_id": model_id,
            "from": start.isoformat() if start else None,
            "to": end.isoformat() if end else None,
            "outcome": outcome,
            "version": version,
        }
    )


def delete(model_id: str) -> Flow[None]:
    """Delete all that is kept of the model, for good. Raises `NotFound` for a model of another user."""
    yield from request("DELETE", _PATH, params={"model_id": model_id}, repeatable=True)


def usage(model_id: str | None, days: float, bucket: Bucket, timezone: str) -> Flow[Usage]:
    """Return the last `days`, of one model or of all of the account."""
    path = path_of("analytics", *(("overview",) if model_id is None else ("models", model_id)))
    since = datetime.now(UTC) - timedelta(days=days)
    query = {"from": since.isoformat(), "bucket": bucket, "timezone": timezone}
    reply = yield from request("GET", path, params=query)
    return Usage.from_json(reply.json())
