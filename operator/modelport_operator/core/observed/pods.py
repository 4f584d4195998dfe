"""A pod, reduced to what decisions need."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from modelport_crds import stages
from modelport_crds.names import ANNOTATION_TEMPLATE, LABEL_MODEL_VERSION
from modelport_kube.kube import Object

from modelport_operator.core.observed.pod_reasons import container_statuses, read_problem
from modelport_operator.core.problems import Problem
from modelport_operator.core.specs.deployment import PORT
from modelport_operator.settings import Settings

# LocalCluster's word; a kubelet has none.
_PREPARING = "PreparingEnvironment"


@dataclass(frozen=True)
class PodFacts:
    """`endings`: how many times a container of it has ended; `address`: `host:port` or `unix:/path`;
    `running_since`: when its present process began, None without one."""

    name: str
    version: str
    template: str
    address: str | None
    ready: bool
    started: bool
    restarts: int
    endings: int
    problem: Problem | None
    stage: str
    running_since: datetime | None = None


def read_pod(
    pod: Object, slices: Sequence[Object], settings: Settings, served_templates: Collection[str] = ()
) -> PodFacts:
    """served_templates: digests of the pod templates that have answered."""
    metadata = pod["metadata"]
    template = (metadata.get("annotations") or {}).get(ANNOTATION_TEMPLATE, "")
    main = next(iter(container_statuses(pod)), {})
    return PodFacts(
        name=metadata["name"],
        version=metadata.get("labels", {}).get(LABEL_MODEL_VERSION, ""),
        template=template,
        address=_address(pod, slices),
        ready=_is_ready(pod),
        started=_has_started(main) or _is_ready(pod),
        restarts=int(main.get("restartCount", 0)),
        endings=_endings(pod),
        problem=read_problem(pod, settings, served=template in served_templates),
        stage=_stage(pod, main),
        running_since=_running_since(main),
    )


def is_live(pod: Object) -> bool:
    """A pod on its way out is no sign of the try that follows it, nor does one that was evicted: another
    one stands in for it."""
    return not pod["metadata"].get("deletionTimestamp") and pod.get("status", {}).get("phase") != "Failed"


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _has_started(main: Object) -> bool:
    return bool(main.get("started")) and "running" in main.get("state", {})


def _running_since(main: Object) -> datetime | None:
    began = main.get("state", {}).get("running", {}).get("startedAt")
    return datetime.fromisoformat(began) if began else None


def _endings(pod: Object) -> int:
    statuses = [*container_statuses(pod, "initContainerStatuses"), *container_statuses(pod)]
    return max((_container_endings(status) for status in statuses), default=0)


def _container_endings(status: Object) -> int:
    """Restarts, and one more if it is down now: its restart is counted only once it has happened."""
    state = status.get("state", {})
    failed_now = state.get("terminated") is not None and not _ended_well(state)
    waits_after_end = "waiting" in state and "terminated" in status.get("lastState", {})
    return int(status.get("restartCount", 0)) + (1 if failed_now or waits_after_end else 0)


def _ended_well(state: Object) -> bool:
    return bool(state["terminated"].get("reason") == "Completed")


def _stage(pod: Object, main: Object) -> str:
    if _has_started(main):
        return stages.ANSWERING
    if "running" in main.get("state", {}):
        return stages.LOADING
    fetching = [each.get("state", {}) for each in container_statuses(pod, "initContainerStatuses")]
    if any(state.get("waiting", {}).get("reason") == _PREPARING for state in fetching):
        return stages.PREPARING
    if any("running" in state for state in fetching):
        return stages.FETCHING
    fetched = any("terminated" in state for state in fetching)
    return stages.STARTING_RUNTIME if fetched else stages.STARTING_POD


def _address(pod: Object, slices: Sequence[Object]) -> str | None:
    """An EndpointSlice knows unix sockets too; a pod that was never ready may be in its own status only."""
    listed = _listed_address(pod["metadata"]["name"], slices) or pod.get("status", {}).get("podIP")
    if not listed:
        return None
    if listed.startswith("unix:"):
        return str(listed)
    return f"[{listed}]:{PORT}" if ":" in listed else f"{listed}:{PORT}"


def _listed_address(pod_name: str, slices: Sequence[Object]) -> str | None:
    for slice_ in slices:
        for endpoint in slice_.get("endpoints") or ():
            if endpoint.get("targetRef", {}).get("name") == pod_name:
                address: str = endpoint["addresses"][0]
                return address
    return None
