"""Packed latencies add up by being joined, and give the quantiles of what was counted."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_control_api.analytics.totals import NOTHING, figures
from modelport_control_api.usage.tables import added, pack, unpack
from modelport_telemetry.usage.latency import LAST_BUCKET, quantile

HISTOGRAMS = st.dictionaries(st.integers(0, LAST_BUCKET), st.integers(1, 10**12))


@settings(deadline=None)
@given(parts=st.lists(HISTOGRAMS, min_size=1, max_size=5))
def test_joined_and_added_histograms_are_sums(parts: list[dict[int, int]]) -> None:
    sums: Counter[int] = Counter()
    packed = None
    for part in parts:
        sums.update(part)
        packed = added(packed, part)
    joined = ",".join(text for part in parts if (text := pack(part)) is not None)
    assert unpack(joined) == unpack(packed) == [sums[bucket] for bucket in range(LAST_BUCKET + 1)]
    assert pack(sums) == packed


@settings(deadline=None)
@given(counts=HISTOGRAMS)
def test_percentiles_are_the_quantiles(counts: dict[int, int]) -> None:
    shown = figures(NOTHING._replace(latencies=unpack(pack(counts))))
    found = [shown["p50_ms"], shown["p95_ms"], shown["p99_ms"]]
    exact = [quantile(counts, share) for share in (0.5, 0.95, 0.99)]
    assert found == [None if seconds is None else round(seconds * 1000, 3) for seconds in exact]
