"""What of a model's change users should read in its Kubernetes Events."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from modelport_crds.mlmodel import MLModel, MLModelStatus, RolloutStatus, VersionStatus
from modelport_crds.names import API_VERSION, FIELD_MANAGER, KIND
from modelport_crds.reasons import Reason
from modelport_crds.shares import listed
from modelport_kube.kube import RESOURCES, Object

from modelport_operator.core.timestamps import write_time

_GOOD = {Reason.PROGRESSING, Reason.SERVING, Reason.DELETING}
_LONGEST = 1000


@dataclass(frozen=True)
class Event:
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def events_of(before: MLModelStatus, after: MLModelStatus) -> tuple[Event, ...]:
    """In the order in which a user would report them."""
    return (
        *_of_versions(before, after),
        *_of_engines(before, after),
        *_of_rollout(before, after),
        *_of_traffic(before, after),
    )


def build_event(model: MLModel, event: Event, earlier: Object | None, now: datetime) -> Object:
    """The Event, counted up if it has happened before: `earlier` is what lies at its name now."""
    metadata = model.metadata
    time = write_time(now)
    return {
        "apiVersion": RESOURCES["Event"],
        "kind": "Event",
        "metadata": {"name": event_name(model, event), "namespace": metadata.namespace},
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
        },
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
        "count": int((earlier or {}).get("count", 0)) + 1,
        "firstTimestamp": (earlier or {}).get("firstTimestamp", time),
        "lastTimestamp": time,
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
    }


def event_name(model: MLModel, event: Event) -> str:
    """The same for the same event, so that it is counted and not reported again and again."""
    reported = "\n".join([model.metadata.uid, event.type, event.reason, event.message])
    return f"{model.metadata.name}.{hashlib.sha256(reported.encode()).hexdigest()[:16]}"


def _of_versions(before: MLModelStatus, after: MLModelStatus) -> Iterator[Event]:
    for version in after.versions:
        known = before.version(version.name)
        if known is None or _judgment(known) != _judgment(version):
            good = version.reason in _GOOD
            yield Event("Normal" if good else "Warning", version.reason, _message(version))


def _judgment(version: VersionStatus) -> tuple[str, bool]:
    # Not the message: how far a start has come is no happening.
    return version.reason, version.failed


def _message(version: VersionStatus) -> str:
    words = {Reason.SERVING: "is ready.", Reason.PROGRESSING: "is starting."}.get(Reason(version.reason))
    if words is not None:
        return f"{version.name} {words}"
    return f"{version.name}: {version.message}"[:_LONGEST]


def _of_engines(before: MLModelStatus, after: MLModelStatus) -> Iterator[Event]:
    """A runtime that went back to its model by itself; a switch to `off` is another template."""
    for version in after.versions:
        known = before.version(version.name)
        lost = known is not None and (known.engine, version.engine) == ("numpy", "native")
        if known is not None and lost and known.template == version.template:
            detail = version.acceleration.detail if version.acceleration else ""
            reported = f"{version.name} answers from the model itself again. {detail}"
            yield Event("Warning", "AccelerationEnded", reported.rstrip()[:_LONGEST])


def _of_rollout(before: MLModelStatus, after: MLModelStatus) -> Iterator[Event]:
    was, now = before.rollout, after.rollout
    if now is None or (was is not None and was.stage == now.stage):
        return
    if now.is_over:
        good = now.state in {"Promoted", "Cancelled"}
        yield Event("Normal" if good else "Warning", f"Rollout{now.state}", now.verdict[:_LONGEST])
    else:
        yield Event("Normal", "RolloutStep", _step(now))


def _step(rollout: RolloutStatus) -> str:
    if rollout.weight:
        return f"{rollout.version} gets {rollout.weight} % of the requests."
    words = {"Pending": "is awaited", "Replaying": "gets kept rows", "Shadowing": "gets copies of requests"}
    return f"{rollout.version} {words[rollout.state]}."


def _of_traffic(before: MLModelStatus, after: MLModelStatus) -> Iterator[Event]:
    if before.traffic != after.traffic and after.traffic:
        shares = {each.version: each.weight for each in after.traffic}
        yield Event("Normal", "TrafficMoved", f"Requests go to {listed(shares)}.")
