"""What is, in the few facts that decisions need."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelport_crds.mlmodel import MLModel

from modelport_operator.core.naming import Object, version_of
from modelport_operator.core.pod_reasons import Finding, find_trouble
from modelport_operator.core.specs.deployment import PORT
from modelport_operator.core.words import RuntimeWord, SampleReply


@dataclass(frozen=True)
class VersionObserved:
    """`addresses` are those of pods whose process has ended its load, well or badly."""

    pods: int = 0
    ready_pods: int = 0
    restarts: int = 0
    trouble: Finding | None = None
    addresses: tuple[str, ...] = ()
    word: RuntimeWord | None = None
    reply: SampleReply | None = None


@dataclass(frozen=True)
class Observed:
    versions: Mapping[str, VersionObserved] = field(default_factory=dict)

    def of(self, version: str) -> VersionObserved:
        return self.versions.get(version, VersionObserved())


def observe(model: MLModel, pods: Iterable[Object]) -> Observed:
    """`pods` are all pods labelled as this model's."""
    by_version: dict[str, list[Object]] = {version.name: [] for version in model.spec.versions}
    for pod in pods:
        by_version.setdefault(version_of(pod), []).append(pod)
    return Observed({version: _observe_version(found) for version, found in by_version.items()})


def is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)
    return ready and not _terminating(pod)


def _observe_version(pods: list[Object]) -> VersionObserved:
    return VersionObserved(
        pods=len(pods),
        ready_pods=sum(map(is_ready, pods)),
        restarts=sum(_restarts(pod) for pod in pods),
        trouble=find_trouble(pods),
        addresses=tuple(address for pod in pods if (address := _address(pod)) and _started(pod)),
    )


def _started(pod: Object) -> bool:
    containers = pod.get("status", {}).get("containerStatuses", [])
    return bool(containers) and all(each.get("started") for each in containers) and not _terminating(pod)


def _terminating(pod: Object) -> bool:
    return pod.get("metadata", {}).get("deletionTimestamp") is not None


def _restarts(pod: Object) -> int:
    return sum(each.get("restartCount", 0) for each in pod.get("status", {}).get("containerStatuses", []))


def _address(pod: Object) -> str:
    """A pod's IP and port; on one machine the "IP" is the path of its socket, `unix:/…`."""
    ip: str = pod.get("status", {}).get("podIP", "")
    return ip if not ip or ip.startswith("unix:") else f"{ip}:{PORT}"
