"""Which versions get the model's requests."""

from collections.abc import Mapping

from modelport_crds.mlmodel import TrafficTarget, VersionStatus

Traffic = tuple[TrafficTarget, ...]


def decide_traffic(wanted: Traffic, versions: Mapping[str, VersionStatus], current: Traffic) -> Traffic:
    """Move to what is wanted once all of it can answer; until then stay; at first take what there is.

    The weights sum to 100, or nothing is routed. No version is in it that has not answered.
    """
    asked = _shares(wanted)
    ready = {name: share for name, share in asked.items() if _is_ready(versions.get(name))}
    if ready == asked:
        return _targets(asked)
    # A version that is down for a moment keeps its share: its requests wait or are tried again, where
    # moving them would send them to a version that nobody chose for them.
    staying = {name: share for name, share in _shares(current).items() if _has_answered(versions.get(name))}
    return _targets(staying or ready)


def _is_ready(version: VersionStatus | None) -> bool:
    return version is not None and version.ready and version.answered and not version.failed


def _has_answered(version: VersionStatus | None) -> bool:
    return version is not None and version.answered and not version.failed


def _shares(traffic: Traffic) -> dict[str, int]:
    return {target.version: target.weight for target in traffic if target.weight > 0}


def _targets(shares: Mapping[str, int]) -> Traffic:
    """Scale to exactly 100; what rounding leaves goes to those who lost most by it, first come first.

    Of shares of more than 100 together one may round to nothing. It is left out, for the next decision, which
    knows no shares of nothing, must come to the same.
    """
    total = sum(shares.values())
    scaled = {name: share * 100 // total for name, share in shares.items()}
    by_loss = sorted(shares, key=lambda name: -(shares[name] * 100 % total))
    for name in by_loss[: 100 - sum(scaled.values())]:
        scaled[name] += 1
    return tuple(TrafficTarget(version=name, weight=weight) for name, weight in scaled.items() if weight)
