"""MLModels and the objects around them, built fluently: a test says only what it is about."""

import hashlib
from dataclasses import dataclass, field, replace
from typing import Any, Self

from modelport_crds.mlmodel import (
    Artifact,
    Metadata,
    MLModel,
    MLModelSpec,
    MLModelStatus,
    ModelVersion,
    Scaling,
    TrafficTarget,
    VersionStatus,
    WantedTarget,
    to_object,
)
from modelport_crds.names import ANNOTATION_TEMPLATE, LABEL_MODEL, LABEL_MODEL_VERSION
from msgspec.structs import replace as replace_struct

Object = dict[str, Any]


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_version(name: str = "v1", **changes: Any) -> ModelVersion:
    sha256 = digest_of(name)
    facts: dict[str, Any] = {
        "framework": "sklearn",
        "artifact": Artifact(uri=f"artifact:{sha256}", sha256=sha256),
        "sample": {"input": [1.0, 2.0]},
        **changes,
    }
    return ModelVersion(name=name, **facts)


def targets(**weights: int) -> tuple[TrafficTarget, ...]:
    return tuple(TrafficTarget(version=name, weight=weight) for name, weight in weights.items())


def wanted(**weights: int) -> tuple[WantedTarget, ...]:
    """As `targets`, of a spec."""
    return tuple(WantedTarget(version=name, weight=weight) for name, weight in weights.items())


_IRIS = Metadata(name="iris", uid="uid-iris", generation=1)
_ONE_VERSION = MLModelSpec(versions=(a_version("v1"),), traffic=wanted(v1=100))
_NO_STATUS = MLModelStatus()


@dataclass(frozen=True)
class ModelBuilder:
    """`a_model().versions("v1", "v2").traffic(v2=100).build()`. Immutable: share a half-built one."""

    metadata: Metadata = _IRIS
    spec: MLModelSpec = _ONE_VERSION
    status: MLModelStatus = _NO_STATUS

    def named(self, name: str, namespace: str = "modelport-models") -> Self:
        return self._metadata(name=name, namespace=namespace, uid=f"uid-{name}")

    def generation(self, generation: int) -> Self:
        return self._metadata(generation=generation)

    def annotated(self, name: str, value: str) -> Self:
        return self._metadata(annotations={**self.metadata.annotations, name: value})

    def labeled(self, name: str, value: str) -> Self:
        return self._metadata(labels={**self.metadata.labels, name: value})

    def being_deleted(self) -> Self:
        return self._metadata(deletion_timestamp="2026-01-01T00:00:00Z")

    def versions(self, *versions: str | ModelVersion) -> Self:
        built = tuple(a_version(each) if isinstance(each, str) else each for each in versions)
        return self.with_spec(versions=built)

    def traffic(self, **weights: int) -> Self:
        return self.with_spec(traffic=wanted(**weights))

    def compatible(self, **baselines: str) -> Self:
        """Version → the one whose callers it is to get."""
        compared = (
            replace_struct(each, compatible_with=baselines.get(each.version)) for each in self.spec.traffic
        )
        return self.with_spec(traffic=tuple(compared))

    def replicas(self, number: int) -> Self:
        return self.with_spec(scaling=Scaling(min_replicas=number, max_replicas=number))

    def with_spec(self, **changes: Any) -> Self:
        return replace(self, spec=replace_struct(self.spec, **changes))

    def served(self, **weights: int) -> Self:
        return self._status(traffic=targets(**weights))

    def known(self, *versions: VersionStatus) -> Self:
        return self._status(versions=versions)

    def build(self) -> MLModel:
        return MLModel(metadata=self.metadata, spec=self.spec, status=self.status)

    def manifest(self) -> Object:
        """As kubectl would send it: without what the cluster gives."""
        obj = to_object(self.build())
        metadata = {"name": self.metadata.name, "namespace": self.metadata.namespace}
        return {**{key: obj[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata}

    def _metadata(self, **changes: Any) -> Self:
        return replace(self, metadata=replace_struct(self.metadata, **changes))

    def _status(self, **changes: Any) -> Self:
        return replace(self, status=replace_struct(self.status, **changes))


def a_model() -> ModelBuilder:
    return ModelBuilder()


@dataclass(frozen=True)
class PodBuilder:
    """`a_pod().of("iris", "v1").ready().build()`; a fresh one runs but has not started."""

    name: str = "iris-v1-0"
    model: str = "iris"
    version: str = "v1"
    template: str = ""
    owner_uid: str = ""
    main: Object = field(default_factory=lambda: {"state": {"running": {}}, "restartCount": 0})
    fetch: Object = field(
        default_factory=lambda: {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
    )
    conditions: tuple[Object, ...] = ()
    deleting: bool = False

    def of(self, model: str, version: str) -> Self:
        return replace(self, model=model, version=version, name=f"{model}-{version}-0")

    def of_template(self, template: str) -> Self:
        return replace(self, template=template)

    def called(self, name: str) -> Self:
        return replace(self, name=name)

    def owned_by(self, uid: str) -> Self:
        return replace(self, owner_uid=uid)

    def started(self) -> Self:
        """Loading has ended, well or badly."""
        return self._main(started=True)

    def ready(self) -> Self:
        return replace(self.started(), conditions=({"type": "Ready", "status": "True"},))

    def ended(self, *, restarts: int = 0, **terminated: Any) -> Self:
        """Down now: its container ended so and is not up again."""
        state = {"terminated": terminated}
        return replace(self._main(state=state, restartCount=restarts, started=False), conditions=())

    def restarted_after(self, *, restarts: int = 1, **terminated: Any) -> Self:
        """Up again after it ended so."""
        return self._main(restartCount=restarts, lastState={"terminated": terminated})

    def waiting(self, reason: str, message: str = "", **more: Any) -> Self:
        return self._main(state={"waiting": {"reason": reason, "message": message}}, **more)

    def fetching(self, state: str) -> Self:
        return replace(self, fetch={"state": {state: {}}})

    def fetch_ended(self, code: int, message: str = "") -> Self:
        terminated = {"exitCode": code, "message": message, "reason": "Error"}
        return replace(self, fetch={"state": {"terminated": terminated}}, main={"state": {"waiting": {}}})

    def unschedulable(self, message: str) -> Self:
        condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
        return replace(self, conditions=(condition,), main={}, fetch={})

    def terminating(self) -> Self:
        return replace(self, deleting=True)

    def build(self) -> Object:
        metadata: Object = {
            "name": self.name,
            "namespace": "modelport-models",
            "labels": {LABEL_MODEL: self.model, LABEL_MODEL_VERSION: self.version},
            "annotations": {ANNOTATION_TEMPLATE: self.template} if self.template else {},
        }
        if self.owner_uid:
            metadata["ownerReferences"] = [{"uid": self.owner_uid}]
        if self.deleting:
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        status = {
            "podIP": "10.0.0.1",
            "conditions": list(self.conditions),
            "containerStatuses": [self.main] if self.main else [],
            "initContainerStatuses": [self.fetch] if self.fetch else [],
        }
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {}, "status": status}

    def _main(self, **changes: Any) -> Self:
        return replace(self, main={**self.main, **changes})


def a_pod() -> PodBuilder:
    return PodBuilder()
