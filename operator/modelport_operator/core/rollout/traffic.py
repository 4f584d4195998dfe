"""Whose requests are whose while a rollout goes on."""

from collections.abc import Sequence

from modelport_crds.mlmodel import MLModel, RolloutStatus, WantedTarget
from modelport_crds.shares import scaled, weights

Targets = tuple[WantedTarget, ...]


def wanted_traffic(model: MLModel, rollout: RolloutStatus | None) -> Targets:
    """Return the shares that are wanted now: the spec's own where no rollout is asked for.

    Before it was promoted the candidate has its step's share and the others have theirs of the rest; where
    the spec names the candidate alone, the baseline stands for the others.
    """
    if rollout is None or model.spec.rollout is None:
        return model.spec.traffic
    if not rollout.baseline or rollout.weight == 100:
        return (WantedTarget(version=rollout.version, weight=100),)
    others = {name: each for name, each in weights(model.spec.traffic).items() if name != rollout.version}
    shares = scaled(others or {rollout.baseline: 100}, 100 - rollout.weight)
    return _targets([*shares.items(), (rollout.version, rollout.weight)])


def _targets(shares: Sequence[tuple[str, int]]) -> Targets:
    return tuple(WantedTarget(version=name, weight=share) for name, share in shares if share)
