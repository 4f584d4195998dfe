"""Where a rollout goes next: from where it stands, what was counted, and the clock. Pure.

Each pass computes the same from the same, so that an operator killed between any two writes changes nothing
about the end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from modelport_crds.mlmodel import Finding, MLModel, Rollout, RolloutState, RolloutStatus, VersionStatus
from modelport_crds.shares import weights
from modelport_evidence import counters
from modelport_evidence.judging import split_is_off
from modelport_http.wording import counted
from msgspec.structs import replace

from modelport_operator.core.rollout import verdicts
from modelport_operator.core.rollout.facts import RolloutFacts
from modelport_operator.core.rollout.guardrails import findings_of
from modelport_operator.core.timestamps import read_time, write_time

SHADOW_STEP = "shadow"
BAKING_STEP = "100"
# Of the level that a rollout may err by: kept rows are judged on their own.
_REPLAYS_PART = 0.2
# What shadowing can prove; how slow copies are, which wait behind callers, only speaks against a version.
_TO_PROVE = {"disagreement", "error_rate", "refusal_rate"}


@dataclass(frozen=True)
class _Turn:
    wanted: Rollout
    rollout: RolloutStatus
    versions: Mapping[str, VersionStatus]
    facts: RolloutFacts
    now: datetime

    @property
    def candidate(self) -> VersionStatus:
        return self.versions.get(self.rollout.version) or VersionStatus(name=self.rollout.version)

    @property
    def error_level(self) -> float:
        """How likely the whole rollout may be to judge wrongly."""
        return 1 - float(self.wanted.strategy.confidence)

    def lasted(self, minutes: float) -> bool:
        return self.now - read_time(self.rollout.step_started_at) >= timedelta(minutes=minutes)


def decide_rollout(
    model: MLModel, versions: Mapping[str, VersionStatus], facts: RolloutFacts, now: datetime
) -> RolloutStatus | None:
    """Return where the model's rollout stands after this pass; None: there never was one."""
    wanted, known = model.spec.rollout, model.status.rollout
    if wanted is None:
        return _taken_out(known, now)
    rollout = known if known and _is_same(known, wanted) else _begun(model, wanted, now)
    if rollout.is_over:
        return rollout
    return _next(_Turn(wanted, rollout, versions, facts, now))


def _is_same(known: RolloutStatus, wanted: Rollout) -> bool:
    return (known.id, known.version) == (wanted.id, wanted.version)


def _taken_out(known: RolloutStatus | None, now: datetime) -> RolloutStatus | None:
    if known is None or known.is_over:
        return known
    return _ended(known, "Cancelled", f"It was taken out of the spec; {verdicts.serves_on(known)}", now)


def _begun(model: MLModel, wanted: Rollout, now: datetime) -> RolloutStatus:
    others = {name: each for name, each in weights(model.status.traffic).items() if name != wanted.version}
    baseline = max(others, key=lambda name: others[name], default="")
    begun = RolloutStatus(id=wanted.id, version=wanted.version, baseline=baseline, started_at=write_time(now))
    return replace(begun, step_started_at=begun.started_at)


def _next(turn: _Turn) -> RolloutStatus:
    if turn.wanted.decision is not None:
        return _by_a_person(turn)
    if reason := _impossible(turn):
        return _ended(turn.rollout, "RolledBack", reason, turn.now)
    if _is_too_long(turn):
        return _ended(turn.rollout, "Inconclusive", _too_long(turn), turn.now)
    return _STATES[turn.rollout.state](turn)


def _by_a_person(turn: _Turn) -> RolloutStatus:
    rollout = turn.rollout
    if turn.wanted.decision == "cancel":
        return _ended(rollout, "Cancelled", f"It was cancelled; {verdicts.serves_on(rollout)}", turn.now)
    if turn.wanted.decision == "rollback":
        verdict = f"A person rolled it back; {verdicts.serves_on(rollout)}"
        return _ended(rollout, "RolledBack", verdict, turn.now)
    if not (turn.candidate.answered and turn.candidate.ready):
        return replace(
            rollout, held=f"It is promoted once {rollout.version} answers. {turn.candidate.message}"
        )
    return _ended(rollout, "Promoted", f"A person promoted it; {rollout.version} serves.", turn.now)


def _impossible(turn: _Turn) -> str:
    """Say why the candidate can never be brought in; empty: it may be."""
    candidate, rollout = turn.candidate, turn.rollout
    if candidate.failed:
        return f"{candidate.name} did not start: {candidate.message.rstrip('.')}. {_on(rollout)}"
    if rollout.baseline and rollout.baseline not in turn.versions:
        return f"{rollout.baseline} was removed meanwhile, so there is nothing to compare with."
    return ""


def _on(rollout: RolloutStatus) -> str:
    return verdicts.serves_on(rollout) if rollout.baseline else "Nothing serves."


def _is_too_long(turn: _Turn) -> bool:
    hours = timedelta(hours=turn.wanted.strategy.max_hours)
    return turn.rollout.state != "Baking" and turn.now - read_time(turn.rollout.started_at) >= hours


def _too_long(turn: _Turn) -> str:
    return verdicts.inconclusive(turn.rollout, turn.wanted.strategy.max_hours)


def _pending(turn: _Turn) -> RolloutStatus:
    rollout, candidate = turn.rollout, turn.candidate
    if not (candidate.answered and candidate.ready):
        return replace(rollout, held=candidate.message)
    if not rollout.baseline:
        verdict = f"No other version served, so there was nothing to compare; {rollout.version} serves."
        return _ended(rollout, "Promoted", verdict, turn.now)
    if turn.wanted.strategy.replay.rows:
        return _moved(turn, "Replaying")
    return _shadowing_begun(turn)


def _replaying(turn: _Turn) -> RolloutStatus:
    counts = turn.facts.replay
    if counts is None:
        return replace(turn.rollout, held=turn.facts.unheard or "Both versions need a ready pod.")
    rows = counts.get(counters.PAIRS, 0)
    rollout = replace(turn.rollout, replayed_rows=rows)
    findings = findings_of(turn.wanted, rollout, [counts], _REPLAYS_PART * turn.error_level)
    if culprit := _beyond(findings):
        where = f"Of {counted(rows, 'kept row')}: "
        verdict = verdicts.beyond(rollout, culprit, where=where)
        return _ended(replace(rollout, findings=findings), "RolledBack", verdict, turn.now)
    return _shadowing_begun(turn, rollout)


def _shadowing_begun(turn: _Turn, rollout: RolloutStatus | None = None) -> RolloutStatus:
    return _moved(turn, "Shadowing", step=SHADOW_STEP, rollout=rollout)


def _shadowing(turn: _Turn) -> RolloutStatus:
    rollout = _judged(turn)
    if rollout.is_over or turn.facts.counts is None:
        return rollout
    rows, least = turn.facts.total().get(counters.ROWS, 0), turn.wanted.strategy.shadow.min_rows
    if rows < least:
        return replace(rollout, held=f"{counted(rows, 'row')} of {least:,} are compared.")
    if held := _held(turn, rollout):
        return replace(rollout, held=held)
    return _next_step(turn, rollout)


def _canary(turn: _Turn) -> RolloutStatus:
    rollout = _judged(turn)
    if rollout.is_over or turn.facts.counts is None:
        return rollout
    if held := _held(turn, rollout) or _held_step(turn):
        return replace(rollout, held=held)
    return _next_step(turn, rollout)


def _baking(turn: _Turn) -> RolloutStatus:
    rollout = _judged(turn)
    if rollout.is_over or turn.facts.counts is None or turn.wanted.paused:
        return rollout
    if not turn.lasted(turn.wanted.strategy.bake_minutes):
        return rollout
    total = turn.facts.total()
    rows, requests = total.get(counters.ROWS, 0), total.get(counters.live_requests(counters.CANDIDATE), 0)
    return _ended(rollout, "Promoted", verdicts.promoted(rollout, rows, requests), turn.now)


_STATES: Mapping[RolloutState, Callable[[_Turn], RolloutStatus]] = {
    "Pending": _pending,
    "Replaying": _replaying,
    "Shadowing": _shadowing,
    "Canary": _canary,
    "Baking": _baking,
}


def _judged(turn: _Turn) -> RolloutStatus:
    """With what was found so far; rolled back where that is beyond what is tolerated."""
    rollout = replace(turn.rollout, held=turn.facts.unheard)
    if turn.facts.counts is None:
        return rollout
    level = (1 - _REPLAYS_PART) * turn.error_level
    findings = findings_of(turn.wanted, rollout, turn.facts.steps(), level)
    rollout = replace(rollout, findings=findings)
    if culprit := _beyond(findings):
        return _ended(rollout, "RolledBack", verdicts.beyond(rollout, culprit), turn.now)
    return rollout


def _is_last_step(turn: _Turn) -> bool:
    """After it callers have nothing from the old version that could be right or wrong."""
    steps = turn.wanted.strategy.steps
    return bool(steps) and turn.rollout.step == str(steps[-1])


def _beyond(findings: Sequence[Finding]) -> Finding | None:
    return next((each for each in findings if each.state == "beyond"), None)


def _held(turn: _Turn, rollout: RolloutStatus) -> str:
    """Say why the candidate gets no more requests than it has; empty: it may."""
    if turn.wanted.paused:
        return "It is paused."
    if not turn.candidate.ready:
        return f"{rollout.version} has no ready pod. {turn.candidate.message}".rstrip()
    to_prove = _TO_PROVE | ({"quality"} if _is_last_step(turn) else set())
    unproven = [each for each in rollout.findings if each.guardrail in to_prove and each.state != "within"]
    return f"It is not known well enough yet {verdicts.unknown(unproven)}." if unproven else ""


def _held_step(turn: _Turn) -> str:
    strategy, counts = turn.wanted.strategy, turn.facts.of_step(turn.rollout.step)
    requests = counts.get(counters.live_requests(counters.CANDIDATE), 0)
    if requests < strategy.step_requests:
        return f"{counted(requests, 'request')} of {strategy.step_requests:,} came in this step."
    if not turn.lasted(strategy.step_minutes):
        return f"A step lasts {counted(strategy.step_minutes, 'minute')}."
    others = counts.get(counters.live_requests(counters.BASELINE), 0)
    return split_is_off(requests, others, turn.rollout.weight, 1 - turn.error_level) or ""


def _next_step(turn: _Turn, rollout: RolloutStatus) -> RolloutStatus:
    later = [share for share in turn.wanted.strategy.steps if share > rollout.weight]
    if later and rollout.state != "Baking":
        return _moved(turn, "Canary", step=str(min(later)), weight=min(later), rollout=rollout)
    return _moved(turn, "Baking", step=BAKING_STEP, weight=100, rollout=rollout)


def _moved(
    turn: _Turn, state: RolloutState, *, step: str = "", weight: int = 0, rollout: RolloutStatus | None = None
) -> RolloutStatus:
    return replace(
        rollout or turn.rollout,
        state=state,
        step=step,
        weight=weight,
        shadow_percent=turn.wanted.strategy.shadow.percent if step else 0,
        step_started_at=write_time(turn.now),
        held="",
    )


def _ended(rollout: RolloutStatus, state: RolloutState, verdict: str, now: datetime) -> RolloutStatus:
    weight = 100 if state == "Promoted" else 0
    return replace(
        rollout,
        state=state,
        verdict=verdict,
        weight=weight,
        shadow_percent=0,
        held="",
        ended_at=write_time(now),
    )
