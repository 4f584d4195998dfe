"""The conditions of a model, as the Kubernetes API conventions have them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from modelport_crds.mlmodel import Condition, MLModel, TrafficTarget, VersionStatus
from modelport_crds.reasons import Reason
from msgspec.structs import replace

Verdict = tuple[Literal["True", "False"], str, str]


def decide_conditions(
    model: MLModel, versions: Mapping[str, VersionStatus], traffic: Sequence[TrafficTarget], now: datetime
) -> tuple[Condition, ...]:
    """Ready: requests are answered. Degraded: what is served is not what was asked for, and why."""
    verdicts = {
        "Ready": _ready(model, versions, traffic),
        "Degraded": _degraded(model, versions, traffic),
    }
    return tuple(_condition(model, type_, verdict, now) for type_, verdict in verdicts.items())


def _ready(
    model: MLModel, versions: Mapping[str, VersionStatus], traffic: Sequence[TrafficTarget]
) -> Verdict:
    serving = [target.version for target in traffic]
    down = next((versions[name] for name in serving if not versions[name].ready), None)
    if serving and down is None:
        return "True", Reason.SERVING, f"{', '.join(serving)} serves."
    held_up = down or _first_wanted(model, versions)
    return "False", held_up.reason or Reason.PROGRESSING, f"{held_up.name}: {held_up.message}"


def _degraded(
    model: MLModel, versions: Mapping[str, VersionStatus], traffic: Sequence[TrafficTarget]
) -> Verdict:
    wanted = [target.version for target in model.spec.traffic if target.weight]
    failed = next((versions[name] for name in wanted if versions[name].failed), None)
    if failed is not None:
        served = ", ".join(target.version for target in traffic) or "nothing"
        return "True", failed.reason, f"{failed.name}: {failed.message} Serving: {served}."
    return "False", Reason.SERVING if traffic else Reason.PROGRESSING, ""


def _first_wanted(model: MLModel, versions: Mapping[str, VersionStatus]) -> VersionStatus:
    wanted = [versions[target.version] for target in model.spec.traffic if target.version in versions]
    return next((status for status in wanted if status.failed), wanted[0])


def _condition(model: MLModel, type_: str, verdict: Verdict, now: datetime) -> Condition:
    status, reason, message = verdict
    condition = Condition(
        type=type_,
        status=status,
        reason=str(reason),
        message=message,
        observed_generation=model.metadata.generation,
        last_transition_time=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
    )
    before = model.status.condition(type_)
    if before is not None and before.status == status:
        return replace(condition, last_transition_time=before.last_transition_time)
    return condition
