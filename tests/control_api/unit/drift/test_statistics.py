"""The closed forms beside SciPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.drift.statistics import (
    chi_square,
    chi_square_tail,
    holm,
    kolmogorov_smirnov,
    kolmogorov_tail,
    rank_sum,
    stability_index,
    two_shares,
)
from scipy import special, stats

COUNTS = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 60)), min_size=2, max_size=12)


@settings(deadline=None)
@given(st.floats(0.01, 300), st.integers(1, 150))
def test_the_tail_of_chi_square(statistic: float, degrees: int) -> None:
    assert chi_square_tail(statistic, degrees) == pytest.approx(
        stats.chi2.sf(statistic, degrees), rel=1e-8, abs=1e-13
    )


@settings(deadline=None)
@given(st.floats(0.01, 8))
def test_the_tail_of_kolmogorov(distance: float) -> None:
    assert kolmogorov_tail(distance) == pytest.approx(special.kolmogorov(distance), rel=1e-9, abs=1e-12)


@settings(deadline=None)
@given(COUNTS)
def test_pearsons_test(cells: list[tuple[int, int]]) -> None:
    reference, live = zip(*cells, strict=True)
    expected = stats.chi2_contingency([reference, live], correction=False).pvalue
    assert chi_square(reference, live, sum(reference), sum(live)) == pytest.approx(expected, rel=1e-7)


@settings(deadline=None)
@given(COUNTS)
def test_the_rank_sum_test_with_ties(cells: list[tuple[int, int]]) -> None:
    reference, live = zip(*cells, strict=True)
    values = np.arange(len(cells))
    expected = stats.mannwhitneyu(
        values.repeat(reference), values.repeat(live), method="asymptotic", use_continuity=False
    ).pvalue
    assert rank_sum(reference, live, sum(reference), sum(live)) == pytest.approx(expected, rel=1e-7)


@settings(deadline=None)
@given(st.integers(1, 99), st.integers(1, 199))
def test_the_test_of_two_shares(reference: int, live: int) -> None:
    expected = stats.chi2_contingency([[reference, 100 - reference], [live, 200 - live]]).pvalue
    assert two_shares(reference / 100, live / 200, 100, 200) == pytest.approx(expected, rel=1e-7)


def test_kolmogorov_smirnov_is_close_to_the_exact_one() -> None:
    draw = np.random.default_rng(1)
    for shift in (0.0, 0.2, 0.4):
        a, b = draw.normal(size=300), draw.normal(shift, size=500)
        edges = np.sort(np.concatenate([a, b, [np.inf]]))
        reference, live = (
            np.diff(np.searchsorted(np.sort(a), edges, side="right"), prepend=0),
            np.diff(np.searchsorted(np.sort(b), edges, side="right"), prepend=0),
        )
        found = kolmogorov_smirnov(reference.tolist(), live.tolist(), 300, 500)
        assert found == pytest.approx(stats.ks_2samp(a, b).pvalue, rel=0.25)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_steps_down(p_values: list[float]) -> None:
    order = np.argsort(p_values, kind="stable")
    scaled = np.maximum.accumulate(np.minimum(1, np.array(p_values)[order] * np.arange(len(p_values), 0, -1)))
    expected = np.empty(len(p_values))
    expected[order] = scaled
    assert holm(p_values) == pytest.approx(expected.tolist())


def test_chance_alone_gives_no_index() -> None:
    draw = np.random.default_rng(2)
    found = [
        stability_index(
            draw.multinomial(200, [0.1] * 10).tolist(), draw.multinomial(500, [0.1] * 10).tolist(), 200, 500
        )
        for _ in range(200)
    ]
    # Uncorrected the mean is 9 * (1/200 + 1/500) = 0.063.
    assert np.mean(found) < 0.02
