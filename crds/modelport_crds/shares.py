"""Versions and their shares of the traffic: read out of targets, scaled, and as sentences name them."""

from collections.abc import Iterable, Mapping

from modelport_crds.mlmodel import TrafficTarget, WantedTarget


def weights(targets: Iterable[TrafficTarget]) -> dict[str, int]:
    """Version → percent, of those that get any."""
    return {target.version: target.weight for target in targets if target.weight}


def baselines(targets: Iterable[WantedTarget]) -> dict[str, str]:
    """Version → the one that it must be compatible with, of those that get any requests."""
    return {
        target.version: target.compatible_with
        for target in targets
        if target.weight and target.compatible_with
    }


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


def scaled(traffic: Mapping[str, int], total: int = 100) -> dict[str, int]:
    """The same proportions with the sum `total`; what rounds to nothing is left out.

    What rounding leaves goes to those who lost most by it, first come first.
    """
    whole = sum(traffic.values())
    shares = {version: weight * total // whole for version, weight in traffic.items()}
    by_loss = sorted(traffic, key=lambda version: -(traffic[version] * total % whole))
    for version in by_loss[: total - sum(shares.values())]:
        shares[version] += 1
    return {version: share for version, share in shares.items() if share}
