"""The spec's guardrails, judged, as the status writes findings."""

from collections.abc import Sequence

from modelport_crds.mlmodel import Finding, Rollout, RolloutStatus
from modelport_evidence.judging import GuardrailFinding, judge
from msgspec.structs import asdict

from modelport_operator.core.rollout.facts import Counts


def findings_of(
    wanted: Rollout, rollout: RolloutStatus, steps: Sequence[Counts], level: float
) -> tuple[Finding, ...]:
    """Judge the counts of the steps. `level`: how likely all guardrails together may be to err."""
    found = judge(
        steps,
        tolerances(wanted),
        confidence=1 - level,
        candidate=rollout.version,
        baseline=rollout.baseline,
    )
    return tuple(_written(each) for each in found)


def tolerances(wanted: Rollout) -> dict[str, float]:
    """By guardrail; of those that are looked at."""
    limits = asdict(wanted.strategy.guardrails)
    return {name: float(limit) for name, limit in limits.items() if limit != "off"}


def _written(found: GuardrailFinding) -> Finding:
    return Finding(
        guardrail=found.guardrail,
        state=found.state,
        estimate=_text(found.estimate),
        lower=_text(found.lower),
        upper=_text(found.upper),
        limit=_text(found.limit),
        observations=found.observations,
        message=found.message,
    )


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
