"""What a pass knows of a rollout beyond the model itself, and what it asks for."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from modelport_crds.mlmodel import MLModel, RolloutStatus

from modelport_operator.core.observed.observe import Observed

Counts = Mapping[str, int]
"""Counter (`modelport_evidence.counters`) → count."""


@dataclass(frozen=True)
class RolloutFacts:
    """`counts`: by step, what gateways counted, as far as the database has it. `replay`: what came of the
    kept rows. Each is None where it was not asked for, or could not be: `unheard` says why.
    """

    counts: Mapping[str, Counts] | None = None
    replay: Counts | None = None
    unheard: str = ""

    def total(self) -> Counts:
        """Of all steps."""
        summed: Counter[str] = Counter()
        for counts in (self.counts or {}).values():
            summed.update(counts)
        return summed

    def steps(self) -> list[Counts]:
        """Of each step, in their order: the shadow's, then by the candidate's share."""
        counts = self.counts or {}
        return [counts[step] for step in sorted(counts, key=lambda step: int(step) if step.isdigit() else 0)]

    def of_step(self, step: str) -> Counts:
        return (self.counts or {}).get(step, {})


def going_on(model: MLModel) -> RolloutStatus | None:
    """Return the rollout that the spec asks for, if it has begun and is not over."""
    wanted, known = model.spec.rollout, model.status.rollout
    if wanted is None or known is None or (known.id, known.version) != (wanted.id, wanted.version):
        return None
    return None if known.is_over else known


def needs_counts(rollout: RolloutStatus) -> bool:
    """Whether what gateways count now decides how it goes on."""
    return rollout.state in {"Shadowing", "Canary", "Baking"}


@dataclass(frozen=True)
class ReplayRequest:
    """Send up to `rows` kept rows to both versions."""

    baseline: str
    candidate: str
    rows: int


def replay_request(model: MLModel, observed: Observed) -> ReplayRequest | None:
    """Return which addresses to replay to; None: there is nothing to replay now."""
    rollout, wanted = going_on(model), model.spec.rollout
    if rollout is None or wanted is None or rollout.state != "Replaying":
        return None
    baseline, candidate = (_address(observed, each) for each in (rollout.baseline, rollout.version))
    if baseline is None or candidate is None:
        return None
    return ReplayRequest(baseline, candidate, wanted.strategy.replay.rows)


def _address(observed: Observed, version: str) -> str | None:
    return next((pod.address for pod in observed.pods_of(version) if pod.ready and pod.address), None)
