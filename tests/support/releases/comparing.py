"""What an upgrade may change in what the API returns: additions, and names that the changelog calls new."""

from typing import Any

import httpx

from tests.support.releases.stored import Recorded

BY_THE_GATEWAY = ("/v2", "/healthz", "/readyz", "/metrics")
"""Routes in the same document that the control API does not serve."""

_RENAMED = {"drifted": "out_of_sync", "drift": "sync"}
# Of this moment or of a pod that has ended, never of the data.
_OF_THE_MOMENT = ("/api/v1/admin/health", "/logs")
# Of the request itself and the address that it was sent to, or of the reader's own login.
_OF_THE_REQUEST = {"request_id", "predict_url", "last_seen_at"}
# For readers, worded from the status each time: programs go by `reason`.
_FOR_READERS = "message"


def difference(address: str, before: dict[str, Any], now: httpx.Response) -> str:
    """Where `now` lacks or changes something of `before`; empty if nowhere."""
    if address.endswith(_OF_THE_MOMENT):
        return "" if now.status_code < 500 else f"status {now.status_code}"
    if now.status_code != before["status"]:
        return f"status {before['status']} became {now.status_code}: {now.text}"
    if before["status"] >= httpx.codes.BAD_REQUEST:
        return ""  # The texts of problems are for readers, and reworded at times.
    if address.startswith("/api/v1/audit"):
        return _lost_entries(before["body"]["items"], now.json()["items"])
    if isinstance(before["body"], str):
        return "" if now.text == before["body"] else f"{before['body']!r} became {now.text!r}"
    return _lost(before["body"], now.json(), "")


def _lost_entries(before: list[Any], now: list[Any]) -> str:
    """The newest come first, so the reader's own logins stand before what was there. No page is full."""
    if len(now) < len(before):
        return f"{len(before)} items became {len(now)}"
    return _lost(before, now[len(now) - len(before) :], "items")


def _lost(before: Any, now: Any, where: str) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        return "; ".join(
            filter(None, (_lost_member(before, now, name, where) for name in before.keys() - _OF_THE_REQUEST))
        )
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        pairs = enumerate(zip(before, now, strict=True))
        return "; ".join(filter(None, (_lost(*pair, f"{where}[{index}]") for index, pair in pairs)))
    return "" if before == now else f"{where}: {before!r} became {now!r}"


def _lost_member(before: dict[str, Any], now: dict[str, Any], name: str, where: str) -> str:
    kept = name if name in now else _RENAMED.get(name, name)
    if kept not in now:
        return f"{where}.{name} is gone"
    if name == _FOR_READERS and bool(before[name]) == bool(now[kept]):
        return ""
    return _lost(before[name], now[kept], f"{where}.{kept}")


def known_of(recorded: Recorded) -> dict[str, list[dict[str, str]]]:
    """The objects that the owner's addresses name, as `addresses` takes them."""
    read = recorded.responses["owner"]
    models = read["/api/v1/models"]["body"]["items"]
    kept = [
        body["body"]["id"]
        for address, body in read.items()
        if address.startswith("/api/v1/predictions/")
        and isinstance(body["body"], dict)
        and "id" in body["body"]
    ]
    return {
        "model_id": [{"model_id": model["id"]} for model in models],
        "version": [
            {"model_id": model["id"], "version": version["name"]}
            for model in models
            for version in model["versions"]
        ],
        "job_id": [{"job_id": job["id"]} for job in read["/api/v1/jobs"]["body"]["items"]],
        "prediction_id": [{"prediction_id": each} for each in kept],
    }
