"""What a pod's status says about why it is not ready: the first of these that speaks."""

from collections.abc import Callable
from functools import partial

from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.exits import explain_fetch_exit, explain_model_exit
from modelport_operator.core.problems import Problem
from modelport_operator.core.untrusted import plain_text
from modelport_operator.settings import Settings

_IMAGE_PROBLEMS = {
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
}
_CONFIG_PROBLEM = "CreateContainerConfigError"
# The kubelet's cache of Secrets and ConfigMaps was not filled within a second: nothing is known of them yet.
_NOT_YET_KNOWN = "failed to sync "


def read_problem(pod: Object, settings: Settings, *, served: bool = False) -> Problem | None:
    """None: nothing is wrong, or nothing is known yet. served: see `explain_model_exit`."""
    readers: tuple[Callable[[Object, Settings], Problem | None], ...] = (
        _unschedulable,
        _waits_in_vain,
        _fetch_ended,
        partial(_model_ended, served=served),
    )
    return next((problem for reader in readers if (problem := reader(pod, settings)) is not None), None)


def read_refusal(deployment: Object) -> Problem | None:
    """What keeps the pod from being made at all, so that only its Deployment can say so."""
    for condition in deployment.get("status", {}).get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return read_refusal_text(condition.get("message", ""))
    return None


def read_refusal_text(message: str) -> Problem:
    reason = Reason.QUOTA_EXCEEDED if "quota" in message else Reason.POD_REFUSED
    return Problem(reason, plain_text(message))


def terminated_state(status: Object) -> Object | None:
    """How the container's last run ended, if it has ended and not finished well since."""
    for state in (status.get("state", {}), status.get("lastState", {})):
        if ended := state.get("terminated"):
            found: Object = ended
            return found
    return None


def container_statuses(pod: Object, field: str = "containerStatuses") -> list[Object]:
    found: list[Object] = pod.get("status", {}).get(field) or []
    return found


def _unschedulable(pod: Object, _settings: Settings) -> Problem | None:
    for condition in pod.get("status", {}).get("conditions") or ():
        refused = condition.get("type") == "PodScheduled" and condition.get("status") == "False"
        if refused and condition.get("reason") == "Unschedulable":
            message = condition.get("message", "")
            # The scheduler waits for a claim too, which has nothing to do with room.
            missing = "persistentvolumeclaim" in message and "not found" in message
            return Problem(Reason.POD_INCOMPLETE if missing else Reason.UNSCHEDULABLE, plain_text(message))
    return None


def _waits_in_vain(pod: Object, _settings: Settings) -> Problem | None:
    for status in [*container_statuses(pod, "initContainerStatuses"), *container_statuses(pod)]:
        waiting = status.get("state", {}).get("waiting") or {}
        message = waiting.get("message") or ""
        if waiting.get("reason") in _IMAGE_PROBLEMS:
            unpulled = f"{status.get('image', 'The image')} cannot be pulled."
            return Problem(Reason.IMAGE_PULL_FAILED, plain_text(message or unpulled))
        if waiting.get("reason") == _CONFIG_PROBLEM and not message.startswith(_NOT_YET_KNOWN):
            return Problem(Reason.POD_INCOMPLETE, plain_text(message))
    return None


def _fetch_ended(pod: Object, _settings: Settings) -> Problem | None:
    for status in container_statuses(pod, "initContainerStatuses"):
        ended = terminated_state(status)
        if ended is not None and ended.get("exitCode", 0) != 0:
            return explain_fetch_exit(ended)
    return None


def _model_ended(pod: Object, settings: Settings, *, served: bool) -> Problem | None:
    for status in container_statuses(pod):
        ended = terminated_state(status)
        if ended is not None:
            return explain_model_exit(ended, _memory_limit(pod, settings), settings, served=served)
    return None


def _memory_limit(pod: Object, settings: Settings) -> str:
    containers = pod.get("spec", {}).get("containers") or [{}]
    limits = containers[0].get("resources", {}).get("limits", {})
    return str(limits.get("memory") or f"{settings.runtime_memory_bytes // 1024**2}Mi")
