"""The latency histogram's promise: quantiles within 5 %, whatever the latencies."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_telemetry.usage.latency import LAST_BUCKET, bucket_of, quantile, seconds_of

SECONDS = st.floats(2e-5, 600, allow_nan=False)


@settings(deadline=None)
@given(SECONDS)
def test_a_bucket_stands_for_its_latencies_within_five_percent(seconds: float) -> None:
    assert seconds_of(bucket_of(seconds)) == pytest.approx(seconds, rel=0.05)


@settings(deadline=None)
@given(st.lists(SECONDS, min_size=1, max_size=200), st.floats(0, 1))
def test_quantiles_are_within_five_percent_of_the_truth(latencies: list[float], share: float) -> None:
    counts: dict[int, int] = {}
    for seconds in latencies:
        counts[bucket_of(seconds)] = counts.get(bucket_of(seconds), 0) + 1
    truth = sorted(latencies)[max(1, math.ceil(share * len(latencies))) - 1]
    assert quantile(counts, share) == pytest.approx(truth, rel=0.05)


def test_nothing_counted_has_no_quantile() -> None:
    assert quantile({}, 0.5) is None


def test_what_is_too_long_or_too_short_is_counted_at_the_ends() -> None:
    assert (bucket_of(0.0), bucket_of(1e9)) == (0, LAST_BUCKET)
