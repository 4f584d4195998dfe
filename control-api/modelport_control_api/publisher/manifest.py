"""The MLModel that a model of the database requires. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from modelport_crds import mlmodel, names
from modelport_kube.kube import Object

from modelport_control_api.registry.records import ModelRecord, OwnRequirements, RolloutRecord, VersionRecord


def build_manifest(
    record: ModelRecord, namespace: str, batch_replicas: Mapping[str, int] = MappingProxyType({})
) -> Object:
    """batch_replicas: version → pods that do its batch jobs."""
    model = mlmodel.MLModel(metadata=_metadata(record, namespace), spec=build_spec(record))
    body = mlmodel.to_object(model)
    # Applied without it: the status is the operator's to write.
    body.pop("status", None)
    body["metadata"]["namespace"] = namespace
    # Defaults too: a field that is not named stays as kubectl made it.
    body["spec"] |= {
        "access": record.access,
        "timeoutSeconds": record.timeout_seconds,
        "acceleration": record.acceleration,
    }
    for version in body["spec"]["versions"]:
        version["batchReplicas"] = batch_replicas.get(version["name"], 0)
    return body


def _metadata(record: ModelRecord, namespace: str) -> mlmodel.Metadata:
    return mlmodel.Metadata(
        name=record.id,
        namespace=namespace,
        labels={names.LABEL_MODEL: record.id, names.LABEL_MANAGED_BY: names.MANAGED_BY_CONTROL_API},
    )


def build_spec(record: ModelRecord) -> mlmodel.MLModelSpec:
    """Return the spec, with no batch replicas. `cache` None: off; `rate_limit` None: the platform's."""
    ttl, requests = record.cache_ttl_seconds, record.rate_limit_requests
    return mlmodel.MLModelSpec(
        display_name=record.name,
        owner=record.owner_id,
        access=record.access,
        versions=tuple(_version(version) for version in record.versions),
        traffic=tuple(
            mlmodel.WantedTarget(
                version=version, weight=weight, compatible_with=record.compatible_with.get(version)
            )
            for version, weight in record.traffic.items()
        ),
        cache=mlmodel.Cache(ttl_seconds=ttl) if ttl else None,
        rate_limit=(
            mlmodel.RateLimit(requests=requests, period_seconds=record.rate_limit_period_seconds)
            if requests
            else None
        ),
        timeout_seconds=record.timeout_seconds,
        acceleration=record.acceleration,
        sticky=record.sticky,
        history=_history(record),
        feedback=_feedback(record),
        rollout=_rollout(record.rollout) if record.rollout else None,
    )


def _rollout(rollout: RolloutRecord) -> mlmodel.Rollout:
    return mlmodel.Rollout(
        id=rollout.number,
        version=rollout.version,
        strategy=rollout.strategy,
        paused=rollout.paused,
        decision=rollout.decision,
    )


def _history(record: ModelRecord) -> mlmodel.History | None:
    if record.history is None:
        return None
    return mlmodel.History(
        percent=record.history.percent,
        redact_fields=record.history.redact_fields,
        max_row_bytes=record.history.max_row_bytes,
    )


def _feedback(record: ModelRecord) -> mlmodel.Feedback | None:
    wanted = record.feedback
    return mlmodel.Feedback(percent=wanted.percent, id_field=wanted.id_field) if wanted else None


def _version(version: VersionRecord) -> mlmodel.ModelVersion:
    return mlmodel.ModelVersion(
        name=version.name,
        framework=version.framework,
        environment=version.environment,
        lock=_lock(version.own) if version.own else None,
        artifact=mlmodel.Artifact(
            uri=names.platform_artifact_uri(version.sha256), sha256=version.sha256, size=version.size
        ),
        sample=version.sample,
        sample_columns=_sample_columns(version.sample),
    )


def _sample_columns(sample: dict[str, Any] | None) -> tuple[str, ...]:
    row = (sample or {}).get("input")
    return tuple(row) if isinstance(row, dict) else ()


def _lock(own: OwnRequirements) -> mlmodel.Lock:
    return mlmodel.Lock(uri=names.platform_artifact_uri(own.lock_sha256), sha256=own.lock_sha256)
