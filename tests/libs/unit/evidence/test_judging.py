"""What is within, beyond or unknown, and in which words."""

from bisect import bisect_left
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_evidence.judging import GuardrailFinding, judge, split_is_off
from modelport_evidence.quantiles import quantile_interval
from modelport_telemetry.usage.latency import EDGES

TOLERANCES = {"disagreement": 0.01, "error_rate": 0.01, "refusal_rate": 0.01, "p99_ratio": 2.0}


def judged(counts: dict[str, int], guardrail: str) -> GuardrailFinding:
    return judged_steps([counts], guardrail)


def judged_steps(steps: list[dict[str, int]], guardrail: str) -> GuardrailFinding:
    findings = judge(steps, TOLERANCES, confidence=0.95, candidate="v2", baseline="v1")
    return next(each for each in findings if each.guardrail == guardrail)


def compared(rows: int, disagreements: int) -> dict[str, int]:
    return {counters.PAIRS: rows, counters.ROWS: rows, counters.DISAGREEMENTS: disagreements}


@pytest.mark.parametrize(
    ("rows", "disagreements", "state"),
    [(0, 0, "unknown"), (300, 0, "unknown"), (800, 0, "within"), (200, 10, "beyond"), (5000, 50, "unknown")],
)
def test_disagreement(rows: int, disagreements: int, state: str) -> None:
    assert judged(compared(rows, disagreements), "disagreement").state == state


def test_of_nothing_that_was_counted_nothing_is_said() -> None:
    assert judged({}, "disagreement").message == "Nothing was counted yet."
    assert judged({}, "error_rate").message == "Nothing was counted yet."
    assert judged({}, "p99_ratio").message == "How slow v2 is beside v1 is not known yet."


def test_its_sentence_says_how_much_and_where() -> None:
    counts = compared(1000, 61)
    assert judged(counts, "disagreement").message == (
        "v2 answers 6.1 % of rows otherwise than v1 (1 % tolerated)"
    )
    counts |= {
        counters.segment_rows("`shape` is missing"): 100,
        counters.segment_disagreements("`shape` is missing"): 58,
        counters.segment_rows("`size` is missing"): 500,
        counters.segment_disagreements("`size` is missing"): 31,
    }
    assert judged(counts, "disagreement").message.endswith(", mostly where `shape` is missing")


@pytest.mark.parametrize("verb", ["fails", "refuses"])
def test_what_the_candidate_alone_fails_or_refuses(verb: str) -> None:
    name, alone = {
        "fails": ("error_rate", counters.failed_alone),
        "refuses": ("refusal_rate", counters.refused_alone),
    }[verb]
    assert judged(compared(800, 0), name).state == "within"
    assert judged(compared(800, 0) | {alone(counters.CANDIDATE): 6}, name).state == "unknown"
    found = judged(compared(800, 0) | {alone(counters.CANDIDATE): 60}, name)
    assert (found.state, found.message) == (
        "beyond",
        f"v2 {verb} 7.5 % more of the requests than v1 (1 % tolerated)",
    )


def test_what_both_versions_fail_now_and_then_speaks_against_neither() -> None:
    counts = compared(3000, 0)
    counts |= {counters.failed_alone(each): 60 for each in (counters.CANDIDATE, counters.BASELINE)}
    assert judged(counts, "error_rate").state != "beyond"


def test_errors_of_callers_alone_are_enough() -> None:
    counts = {
        counters.live_requests(counters.CANDIDATE): 1000,
        counters.live_errors(counters.CANDIDATE): 60,
        counters.live_requests(counters.BASELINE): 9000,
        counters.live_errors(counters.BASELINE): 90,
    }
    found = judged(counts, "error_rate")
    assert (found.state, found.message) == (
        "beyond",
        "v2 fails 5 % more of the requests than v1 (1 % tolerated)",
    )


def live(candidate: tuple[int, int], baseline: tuple[int, int]) -> dict[str, int]:
    """Requests and errors of callers, of each version."""
    return {
        counters.live_requests(counters.CANDIDATE): candidate[0],
        counters.live_errors(counters.CANDIDATE): candidate[1],
        counters.live_requests(counters.BASELINE): baseline[0],
        counters.live_errors(counters.BASELINE): baseline[1],
    }


def test_what_both_versions_fail_at_some_hours_speaks_against_neither() -> None:
    # By night nothing fails, by day 5 % of the requests to either; summed up, 4.9 % beside 1.7 %.
    steps = [live((100, 0), (9900, 0)), live((5000, 250), (5000, 250))]
    assert judged_steps(steps, "error_rate").state != "beyond"
    assert judged_steps(
        [live((100, 0), (9900, 0)), live((5000, 500), (5000, 250))], "error_rate"
    ).message == ("v2 fails 5 % more of the requests than v1 (1 % tolerated)")


def test_steps_of_one_version_alone_say_nothing_of_callers() -> None:
    assert judged_steps([live((0, 0), (900, 0)), live((900, 90), (0, 0))], "error_rate").state != "beyond"


Buckets = Callable[[int], str]
COPIES: Buckets = partial(counters.shadow_latency, counters.CANDIDATE)


def latencies(mean: float, named: Buckets, number: int = 3000) -> dict[str, int]:
    """In seconds: gamma-distributed around the mean."""
    counts: dict[str, int] = {}
    for seconds in np.random.default_rng(3).gamma(4, mean / 4, number):
        name = named(bisect_left(EDGES, seconds))
        counts[name] = counts.get(name, 0) + 1
    return counts


def of_callers(mean: float, side: str) -> dict[str, int]:
    return latencies(mean, partial(counters.live_latency, side))


def of_copies(usual: float, slow: float) -> dict[str, int]:
    return of_callers(usual, counters.BASELINE) | latencies(slow, COPIES)


def of_both(usual: float, slow: float) -> dict[str, int]:
    of_each = of_callers(usual, counters.BASELINE) | of_callers(slow, counters.CANDIDATE)
    return of_each | live((3000, 0), (3000, 0))


@pytest.mark.parametrize(
    ("usual", "slow", "state"),
    [(0.02, 0.02, "within"), (0.02, 0.07, "beyond"), (0.0002, 0.001, "within"), (0.02, 0.04, "unknown")],
    ids=["alike", "slow", "nobody notices", "at the limit"],
)
def test_latencies_of_callers(usual: float, slow: float, state: str) -> None:
    assert judged(of_both(usual, slow), "p99_ratio").state == state
    # However quick copies are, which have a replica to themselves.
    expected = "beyond" if state == "beyond" else "within"
    assert judged(of_both(usual, slow) | latencies(usual, COPIES), "p99_ratio").state == expected


def test_hours_in_which_both_versions_are_slow_speak_against_neither() -> None:
    slow_hours = of_both(0.2, 0.2)
    quick_hours = of_both(0.02, 0.02) | live((30, 0), (3000, 0))
    assert judged_steps([quick_hours, slow_hours], "p99_ratio").state == "within"


@pytest.mark.parametrize(
    ("usual", "slow", "state"),
    [(0.02, 0.02, "within"), (0.02, 0.07, "beyond"), (0.0002, 0.001, "within"), (0.02, 0.04, "unknown")],
    ids=["alike", "slow", "nobody notices", "at the limit"],
)
def test_latencies(usual: float, slow: float, state: str) -> None:
    assert judged(of_copies(usual, slow), "p99_ratio").state == state


def test_bounds_of_a_quantile_hold_the_true_one() -> None:
    rng = np.random.default_rng(4)
    missed = 0
    for _ in range(60):
        counts: dict[int, int] = {}
        for seconds in rng.exponential(0.01, 2000):
            bucket = bisect_left(EDGES, seconds)
            counts[bucket] = counts.get(bucket, 0) + 1
        interval = quantile_interval(counts, 0.99, 0.05)
        missed += not interval.lower <= -0.01 * np.log(0.01) <= interval.upper
        assert interval.upper < 0.08
    assert missed <= 3


def test_a_guardrail_that_is_not_named_is_not_looked_at() -> None:
    found = judge([compared(100, 100)], {"error_rate": 0.01}, confidence=0.95, candidate="v2", baseline="v1")
    assert [each.guardrail for each in found] == ["error_rate"]


def test_a_split_is_off_only_where_that_is_sure() -> None:
    assert split_is_off(50, 950, 5, 0.95) is None
    assert split_is_off(0, 0, 5, 0.95) is None
    assert split_is_off(500, 500, 5, 0.95) == ("50 % of the requests came to it where 5 % were asked for.")


def truth(candidate: tuple[int, int], baseline: tuple[int, int]) -> dict[str, int]:
    """Rows of known truth and how many of them were wrong, of each side."""
    return {
        counters.known_rows(CANDIDATE): candidate[0], counters.wrong_rows(CANDIDATE): candidate[1],
        counters.known_rows(BASELINE): baseline[0], counters.wrong_rows(BASELINE): baseline[1],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "state", "words"),
    [
        ([], "unknown", "Nothing was counted yet."),
        ([truth((500, 0), (0, 0))], "unknown", "Nothing was counted yet."),
        ([truth((60, 6), (60, 5))], "unknown", "v2 is wrong about 1.7 % more"),
        ([truth((4000, 200), (4000, 200))], "within", "v2 is wrong about 0 % more"),
        ([truth((4000, 200), (4000, 800))], "within", "v2 is wrong about -15 % more"),
        (
            [truth((600, 120), (600, 30))],
            "beyond",
            "v2 is wrong about 15 % more of the rows whose truth is known",
        ),
        # Each step says little, together they are certain.
        ([truth((150, 40), (150, 6))] * 4, "beyond", "than v1 (5 % tolerated)"),
        # Whoever had more of the hard hours is not to blame for them.
        ([truth((100, 40), (3000, 1200)), truth((3000, 30), (100, 1))], "within", "v2 is wrong about"),
    ],
)
def test_rows_whose_truth_is_known(steps: list[dict[str, int]], state: str, words: str) -> None:
    [found] = judge(steps, {"quality": 0.05}, confidence=0.95, candidate="v2", baseline="v1")
    assert (found.state, words in found.message) == (state, True), found
