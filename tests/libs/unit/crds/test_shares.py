"""Shares of the traffic in sentences."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modelport_crds.shares import go_on, listed, scaled, serve


@pytest.mark.parametrize(
    ("traffic", "text"),
    [
        ({"v1": 100}, "v1"),
        ({"v2": 10, "v1": 90}, "v1 (90 %) and v2 (10 %)"),
        ({"v1": 50, "v2": 50}, "v1 (50 %) and v2 (50 %)"),
        ({"v3": 5, "v1": 80, "v2": 15}, "v1 (80 %), v2 (15 %) and v3 (5 %)"),
    ],
)
def test_versions_with_their_shares(traffic: Mapping[str, int], text: str) -> None:
    assert listed(traffic) == text


def test_the_verb_follows_the_number_of_versions() -> None:
    assert (serve({"v1": 100}), go_on({"v1": 100})) == ("v1 serves.", "v1 goes on serving.")
    both = {"v1": 90, "v2": 10}
    assert serve(both) == "v1 (90 %) and v2 (10 %) serve."
    assert go_on(both) == "v1 (90 %) and v2 (10 %) go on serving."


@pytest.mark.parametrize(
    ("traffic", "total", "expected"),
    [
        ({"v1": 100}, 90, {"v1": 90}),
        ({"v1": 90, "v2": 10}, 90, {"v1": 81, "v2": 9}),
        ({"v1": 1, "v2": 1, "v3": 1}, 100, {"v1": 34, "v2": 33, "v3": 33}),
        # A share of a share that rounds to nothing is none.
        ({"v1": 99, "v2": 1}, 1, {"v1": 1}),
        ({"v1": 100}, 0, {}),
        ({}, 100, {}),
    ],
)
def test_shares_are_scaled_in_their_proportions(
    traffic: Mapping[str, int], total: int, expected: Mapping[str, int]
) -> None:
    assert scaled(traffic, total) == expected


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(["v1", "v2", "v3", "v4"]), st.integers(1, 100), min_size=1),
    st.integers(0, 100),
)
def test_scaled_shares_have_the_sum_that_was_asked_for(traffic: dict[str, int], total: int) -> None:
    found = scaled(traffic, total)
    assert sum(found.values()) == total
    assert all(share > 0 for share in found.values())
