"""What was counted of a rollout, as users see it: from names of counters to fields."""

from collections import Counter
from collections.abc import Mapping

from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_evidence.segments import worst_segments
from modelport_telemetry.usage import latency

from modelport_control_api.rollouts.schemas import SegmentEvidence, SideEvidence, StepEvidence
from modelport_control_api.usage.evidence import Counts

_MOST_SEGMENTS = 10


def by_step(counts: Counts) -> list[StepEvidence]:
    """Return the steps as they follow each other: the shadow, then the candidate's share as it grows."""
    steps = sorted(counts, key=lambda step: int(step) if step.isdigit() else 0)
    return [_step(step, counts[step]) for step in steps]


def worst(counts: Counts) -> list[SegmentEvidence]:
    """Return the segments with the most disagreements beyond what other rows have, over all steps."""
    total: Counter[str] = Counter()
    for found in counts.values():
        total.update(found)
    return [
        SegmentEvidence(segment=each.name, rows=each.rows, disagreements=each.disagreements)
        for each in worst_segments(total, _MOST_SEGMENTS)
    ]


def _step(step: str, counts: Mapping[str, int]) -> StepEvidence:
    return StepEvidence(
        step=step,
        rows=counts.get(counters.ROWS, 0),
        disagreements=counts.get(counters.DISAGREEMENTS, 0),
        pairs=counts.get(counters.PAIRS, 0),
        dropped=counts.get(counters.DROPPED, 0),
        candidate=_side(CANDIDATE, counts),
        baseline=_side(BASELINE, counts),
    )


def _side(side: str, counts: Mapping[str, int]) -> SideEvidence:
    of_callers = counters.latencies(counts, counters.live_latency, side)
    # Copies to the candidate are beside what the baseline took for callers.
    of_copies = counters.latencies(counts, counters.shadow_latency, CANDIDATE)
    in_pairs = of_copies if side == CANDIDATE else of_callers
    return SideEvidence(
        requests=counts.get(counters.live_requests(side), 0),
        errors=counts.get(counters.live_errors(side), 0),
        refusals=counts.get(counters.live_refusals(side), 0),
        p50_ms=_milliseconds(of_callers, 0.5),
        p99_ms=_milliseconds(of_callers, 0.99),
        failed_alone=counts.get(counters.failed_alone(side), 0),
        refused_alone=counts.get(counters.refused_alone(side), 0),
        paired_p50_ms=_milliseconds(in_pairs, 0.5),
        paired_p99_ms=_milliseconds(in_pairs, 0.99),
    )


def _milliseconds(latencies: Mapping[int, int], share: float) -> float | None:
    seconds = latency.quantile(latencies, share)
    return None if seconds is None else round(1000 * seconds, 3)
