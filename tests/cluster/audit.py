"""Counts what was written to the API server, by whom: its audit log holds writes only."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_EVENT_GROUPS = ("", "events.k8s.io")


@dataclass(frozen=True)
class Write:
    verb: str
    resource: str
    """With its subresource: `mlmodels/status`."""
    user: str


def policy() -> Mapping[str, Any]:
    """Leave out reads, and what Kubernetes writes all the time on its own."""
    quiet = [
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {
            "level": "None",
            "resources": [{"group": group, "resources": ["events"]} for group in _EVENT_GROUPS],
        },
        {"level": "None", "resources": [{"group": "coordination.k8s.io", "resources": ["leases"]}]},
        {"level": "None", "nonResourceURLs": ["*"]},
    ]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [*quiet, {"level": "Metadata"}],
    }


def now() -> datetime:
    return datetime.now(UTC)


def writes(log: Path, since: datetime) -> Counter[Write]:
    """What the API server did, whether or not it changed anything; refused requests are not counted."""
    return Counter(_write(event) for event in _events(log) if _counts(event, since))


def _events(log: Path) -> Iterator[Mapping[str, Any]]:
    with log.open() as lines:
        for line in lines:
            # The last line may be half written.
            if line.endswith("\n"):
                yield json.loads(line)


def _counts(event: Mapping[str, Any], since: datetime) -> bool:
    code = event.get("responseStatus", {}).get("code", 0)
    return 200 <= code < 300 and datetime.fromisoformat(event["requestReceivedTimestamp"]) >= since


def _write(event: Mapping[str, Any]) -> Write:
    target = event.get("objectRef", {})
    resource = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
    return Write(event["verb"], resource, event["user"]["username"])
