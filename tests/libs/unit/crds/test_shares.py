"""Shares of the traffic in sentences."""

from collections.abc import Mapping

import pytest
from modelport_crds.shares import go_on, listed, serve


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
