"""Models' own packages on Kubernetes: a bundle for each lock, which a Job makes once and pods unpack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from modelport_crds.mlmodel import MLModel, ModelVersion, VersionStatus
from msgspec.structs import replace

from modelport_operator.core.problems import Problem


@dataclass(frozen=True)
class Packed:
    """By version: digests of the bundles that were found `made` in this pass, and why others are not.
    `preparing`: the names of those whose Job is at work, or whose pods have yet to fetch what it made."""

    made: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)
    preparing: Sequence[str] = ()


def bundle_of(model: MLModel, version: ModelVersion) -> str:
    """Return the digest of the bundle that the version's pods unpack; empty: none is known."""
    known = model.status.version(version.name)
    return known.bundle if known and version.lock else ""


def with_bundles(model: MLModel, made: Mapping[str, str]) -> MLModel:
    """Return the model as it is once its status has these digests, by version."""
    if not made:
        return model
    known = {each.name: each for each in model.status.versions}
    for name, bundle in made.items():
        known[name] = replace(known.get(name, VersionStatus(name=name)), bundle=bundle)
    return replace(model, status=replace(model.status, versions=tuple(known.values())))
