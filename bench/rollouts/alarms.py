"""False alarms and power of rollouts, through `judge`, at many looks. Rewrites bench/rollouts.md."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_evidence.judging import GuardrailFinding, judge
from modelport_telemetry.usage.latency import quantile
from scipy import stats

from bench.rollouts.streams import Counts, Scene, looks

_PAGE = Path(__file__).parents[1] / "rollouts.md"
_ALL = {"disagreement": 0.01, "error_rate": 0.01, "refusal_rate": 0.01, "p99_ratio": 2.0}
_ERRORS_ALONE = {"error_rate": 0.01}
_CHECKED = 200
"""One look in so many that cannot find anything is judged all the same."""
_NEVER = 10**9
_HEAD = """# Rollouts: false alarms, and how soon something is found

Through `modelport_evidence.judging.judge`, at a confidence of 0.95 for all guardrails together.
`make bench-rollouts` rewrites this.
"""
_SAME = Scene(alone=(0.01, 0.01), live=(0.01, 0.01), seconds=0.02)
_AT_THE_LIMIT = Scene(disagreement=0.01, alone=(0.02, 0.01), live=(0.02, 0.01))


@dataclass(frozen=True)
class Search:
    """Until `guardrail` is in `state`, looking every so many requests."""

    what: str
    scene: Scene
    guardrail: str
    state: str
    tolerances: Mapping[str, float]
    every: int
    number: int

    def first(self, seed: int) -> int:
        """Return after how many requests it was; _NEVER: not in `number` looks."""
        rng = np.random.default_rng(seed)
        for look, counts in enumerate(looks(self.scene, rng, every=self.every, number=self.number), 1):
            found = {each.guardrail: each.state for each in _judged(counts, self.tolerances)}
            if found[self.guardrail] == self.state:
                return look * self.every
        return _NEVER


_SHADOW = Scene(disagreement=0.05, is_live=False)
_NOTHING = Scene(seconds=0.02, is_live=False)
_LIVE = Scene(live=(0.05, 0.01), is_shadowed=False)
_SEARCHES = (
    Search("5 % of rows answered otherwise, shadowed rows", _SHADOW, "disagreement", "beyond", _ALL, 5, 200),
    Search("errors 1 → 5 %, a canary of 10 %, no shadow", _LIVE, "error_rate", "beyond", _ALL, 100, 150),
    Search("the same, no other guardrail", _LIVE, "error_rate", "beyond", _ERRORS_ALONE, 100, 150),
    Search("nothing differs: disagreement within", _NOTHING, "disagreement", "within", _ALL, 50, 60),
    Search("nothing differs: errors within", _NOTHING, "error_rate", "within", _ALL, 50, 60),
    Search("nothing differs: p99 within", _NOTHING, "p99_ratio", "within", _ALL, 50, 60),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rollouts", type=int, default=1000, help="of the same model")
    parser.add_argument("--limits", type=int, default=100, help="rollouts that are as bad as is tolerated")
    parser.add_argument("--searches", type=int, default=200)
    asked = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        lines = [
            *_alarms(pool, "the same model, both fail 1 %", _SAME, asked.rollouts),
            *_alarms(pool, "exactly what is tolerated", _AT_THE_LIMIT, asked.limits),
        ]
        found = [_searched(pool, search, asked.searches) for search in _SEARCHES]
    _PAGE.write_text(_report(lines, found), encoding="utf-8")


def is_ever_beyond(scene: Scene, seed: int) -> bool:
    """Whether a rollout of 50,000 requests is rolled back at any of its 500 looks."""
    rng = np.random.default_rng(seed)
    for counts in looks(scene, rng, every=100, number=500):
        suspicious = _may_be_beyond(counts)
        if not suspicious and rng.integers(_CHECKED):
            continue
        beyond = any(each.state == "beyond" for each in _judged(counts, _ALL))
        if beyond and not suspicious:
            raise AssertionError("a look that was to be left out finds something")
        if beyond:
            return True
    return False


def _judged(counts: Counts, tolerances: Mapping[str, float]) -> tuple[GuardrailFinding, ...]:
    return judge([counts], tolerances, confidence=0.95, candidate="v2", baseline="v1")


def _may_be_beyond(counts: Counts) -> bool:
    """Whether anything that was seen is above its tolerance: no e-value exceeds 1 else, nor does an interval
    leave out what was seen. It saves judging looks that can find nothing."""
    return any(seen > limit for seen, limit in _seen(counts))


def _seen(counts: Counts) -> Iterator[tuple[float, float]]:
    def share(part: str, whole: str) -> float:
        return counts.get(part, 0) / max(1, counts.get(whole, 0))

    yield share(counters.DISAGREEMENTS, counters.ROWS), _ALL["disagreement"]
    alone = [share(counters.failed_alone(side), counters.PAIRS) for side in (CANDIDATE, BASELINE)]
    yield alone[0] - alone[1], _ALL["error_rate"]
    live = [share(counters.live_errors(s), counters.live_requests(s)) for s in (CANDIDATE, BASELINE)]
    yield live[0] - live[1], _ALL["error_rate"]
    # In whole buckets, as judging has them: 1.5 is a bucket and more below 2.
    usual = _p99(counts, partial(counters.live_latency, BASELINE))
    yield _p99(counts, partial(counters.shadow_latency, CANDIDATE)) / max(1e-9, usual), 1.5


def _p99(counts: Counts, named: Callable[[int], str]) -> float:
    prefix = named(0).removesuffix("0")
    counted = {int(name.removeprefix(prefix)): n for name, n in counts.items() if name.startswith(prefix)}
    return quantile(counted, 0.99) or 0.0


def _alarms(pool: ProcessPoolExecutor, what: str, scene: Scene, runs: int) -> list[str]:
    wrong = sum(pool.map(partial(is_ever_beyond, scene), range(runs), chunksize=5))
    interval = stats.binomtest(wrong, runs).proportion_ci(0.95, "exact")
    line = (
        f"| {what} | {runs:,} | {wrong} | {100 * wrong / runs:.1f} % "
        f"| {100 * interval.low:.1f} to {100 * interval.high:.1f} % |"
    )
    print(line, flush=True)
    return [line]


def _searched(pool: ProcessPoolExecutor, search: Search, runs: int) -> str:
    firsts = sorted(pool.map(search.first, range(runs), chunksize=5))
    words = ["never" if each >= _NEVER else f"{each:,.0f}" for each in _quantiles(firsts)]
    line = f"| {search.what} | {len(firsts)} | {search.every} | {words[0]} | {words[1]} |"
    print(line, flush=True)
    return line


def _quantiles(firsts: list[int]) -> tuple[float, int]:
    return median(firsts), firsts[int(0.9 * (len(firsts) - 1))]


def _report(alarms: list[str], found: list[str]) -> str:
    return "\n".join([
        _HEAD,
        "## Rolled back though nothing is beyond what is tolerated",
        "",
        "50,000 requests, looked at after each hundred; a canary of 10 %, all shadowed; four guardrails.",
        "At most 5 % are promised; the interval is Clopper and Pearson's.",
        f"Looks with nothing above its tolerance can find nothing: one in {_CHECKED} is judged, as a check.",
        "",
        "| rollouts | of them | rolled back | share | 95 % interval |",
        "|---|---:|---:|---:|---:|",
        *alarms,
        "",
        "## Requests until it is found",
        "",
        "| what | runs | looked at every | median | nine of ten |",
        "|---|---:|---:|---:|---:|",
        *found,
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
