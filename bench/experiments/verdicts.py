"""False verdicts and coverage of experiments, through `judge_arms`, at many looks. Rewrites
bench/experiments.md."""

import argparse
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from modelport_evidence.arms import Design, Measure, judge_arms
from scipy import stats

from bench.experiments.streams import customers, late, looks, returning, revenue, shares

_PAGE = Path(__file__).parents[1] / "experiments.md"
_EVERY, _NUMBER = 100, 200
_NEVER = 10**9
_HEAD = """# Experiments: false verdicts, and whether intervals hold the truth

Through `modelport_evidence.arms.judge_arms`, at a confidence of 0.95.
Two arms of equal weight, 20,000 units, looked at after each hundred: 200 looks.
`make bench-experiments` rewrites this.
"""
_SAME = {
    "10 % convert": shares(0.1, 0.1),
    "1 % convert": shares(0.01, 0.01),
    "10 % convert, late": late(),
    "revenue: 10 % pay, log-normal": revenue(),
    "accuracy, units come back": returning(),
    "spending, two of three were there before": customers(),
}
_EFFECTS = {
    "10 % and 10 %": shares(0.1, 0.1),
    "10 % and 11 %": shares(0.1, 0.11),
    "10 % and 13 %": shares(0.1, 0.13),
    "80 % and 80 %": shares(0.8, 0.8),
    "80 % and 81 %": shares(0.8, 0.81),
    "80 % and 83 %": shares(0.8, 0.83),
    "31 and 33 spent, all are new": customers(2.0, new=1.0),
    "31 and 33 spent, two of three were there before": customers(2.0),
}

_SCENES = _SAME | _EFFECTS


@dataclass(frozen=True)
class Seen:
    """Of one experiment. `covered`: at each look. `winner`: the first, after `units`."""

    covered: tuple[bool, ...]
    winner: str | None
    units: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=1000, help="of the same model, for each scene")
    parser.add_argument("--replays", type=int, default=2000, help="for each effect")
    asked = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        alarms = [_alarm(pool, what, asked.experiments) for what in _SAME]
        held = [_held(pool, what, asked.replays) for what in _EFFECTS]
    _PAGE.write_text(_report(alarms, held), encoding="utf-8")


def seen(what: str, seed: int) -> Seen:
    """Run one experiment through all of its looks."""
    scene = _SCENES[what]
    design = Design("v1", {"v1": 50, "v2": 50}, Measure(scene.metric, higher_is_better=True))
    rng = np.random.default_rng(seed)
    covered, winner, units = [], None, _NEVER
    for look, counts in enumerate(looks(scene, rng, every=_EVERY, number=_NUMBER), 1):
        judgment = judge_arms(design, counts)
        interval = judgment.comparisons[0].interval
        covered.append(interval.lower <= scene.truth <= interval.upper)
        if judgment.winner is not None and winner is None:
            winner, units = judgment.winner, look * _EVERY
    return Seen(tuple(covered), winner, units)


def _alarm(pool: Executor, what: str, runs: int) -> str:
    wrong = sum(each.winner is not None for each in _run(pool, what, runs))
    line = f"| {what} | {runs:,} | {wrong} | {_share(wrong, runs)} |"
    print(line, flush=True)
    return line


def _held(pool: Executor, what: str, runs: int) -> str:
    scene, found = _SCENES[what], _run(pool, what, runs)
    always = sum(all(each.covered) for each in found)
    last = sum(each.covered[-1] for each in found)
    right = sorted(each.units for each in found if each.winner == "v2") if scene.truth else []
    wrong = sum(each.winner in (("v1",) if scene.truth else ("v1", "v2")) for each in found)
    at = f"{median(right):,.0f}" if right else ""
    power = f"{100 * len(right) / runs:.1f} %" if scene.truth else ""
    line = (
        f"| {what} | {runs:,} | {_share(always, runs)} | {100 * last / runs:.1f} % "
        f"| {power} | {at} | {wrong} |"
    )
    print(line, flush=True)
    return line


def _run(pool: Executor, what: str, runs: int) -> list[Seen]:
    return list(pool.map(partial(seen, what), range(runs), chunksize=5))


def _share(part: int, whole: int) -> str:
    interval = stats.binomtest(part, whole).proportion_ci(0.95, "exact")
    return f"{100 * part / whole:.1f} % ({100 * interval.low:.1f} to {100 * interval.high:.1f})"


def _report(alarms: list[str], held: list[str]) -> str:
    return "\n".join([
        _HEAD,
        "## Both arms are the same model",
        "",
        "A winner at any look is a false verdict; at most 5 % are promised.",
        "In parentheses the 95 % interval of Clopper and Pearson.",
        "",
        "| units | experiments | false verdicts | share |",
        "|---|---:|---:|---:|",
        *alarms,
        "",
        "## Intervals of the difference",
        "",
        "At least 95 % of the experiments are promised to have the truth in their interval at all 200 looks.",
        "",
        "| arms | replays | held at every look | at the last | decided for the better | after units, median "
        "| decided wrongly |",
        "|---|---:|---:|---:|---:|---:|---:|",
        *held,
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
