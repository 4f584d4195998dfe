"""Which version gets which share. The rule: no request goes to a version that has not answered."""

from collections.abc import Mapping, Sequence

from modelport_crds.mlmodel import TrafficTarget, VersionStatus

Traffic = tuple[TrafficTarget, ...]


def decide_traffic(
    wanted: Sequence[TrafficTarget], versions: Mapping[str, VersionStatus], current: Traffic
) -> Traffic:
    """What to route now: weights sum to 100, or nothing.

    Traffic moves as a whole when all that is wanted is ready. Until then what serves goes on serving, also
    while its process is away for a moment: moving to and fro would answer from versions nobody asked for.
    """
    targets = tuple(target for target in wanted if target.weight > 0)
    if targets and all(_is(versions, target, ready=True) for target in targets):
        return targets
    if current and all(_is(versions, target, ready=False) for target in current):
        return current
    return _share([target for target in targets if _is(versions, target, ready=True)])


def _is(versions: Mapping[str, VersionStatus], target: TrafficTarget, *, ready: bool) -> bool:
    """Has it answered, and, if asked, is it ready now?"""
    status = versions.get(target.version)
    return status is not None and status.answered and (status.ready or not ready)


def _share(targets: Sequence[TrafficTarget]) -> Traffic:
    """The same proportions, summing to 100 again; the first gets what rounding leaves."""
    total = sum(target.weight for target in targets)
    if not total:
        return ()
    rest = [TrafficTarget(version=t.version, weight=t.weight * 100 // total) for t in targets[1:]]
    first = 100 - sum(target.weight for target in rest)
    return (TrafficTarget(version=targets[0].version, weight=first), *rest)
