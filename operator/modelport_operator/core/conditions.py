"""A model's conditions: does it serve, is something in progress, is something wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from modelport_crds.mlmodel import Condition, MLModel, TrafficTarget, VersionStatus
from modelport_crds.reasons import Reason
from modelport_crds.shares import serve, weights

from modelport_operator.core.timestamps import write_time

READY, PROGRESSING, DEGRADED = "Ready", "Progressing", "Degraded"


@dataclass(frozen=True)
class _Facts:
    wanted: Mapping[str, int]
    served: Mapping[str, int]
    versions: Mapping[str, VersionStatus]

    def trouble(self) -> VersionStatus | None:
        """The wanted version that keeps the model from being as wanted: failed or held before not ready."""
        wanted = (known for name in self.wanted if (known := self.versions.get(name)))
        troubled = [known for known in wanted if not known.ready or _is_held(known)]
        return min(troubled, key=lambda known: not _is_stuck(known), default=None)

    def limping(self) -> VersionStatus | None:
        """A version that serves from the pods of its old template, since the new ones cannot."""
        served = (self.versions[name] for name in self.served)
        return next((known for known in served if known.ready and known.reason != Reason.SERVING), None)

    def down(self) -> VersionStatus | None:
        """A version that gets requests and cannot serve any now."""
        return next((self.versions[name] for name in self.served if not self.versions[name].ready), None)


@dataclass(frozen=True)
class _Outcome:
    holds: bool
    reason: str
    message: str


def decide_conditions(
    model: MLModel, versions: Mapping[str, VersionStatus], traffic: tuple[TrafficTarget, ...], now: datetime
) -> tuple[Condition, ...]:
    """Ready, Progressing and Degraded, in this order."""
    facts = _Facts(weights(model.spec.traffic), weights(traffic), versions)
    outcomes = {READY: _ready(facts), PROGRESSING: _progressing(facts), DEGRADED: _degraded(facts)}
    return _stamped(model, outcomes, now)


def deleting_conditions(model: MLModel, now: datetime) -> tuple[Condition, ...]:
    """Return Ready, Progressing and Degraded, in this order, all False; since `now` if they were not."""
    gone = _Outcome(False, Reason.DELETING, "The model is being deleted.")
    return _stamped(model, {READY: gone, PROGRESSING: gone, DEGRADED: gone}, now)


def _ready(facts: _Facts) -> _Outcome:
    if any(facts.versions[name].ready for name in facts.served):
        return _Outcome(True, Reason.SERVING, " ".join([serve(facts.served), *_notes(facts)]))
    if down := facts.down():
        return _Outcome(False, Reason.NO_READY_VERSION, f"{down.name} is down: {down.message}")
    return _trouble_outcome(facts, holds=False)


def _notes(facts: _Facts) -> list[str]:
    """What a version that serves has to report: the library that saved it is another than the one here."""
    serving = [facts.versions[name] for name in facts.served if facts.versions[name].ready]
    return list(
        dict.fromkeys(known.message for known in serving if known.reason == Reason.SERVING and known.message)
    )


def _progressing(facts: _Facts) -> _Outcome:
    starting = next(
        (known for name in facts.wanted if (known := facts.versions.get(name)) and _is_starting(known)), None
    )
    if starting is not None:
        return _Outcome(True, Reason.PROGRESSING, starting.message)
    return _trouble_outcome(facts, holds=False)


def _degraded(facts: _Facts) -> _Outcome:
    trouble = facts.trouble()
    is_stuck = trouble is not None and _is_stuck(trouble)
    culprit = trouble if is_stuck else facts.down() or facts.limping()
    if culprit is not None:
        return _Outcome(True, culprit.reason, f"{culprit.name}: {culprit.message}")
    return _trouble_outcome(facts, holds=False)


def _trouble_outcome(facts: _Facts, *, holds: bool) -> _Outcome:
    if trouble := facts.trouble():
        return _Outcome(holds, trouble.reason, f"{trouble.name}: {trouble.message}")
    return _Outcome(holds, Reason.SERVING, "All is as specified.")


def _is_held(known: VersionStatus) -> bool:
    return known.reason == Reason.SIGNATURE_CHANGED


def _is_stuck(known: VersionStatus) -> bool:
    """Nothing will change until somebody does something."""
    return known.failed or _is_held(known)


def _is_starting(known: VersionStatus) -> bool:
    return not known.ready and not known.failed


def _stamped(model: MLModel, outcomes: Mapping[str, _Outcome], now: datetime) -> tuple[Condition, ...]:
    return tuple(_condition(model, type_, outcome, now) for type_, outcome in outcomes.items())


def _condition(model: MLModel, type_: str, outcome: _Outcome, now: datetime) -> Condition:
    status: Literal["True", "False"] = "True" if outcome.holds else "False"
    before = model.status.condition(type_)
    same = before is not None and before.status == status
    return Condition(
        type=type_,
        status=status,
        reason=outcome.reason,
        message=outcome.message,
        last_transition_time=before.last_transition_time if before and same else write_time(now),
        observed_generation=model.metadata.generation,
    )
