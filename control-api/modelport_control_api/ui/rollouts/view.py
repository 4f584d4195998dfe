"""A rollout as its page shows it: the steps, and what is known of each guardrail. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from modelport_crds.mlmodel import FindingState
from modelport_http.wording import counted

from modelport_control_api.rollouts.schemas import Finding, RolloutAnswer, State, Strategy
from modelport_control_api.ui.models.steps import Step, StepState

OVER: frozenset[State] = frozenset({"promoted", "rolled_back", "inconclusive", "cancelled"})
_SHADOW, _BAKING = "shadow", "100"
# How far a rollout came that ended in this state, and did not go on.
_ENDS: Mapping[State, StepState] = {
    "rolled_back": "failed",
    "inconclusive": "stopped",
    "cancelled": "stopped",
}
_NOT_SHARES = {"p99_ratio"}
_OF_ROWS = {"disagreement", "quality"}


@dataclass(frozen=True, slots=True)
class GuardrailRow:
    """What is known of a guardrail, as texts. `state` None: it is not looked at."""

    name: str
    state: FindingState | None
    measured: str = "–"
    between: str = "–"
    tolerated: str = "–"
    seen: str = "–"
    message: str = ""


def is_over(rollout: RolloutAnswer) -> bool:
    """Return whether it has ended, one way or another."""
    return rollout.state in OVER


def steps_of(rollout: RolloutAnswer) -> list[Step]:
    """Return each step on the way to the whole traffic, and how far it came."""
    keys = _keys(rollout)
    reached = len(keys) if rollout.state == "promoted" else keys.index(_reached(rollout))
    current = _ENDS.get(rollout.state, "active")
    return [
        Step(
            _title(key, rollout),
            "done" if at < reached else current if at == reached else "waiting",
            _detail(key, rollout),
        )
        for at, key in enumerate(keys)
    ]


def guardrails_of(rollout: RolloutAnswer) -> list[GuardrailRow]:
    """Return each guardrail of the strategy: with what was found, or that it is not looked at."""
    found = {each.guardrail: each for each in rollout.findings}
    return [_guardrail(name, limit, found.get(name)) for name, limit in rollout.strategy.guardrails]


def _keys(rollout: RolloutAnswer) -> list[str]:
    replays = ["replaying"] if rollout.strategy.replay.rows else []
    shares = {*rollout.strategy.steps, *([int(rollout.step)] if rollout.step.isdigit() else [])} - {100}
    return ["pending", *replays, _SHADOW, *map(str, sorted(shares)), _BAKING]


def _reached(rollout: RolloutAnswer) -> str:
    if rollout.step:
        return rollout.step
    # Of one that has ended before anything was compared by gateways: kept rows were, or it never answered.
    has_replayed = rollout.state == "replaying" or bool(rollout.findings)
    return "replaying" if has_replayed and rollout.strategy.replay.rows else "pending"


def _title(key: str, rollout: RolloutAnswer) -> str:
    titles = {"pending": "Sample answered", "replaying": "Replay", _SHADOW: "Shadow", _BAKING: "All traffic"}
    return titles.get(key, f"{key} % of the traffic")


def _detail(key: str, rollout: RolloutAnswer) -> str:
    wanted = rollout.strategy
    if key == "pending":
        return ""
    if key == "replaying":
        return _replayed(rollout)
    if key == _SHADOW:
        least = counted(wanted.shadow.min_rows, "row")
        return f"Copies of {wanted.shadow.percent} % of the requests, until at least {least} are compared"
    if key == _BAKING:
        minutes = counted(wanted.bake_minutes, "minute")
        return f"{rollout.baseline or 'The old version'} stays ready for {minutes}"
    return _at_least(wanted)


def _replayed(rollout: RolloutAnswer) -> str:
    if rollout.replayed_rows:
        return f"{counted(rollout.replayed_rows, 'kept row')} went through both versions"
    if rollout.step:
        return "No rows were kept that could go through both versions"
    return f"Up to {counted(rollout.strategy.replay.rows, 'kept row')} go through both versions"


def _at_least(wanted: Strategy) -> str:
    return f"At least {counted(wanted.step_minutes, 'minute')} and {counted(wanted.step_requests, 'request')}"


def _guardrail(name: str, limit: float | None, found: Finding | None) -> GuardrailRow:
    if limit is None:
        return GuardrailRow(name, None)
    tolerated = _text(name, limit)
    if found is None:
        return GuardrailRow(name, "unknown", tolerated=tolerated)
    is_known = found.observations and None not in (found.lower, found.upper)
    unit = "row" if name in _OF_ROWS else "request"
    return GuardrailRow(
        name,
        found.state,
        measured=_text(name, found.estimate),
        between=f"{_text(name, found.lower)} to {_text(name, found.upper)}" if is_known else "–",
        tolerated=tolerated,
        seen=counted(found.observations, unit),
        message=found.message,
    )


def _text(name: str, value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3g} times" if name in _NOT_SHARES else f"{100 * value:.3g} %"
