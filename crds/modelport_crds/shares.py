"""Versions and their shares of the traffic, as sentences name them."""

from collections.abc import Mapping


def listed(traffic: Mapping[str, int]) -> str:
    """`v1`; `v1 (90 %) and v2 (10 %)`: the greatest share first, of equal ones in the order given."""
    if len(traffic) == 1:
        return next(iter(traffic))
    ordered = sorted(traffic.items(), key=lambda share: -share[1])
    *others, last = (f"{version} ({weight} %)" for version, weight in ordered)
    return f"{', '.join(others)} and {last}"


def serve(traffic: Mapping[str, int]) -> str:
    """`v1 serves.`; `v1 (90 %) and v2 (10 %) serve.`"""
    return f"{listed(traffic)} {'serves' if len(traffic) == 1 else 'serve'}."


def go_on(traffic: Mapping[str, int]) -> str:
    """`v1 goes on serving.`; `v1 (90 %) and v2 (10 %) go on serving.`"""
    return f"{listed(traffic)} {'goes' if len(traffic) == 1 else 'go'} on serving."
