"""Where the pods are that do batch jobs of a version, or why there is none. Pods' words are a stranger's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from modelport_crds import names
from modelport_crds.mlmodel import MLModel
from modelport_crds.reasons import Reason

from modelport_control_api.publisher.cluster import Cluster, Object
from modelport_control_api.publisher.manifest import MANAGED_BY

_MOST_CHARACTERS = 500
_DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class BatchPods:
    """`addresses`: `host:port` or `unix:/path` of those that are ready. `exists`: False if the model or the
    version is gone for good. `reason` and `message` say why no pod is ready."""

    addresses: tuple[str, ...] = ()
    exists: bool = True
    reason: str = ""
    message: str = ""


async def find(cluster: Cluster, namespace: str, live: MLModel | None, version: str) -> BatchPods:
    """`live`: the model as the cluster has it; `namespace`: the one that the control API may look into.

    Raises what the cluster raises."""
    wanted = live.spec.version(version) if live else None
    if live is None or wanted is None:
        return BatchPods((), False, Reason.NOT_DEPLOYED, f"The version {version} of the model was deleted.")
    metadata = live.metadata
    if metadata.namespace != namespace:
        return BatchPods((), False, Reason.NOT_DEPLOYED, _elsewhere(metadata.namespace))
    if not wanted.batch_replicas:
        return BatchPods((), True, Reason.PROGRESSING, _not_asked_for(live, version))
    labels = {names.LABEL_MODEL: metadata.name, names.LABEL_BATCH_VERSION: version}
    return _read(await cluster.list("Pod", namespace, labels))


def _elsewhere(namespace: str) -> str:
    return (
        f"The model is in the namespace {namespace}, where the platform may not look for pods: batch jobs "
        "are for models of the platform's own namespace. Upload the model, or apply it there."
    )


def _not_asked_for(live: MLModel, version: str) -> str:
    if live.metadata.labels.get(names.LABEL_MANAGED_BY) == MANAGED_BY:
        return "The cluster has yet to be told of the pods that this job needs."
    return (
        f"The model was applied with kubectl: set spec.versions[].batchReplicas of {version} there to have "
        "pods for batch jobs."
    )


def _read(pods: Sequence[Object]) -> BatchPods:
    living = [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]
    addresses = tuple(sorted(address for pod in living if _is_ready(pod) and (address := _address(pod))))
    if addresses:
        return BatchPods(addresses)
    reason, message = next(_troubles(living), (Reason.PROGRESSING, _progress(living)))
    return BatchPods((), True, reason, message[:_MOST_CHARACTERS])


def _progress(pods: Sequence[Object]) -> str:
    if not pods:
        return "No pod was made yet; a quota of the namespace may be used up."
    return "Its pod is starting."


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _address(pod: Object) -> str | None:
    address = str(pod.get("status", {}).get("podIP") or "")
    if not address or address.startswith("unix:"):
        return address or None
    ports = pod["spec"]["containers"][0].get("ports") or [{}]
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{ports[0].get('containerPort', _DEFAULT_PORT)}"


def _troubles(pods: Sequence[Object]) -> Iterator[tuple[str, str]]:
    for pod in pods:
        status = pod.get("status", {})
        for each in status.get("conditions") or ():
            if each.get("type") == "PodScheduled" and each.get("status") == "False":
                yield Reason.UNSCHEDULABLE, str(each.get("message", ""))
        for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
            yield from _of_container(container)


def _of_container(container: Object) -> Iterator[tuple[str, str]]:
    waiting = container.get("state", {}).get("waiting", {})
    if waiting.get("reason") in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):
        yield Reason.IMAGE_PULL_FAILED, str(waiting.get("message", ""))
    for state in (container.get("state", {}), container.get("lastState", {})):
        ended = state.get("terminated")
        if ended and ended.get("exitCode"):
            killed = ended.get("reason") == "OOMKilled" or ended.get("exitCode") == 137
            reason = Reason.OUT_OF_MEMORY if killed else Reason.RUNTIME_CRASHED
            yield reason, str(ended.get("message") or f"It ended with exit code {ended['exitCode']}.")
