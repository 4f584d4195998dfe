"""What a cluster checks before it takes an MLModel: the resource's schema and its rules across fields."""

import msgspec
from modelport_crds.mlmodel import MLModel, MLModelSpec, from_object
from modelport_kube.kube import Object, Rejected


def check(obj: Object, before: Object | None) -> None:
    """Raise `Rejected` naming the field if `obj` may not take the place of `before`."""
    model = _read(obj)
    _check_names(model.spec)
    _check_traffic(model.spec)
    if model.spec.scaling.min_replicas > model.spec.scaling.max_replicas:
        raise Rejected("spec.scaling: minReplicas is greater than maxReplicas.")
    if before is not None:
        _check_immutable(model.spec, _read(before).spec)


def _read(obj: Object) -> MLModel:
    try:
        return from_object(obj)
    except msgspec.ValidationError as error:
        raise Rejected(f"The MLModel is not valid: {error}") from error


def _check_names(spec: MLModelSpec) -> None:
    names = [version.name for version in spec.versions]
    if not names:
        raise Rejected("spec.versions: a model needs at least one version.")
    if len(names) != len(set(names)):
        raise Rejected("spec.versions: each name may be used once.")


def _check_traffic(spec: MLModelSpec) -> None:
    unknown = [target.version for target in spec.traffic if spec.version(target.version) is None]
    if unknown:
        raise Rejected(f"spec.traffic: there is no version {unknown[0]!r}.")
    total = sum(target.weight for target in spec.traffic)
    if total != 100:
        raise Rejected(f"spec.traffic: the weights sum to {total}, not to 100.")


def _check_immutable(spec: MLModelSpec, before: MLModelSpec) -> None:
    for version in spec.versions:
        old = before.version(version.name)
        if old is not None and (old.framework, old.artifact) != (version.framework, version.artifact):
            raise Rejected(
                f"spec.versions: {version.name} exists; its framework and artifact cannot change. "
                "Add a version with another name."
            )
