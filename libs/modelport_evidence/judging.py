"""Whether a candidate stays within what is tolerated: beyond it, within it, or not known yet.

All from counts, at any number of looks. The level is shared out over the guardrails that are looked at; of
the two questions about one, only one can be answered wrongly.

Pairs are summed over all steps. What callers had of both versions is compared within a step only: from one
step to the next the shares change, and with the hour the load, so that sums would blame one version for both.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_evidence.quantiles import quantile_interval
from modelport_evidence.rates import (
    Interval,
    above_log_e,
    difference_above_log_e,
    log_mean_exp,
    mean_above_log_e,
    mean_interval,
    rate_interval,
)
from modelport_evidence.segments import worst_segment

Counts = Mapping[str, int]
_Counter = Callable[[str], str]
"""Side → the name of a counter."""
State = Literal["within", "beyond", "unknown"]

NOTICEABLE_SECONDS = 0.005
"""A 99th percentile that is greater by less is tolerated whatever the ratio: nobody notices."""
# A tolerance of none at all is as much: no test can prove a rate to be 0.
_LEAST_TOLERANCE = 1e-4


@dataclass(frozen=True)
class GuardrailFinding:
    """What is known of one guardrail. `estimate`, `lower`, `upper` and `limit` are shares, or a ratio; None:
    not known. `observations`: rows, pairs or calls."""

    guardrail: str
    state: State
    estimate: float | None
    lower: float | None
    upper: float | None
    limit: float
    observations: int
    message: str


@dataclass(frozen=True)
class _Seen:
    estimate: float | None
    interval: Interval
    observations: int


@dataclass(frozen=True)
class _Question:
    """`counts`: of all steps together."""

    steps: Sequence[Counts]
    counts: Counts
    limit: float
    level: float
    candidate: str
    baseline: str

    def count(self, counter: str) -> int:
        return self.counts.get(counter, 0)


def judge(
    steps: Sequence[Counts],
    tolerances: Mapping[str, float],
    *,
    confidence: float,
    candidate: str,
    baseline: str,
) -> tuple[GuardrailFinding, ...]:
    """Judge each guardrail that `tolerances` names; `confidence` is that of all together.

    `steps`: counts by the names of `modelport_evidence.counters`, of each step in the order of the steps.
    """
    level = (1 - confidence) / max(1, len(tolerances))
    total: Counter[str] = Counter()
    for counts in steps:
        total.update(counts)
    return tuple(
        _JUDGES[name](_Question(steps, total, limit, level, candidate, baseline))
        for name, limit in tolerances.items()
    )


def split_is_off(candidate: int, baseline: int, weight: int, confidence: float) -> str | None:
    """Say that requests were not split as `weight`, the candidate's percent, asks for; None: unsure."""
    total = candidate + baseline
    interval = rate_interval(candidate, total, 1 - confidence)
    if not total or interval.lower <= weight / 100 <= interval.upper:
        return None
    return f"{_percent(candidate / total)} of the requests came to it where {weight} % were asked for."


def _disagreement(asked: _Question) -> GuardrailFinding:
    rows, differing = asked.count(counters.ROWS), asked.count(counters.DISAGREEMENTS)
    interval = rate_interval(differing, rows, asked.level)
    limit = max(asked.limit, _LEAST_TOLERANCE)
    is_beyond = limit < 1 and above_log_e(differing, rows, limit) >= -math.log(asked.level)
    estimate = differing / rows if rows else None
    segment = worst_segment(asked.counts, asked.level) if is_beyond else None
    message = (
        f"{asked.candidate} answers {_share(estimate)} of rows otherwise than {asked.baseline} "
        f"({_percent(asked.limit)} tolerated){f', mostly where {segment}' if segment else ''}"
    )
    return _finding(
        "disagreement", asked, _Seen(estimate, interval, rows), is_beyond=is_beyond, message=message
    )


def _rate(name: str, verb: str, alone: Callable[[str], str], live: Callable[[str], str]) -> "_Judge":
    """Of pairs, and of what callers had: the mean of two e-values is one."""

    def judged(asked: _Question) -> GuardrailFinding:
        pairs = asked.count(counters.PAIRS)
        ups, downs = asked.count(alone(CANDIDATE)), asked.count(alone(BASELINE))
        interval = mean_interval(ups, downs, pairs, asked.level)
        limit = max(asked.limit, _LEAST_TOLERANCE)
        evidence = log_mean_exp([mean_above_log_e(ups, downs, pairs, limit), _live_log_e(asked, live, limit)])
        estimate = (ups - downs) / pairs if pairs else None
        message = (
            f"{asked.candidate} {verb} {_more(asked, estimate, live)} more of the requests than "
            f"{asked.baseline} ({_percent(asked.limit)} tolerated)"
        )
        is_beyond = evidence >= -math.log(asked.level)
        return _finding(name, asked, _Seen(estimate, interval, pairs), is_beyond=is_beyond, message=message)

    return judged


def _live_log_e(
    asked: _Question, live: _Counter, limit: float, trials: _Counter = counters.live_requests
) -> float:
    """Of all steps: the product of e-values of which each begins when the one before has ended is one."""
    return sum(
        difference_above_log_e(
            (counts.get(live(CANDIDATE), 0), counts.get(live(BASELINE), 0)),
            (counts[trials(CANDIDATE)], counts[trials(BASELINE)]),
            limit,
        )
        for counts in _of_both(asked.steps, trials)
    )


def _of_both(steps: Sequence[Counts], trials: _Counter = counters.live_requests) -> Iterator[Counts]:
    """Steps in which there is something of both versions."""
    for counts in steps:
        if all(counts.get(trials(side), 0) for side in (CANDIDATE, BASELINE)):
            yield counts


def _more(asked: _Question, paired: float | None, live: Callable[[str], str]) -> str:
    """The greatest of all differences: it is the one that decided."""
    live_difference = _difference(asked.steps, live, counters.live_requests)
    seen = [each for each in (paired, live_difference) if each is not None]
    return _share(max(seen, default=None))


def _difference(steps: Sequence[Counts], hits: _Counter, trials: _Counter) -> float | None:
    """Return by how much more the candidate has, in the step where that is most."""
    found = []
    for counts in _of_both(steps, trials):
        ours, theirs = (counts.get(hits(side), 0) / counts[trials(side)] for side in (CANDIDATE, BASELINE))
        found.append(ours - theirs)
    return max(found, default=None)


def _p99_ratio(asked: _Question) -> GuardrailFinding:
    """Half of the level for copies, which have a replica to themselves, beside callers of the baseline at the
    same time; half for callers of both, of whose steps each has half of what the one before left."""
    level = asked.level / 2
    found = [_slowness(asked, asked.counts, counters.shadow_latency, level)]
    for counts in _of_both(asked.steps):
        level /= 2
        found.append(_slowness(asked, counts, counters.live_latency, level))
    decided = max(found, key=lambda each: (_DECIDES[each.state], each.ratio.lower, each.calls))
    lower, upper = (
        each if math.isfinite(each) else None for each in (decided.ratio.lower, decided.ratio.upper)
    )
    message = (
        f"the slowest hundredth of {asked.candidate}'s answers takes at least {decided.ratio.lower:.2g} "
        f"times as long as {asked.baseline}'s ({asked.limit:.3g} times tolerated)"
    )
    if not decided.ratio.lower:
        message = f"How slow {asked.candidate} is beside {asked.baseline} is not known yet."
    return GuardrailFinding(
        "p99_ratio", decided.state, None, lower, upper, asked.limit, decided.calls, message
    )


def _quality(asked: _Question) -> GuardrailFinding:
    """Of rows whose truth is known: beyond by all steps together, within by one of them."""
    level, found = asked.level, [Interval(-1.0, 1.0)]
    for counts in _of_both(asked.steps, counters.known_rows):
        level /= 2
        ours, theirs = (
            rate_interval(
                counts.get(counters.wrong_rows(side), 0), counts[counters.known_rows(side)], level / 2
            )
            for side in (CANDIDATE, BASELINE)
        )
        found.append(Interval(ours.lower - theirs.upper, ours.upper - theirs.lower))
    narrowest = min(found, key=lambda each: each.upper - each.lower)
    rows = min(asked.count(counters.known_rows(side)) for side in (CANDIDATE, BASELINE))
    estimate = _difference(asked.steps, counters.wrong_rows, counters.known_rows)
    limit = max(asked.limit, _LEAST_TOLERANCE)
    evidence = _live_log_e(asked, counters.wrong_rows, limit, counters.known_rows)
    message = (
        f"{asked.candidate} is wrong about {_share(estimate)} more of the rows whose truth is known than "
        f"{asked.baseline} ({_percent(asked.limit)} tolerated)"
    )
    seen = _Seen(estimate, narrowest, rows)
    return _finding("quality", asked, seen, is_beyond=evidence >= -math.log(asked.level), message=message)


_DECIDES: Mapping[State, int] = {"unknown": 0, "within": 1, "beyond": 2}


@dataclass(frozen=True)
class _Slowness:
    state: State
    ratio: Interval
    calls: int


def _slowness(
    asked: _Question, counts: Counts, candidates: Callable[[str, int], str], level: float
) -> _Slowness:
    """`candidates`: names its latencies, which are beside those of the baseline's callers."""
    found = (
        counters.latencies(counts, candidates, CANDIDATE),
        counters.latencies(counts, counters.live_latency, BASELINE),
    )
    calls = min(sum(each.values()) for each in found)
    # Two bounds of each of two percentiles.
    slow, usual = (quantile_interval(each, 0.99, level / 4) for each in found)
    ratio = Interval(_ratio(slow.lower, usual.upper), _ratio(slow.upper, usual.lower))
    is_beyond = ratio.lower > asked.limit and slow.lower - usual.upper > NOTICEABLE_SECONDS
    is_within = ratio.upper <= asked.limit or slow.upper - usual.lower <= NOTICEABLE_SECONDS
    return _Slowness("beyond" if is_beyond else "within" if is_within else "unknown", ratio, calls)


def _ratio(one: float, other: float) -> float:
    if other == 0:
        return math.inf if one else 0.0
    return 0.0 if math.isinf(other) else one / other


def _finding(name: str, asked: _Question, seen: _Seen, *, is_beyond: bool, message: str) -> GuardrailFinding:
    state: State = "beyond" if is_beyond else "within" if seen.interval.upper <= asked.limit else "unknown"
    if not (is_beyond or seen.observations):
        message = "Nothing was counted yet."
    return GuardrailFinding(
        guardrail=name,
        state=state,
        estimate=seen.estimate,
        lower=seen.interval.lower,
        upper=seen.interval.upper,
        limit=asked.limit,
        observations=seen.observations,
        message=message,
    )


def _share(estimate: float | None) -> str:
    return "an unknown share" if estimate is None else _percent(estimate)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.3g} %"


_Judge = Callable[[_Question], GuardrailFinding]
_JUDGES: Mapping[str, _Judge] = {
    "disagreement": _disagreement,
    "error_rate": _rate("error_rate", "fails", counters.failed_alone, counters.live_errors),
    "refusal_rate": _rate("refusal_rate", "refuses", counters.refused_alone, counters.live_refusals),
    "p99_ratio": _p99_ratio,
    "quality": _quality,
}
