"""Intervals hold the truth as often as they say, over samples of what is known to be true."""

from collections.abc import Callable

import numpy as np
import pytest
from modelport_control_api.ground_truth.reading import Observation
from modelport_control_api.quality.figures import intervals
from scipy.stats import binomtest

from tests.control_api.unit.quality.observed import figures, seen
from tests.support.nightly import at_night

ROWS = 200
SAMPLES = at_night(100, 2_000)
WORLD = at_night(50_000, 400_000)
# Three standard errors of the samples, and a little for what is true of the world that is drawn.
FEWEST = 0.95 - 3 * (0.95 * 0.05 / SAMPLES) ** 0.5 - 0.01
Random = np.random.Generator


def classified(random: Random, rows: int) -> list[Observation]:
    """Three classes; probabilities that are surer of themselves than they should be."""
    scores = random.dirichlet([2, 1.5, 1], rows)
    true = scores**0.7 / (scores**0.7).sum(axis=1, keepdims=True)
    labels = (random.random(rows)[:, None] > true.cumsum(axis=1)).sum(axis=1)
    said = scores.argmax(axis=1)
    return [
        seen(
            "abc"[said[row]],
            "abc"[labels[row]],
            probabilities=dict(zip("abc", scores[row].tolist(), strict=True)),
        )
        for row in range(rows)
    ]


def numbered(random: Random, rows: int) -> list[Observation]:
    truth = random.normal(5, 2, rows)
    said = truth + random.standard_t(8, rows) + 0.1
    rewards = random.random(rows) < 0.2
    return [seen(float(said[row]), float(truth[row]), reward=float(rewards[row])) for row in range(rows)]


@pytest.mark.parametrize("drawn", [classified, numbered])
def test_intervals_hold_the_truth(drawn: Callable[[Random, int], list[Observation]]) -> None:
    random = np.random.default_rng(4)
    truth = figures(drawn(random, WORLD)).whole.metrics
    held = dict.fromkeys(truth, 0)
    for _ in range(SAMPLES):
        found = figures(drawn(random, ROWS)).whole.metrics
        for name, figure in found.items():
            held[name] += figure.lower <= truth[name].value <= figure.upper
    shares = {name: count / SAMPLES for name, count in held.items()}
    assert min(shares.values()) >= FEWEST, shares


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (3, 5), (5, 5), (70, 100), (9_999, 10_000)])
def test_the_interval_of_a_share_is_wilsons(hits: int, rows: int) -> None:
    known = binomtest(hits, rows).proportion_ci(method="wilson")
    assert intervals.wilson(hits, rows) == pytest.approx((known.low, known.high), abs=1e-12)


def test_of_few_rows_accuracy_alone_has_an_interval() -> None:
    whole = figures(
        [
            seen("a", "ab"[row % 2], probabilities={"a": 0.6 - row / 100, "b": 0.4 + row / 100})
            for row in range(20)
        ]
    ).whole
    without = {name for name, figure in whole.metrics.items() if figure.lower is None}
    assert without == {"f1_macro", "roc_auc", "log_loss", "brier"}


def test_what_never_varies_has_none() -> None:
    whole = figures([seen(1.0, 2.0) for _ in range(50)]).whole
    assert whole.metrics["mae"].lower is None
    assert whole.metrics["mae"].value == 1.0
