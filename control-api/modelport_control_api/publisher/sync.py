"""Where the cluster's MLModel is not what the database wants, and making it so, no matter who has written
to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from modelport_crds import names
from modelport_crds.mlmodel import MLModelSpec, ModelVersion, from_object
from modelport_crds.shares import baselines, weights
from modelport_kube.kube import Object, Rejected

from modelport_control_api.publisher.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Difference:
    """`field` as the MLModel names it (`versions.v2`); null where one side has nothing."""

    field: str
    in_cluster: Any
    in_api: Any


def differences(wanted: MLModelSpec, there: MLModelSpec) -> tuple[Difference, ...]:
    """Return each difference between what the database wants and what is in the cluster."""
    wanted_values, found_values = _decided(wanted), _decided(there)
    return tuple(
        Difference(field, found_values.get(field), wanted_values.get(field))
        for field in sorted(wanted_values.keys() | found_values.keys())
        if wanted_values.get(field) != found_values.get(field)
    )


def undo(manifest: Object, there: Object) -> Object:
    """The merge patch that makes all that the API decides as in `manifest`, and removes what others added."""
    resources = {each["name"]: each.get("resources") for each in there["spec"]["versions"]}
    versions = [
        each | ({"resources": given} if (given := resources.get(each["name"])) else {})
        for each in manifest["spec"]["versions"]
    ]
    fields = (
        "displayName",
        "owner",
        "access",
        "traffic",
        "cache",
        "rateLimit",
        "timeoutSeconds",
        "acceleration",
        "sticky",
        "history",
        "feedback",
        "rollout",
    )
    return {"spec": {field: manifest["spec"].get(field) for field in fields} | {"versions": versions}}


def _decided(spec: MLModelSpec) -> Mapping[str, Any]:
    whole: dict[str, Any] = {
        "displayName": spec.display_name,
        "owner": spec.owner,
        "access": spec.access,
        "cache": _plain(spec.cache),
        "rateLimit": _plain(spec.rate_limit),
        "timeoutSeconds": spec.timeout_seconds,
        "acceleration": spec.acceleration,
        "sticky": spec.sticky,
        "history": _plain(spec.history),
        "feedback": _plain(spec.feedback),
        "rollout": _plain(spec.rollout),
        "traffic": weights(spec.traffic),
    }
    compared = {
        f"traffic.{version}.compatibleWith": baseline for version, baseline in baselines(spec.traffic).items()
    }
    return whole | compared | {f"versions.{each.name}": _of_version(each) for each in spec.versions}


def _of_version(version: ModelVersion) -> dict[str, Any]:
    return {
        "framework": version.framework,
        "environment": version.environment,
        "lock": version.lock.sha256 if version.lock else None,
        "uri": version.artifact.uri,
        "sha256": version.artifact.sha256,
        "sample": version.sample,
        "sampleColumns": _order(version.ordered_sample),
    }


def _order(sample: dict[str, Any] | None) -> list[str]:
    row = (sample or {}).get("input")
    return list(row) if isinstance(row, dict) else []


def _plain(setting: Any) -> Any:
    # With its defaults, unlike on the wire: whether someone wrote them out makes no difference.
    if not isinstance(setting, msgspec.Struct):
        return setting
    return {name: _plain(getattr(setting, name)) for name in setting.__struct_fields__}


async def make_so(cluster: Cluster, manifest: Object) -> None:
    """Apply it; where others have written, also take back what an apply leaves to them."""
    try:
        there = await cluster.apply(manifest, field_manager=names.FIELD_MANAGER_CONTROL_API)
    except Rejected as error:
        # Perhaps only together with what kubectl added: weights that now sum to more than 100.
        if not await _take_back(cluster, manifest):
            raise error from None
        return
    if differences(from_object(manifest).spec, from_object(there).spec):
        await _take_back(cluster, manifest, there)


async def _take_back(cluster: Cluster, manifest: Object, there: Object | None = None) -> bool:
    """False: there is no such MLModel."""
    metadata = manifest["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    there = there or await cluster.get(names.KIND, namespace, name)
    if there is None:
        return False
    patch = {"metadata": {"labels": metadata["labels"]}, **undo(manifest, there)}
    manager = names.FIELD_MANAGER_CONTROL_API
    return await cluster.merge(names.KIND, namespace, name, patch, field_manager=manager) is not None
