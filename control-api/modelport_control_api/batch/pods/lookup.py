"""Where the pods are that do batch jobs of a version, or why there is none; and the call by which a
worker learns it.
"""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from modelport_crds import names
from modelport_crds.endings import ending_words, log_words, signal_of
from modelport_crds.mlmodel import MLModel
from modelport_crds.reasons import Reason
from modelport_http.problem import Problem
from modelport_kube.kube import Object
from pydantic import BaseModel

from modelport_control_api.http.principal import PLATFORM_ONLY
from modelport_control_api.models.access import Models
from modelport_control_api.publisher.cluster import Cluster

_MOST_CHARACTERS = 500
_DEFAULT_PORT = 8080
_PROBES = ("StartupProbeFailed", "LivenessProbeFailed")
_NOT_IN_TIME = (
    "Its process had not started when the cluster's startup probe gave it up; it is started again. On a busy "
    "node a pod for batch jobs can be starved of CPU: run less beside it."
)


@dataclass(frozen=True, slots=True)
class BatchPods:
    """`addresses`: `host:port` or `unix:/path` of those that are ready. `exists`: False if the model or the
    version is gone for good. `reason` and `message` explain why no pod is ready."""

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
        return BatchPods((), True, Reason.PROGRESSING, _not_requested(live, version))
    labels = {names.LABEL_MODEL: metadata.name, names.LABEL_BATCH_VERSION: version}
    return _read(await cluster.list("Pod", namespace, labels))


def _elsewhere(namespace: str) -> str:
    return (
        f"The model is in the namespace {namespace}, where the platform may not look for pods: batch jobs "
        "are for models of the platform's own namespace. Upload the model, or apply it there."
    )


def _not_requested(live: MLModel, version: str) -> str:
    if live.metadata.labels.get(names.LABEL_MANAGED_BY) == names.MANAGED_BY_CONTROL_API:
        return "The processes that this job needs are about to be started."
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
        return "Its process is not started yet; on Kubernetes a quota of the namespace may be used up."
    return "Its process is starting."


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
            yield _of_end(ended)


def _of_end(ended: Object) -> tuple[str, str]:
    """Of a container that is started again: why it ended, in words."""
    number, message = signal_of(ended), str(ended.get("message") or "")
    if ended.get("reason") in _PROBES:
        return Reason.LOAD_TIMEOUT, f"Its process was started again. {message}"
    # A kubelet does not report it: it ends what its startup probe has given up, and nobody else does.
    if number == signal.SIGTERM:
        return Reason.LOAD_TIMEOUT, _NOT_IN_TIME
    if number == signal.SIGALRM or ended.get("exitCode") == signal.SIGALRM:
        return Reason.LOAD_TIMEOUT, "Loading the model took longer than it may."
    if ended.get("reason") == "OOMKilled" or number == signal.SIGKILL:
        return Reason.OUT_OF_MEMORY, "Its process was killed, as happens when memory runs out."
    lines = [line for line in message.splitlines() if line.strip()]
    words = log_words(lines[-1]) if lines else ""
    last = f" Its last words: {words}" if words else ""
    return Reason.RUNTIME_CRASHED, f"Its process {ending_words(ended)}.{last}"


router = APIRouter(prefix="/internal/v1/batch", dependencies=[PLATFORM_ONLY])


class EndpointsResponse(BaseModel):
    """As `lookup.BatchPods`."""

    addresses: list[str]
    exists: bool
    reason: str
    message: str


@router.get("/endpoints")
async def list_endpoints(
    services: Models, model: Annotated[str, Query()], version: Annotated[str, Query()]
) -> EndpointsResponse:
    """503 while this replica has yet to hear from the cluster, or the cluster does not respond."""
    if not services.statuses.synced.is_set():
        raise _away("This replica has yet to hear from the cluster.")
    try:
        found = await find(services.cluster, services.namespace, services.statuses.get(model), version)
    except Exception as error:  # any exception of a cluster means: try later
        raise _away("The cluster does not answer.") from error
    return EndpointsResponse(
        addresses=list(found.addresses), exists=found.exists, reason=found.reason, message=found.message
    )


def _away(detail: str) -> Problem:
    return Problem(status=503, detail=f"{detail} Try again shortly.", headers={"Retry-After": "1"})
