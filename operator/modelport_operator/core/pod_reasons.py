"""What a pod's status says about why it is not ready: the first of these that speaks."""

from collections.abc import Callable
from functools import partial

from modelport_crds.kube import Object
from modelport_crds.reasons import Reason

from modelport_operator.core.exits import explain_fetch_exit, explain_model_exit
from modelport_operator.core.problems import Problem
from modelport_operator.core.untrusted import plain_text
from modelport_operator.settings import Settings

_IMAGE_PROBLEMS = {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"}


def read_problem(pod: Object, settings: Settings, *, served: bool = False) -> Problem | None:
    """None: nothing is wrong, or nothing is known yet. served: see `explain_model_exit`."""
    readers: tuple[Callable[[Object, Settings], Problem | None], ...] = (
        _unschedulable,
        _image_pull,
        _fetch_ended,
        partial(_model_ended, served=served),
    )
    return next((problem for reader in readers if (problem := reader(pod, settings)) is not None), None)


def read_quota_problem(deployment: Object) -> Problem | None:
    """A quota keeps the pod from being made at all, so only its Deployment can say so."""
    for condition in deployment.get("status", {}).get("conditions", ()):
        message = condition.get("message", "")
        failed = condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        if failed and "quota" in message:
            return Problem(Reason.QUOTA_EXCEEDED, plain_text(message))
    return None


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
            return Problem(Reason.UNSCHEDULABLE, plain_text(condition.get("message", "")))
    return None


def _image_pull(pod: Object, _settings: Settings) -> Problem | None:
    for status in [*container_statuses(pod, "initContainerStatuses"), *container_statuses(pod)]:
        waiting = status.get("state", {}).get("waiting") or {}
        if waiting.get("reason") in _IMAGE_PROBLEMS:
            message = waiting.get("message") or f"{status.get('image', 'The image')} cannot be pulled."
            return Problem(Reason.IMAGE_PULL_FAILED, plain_text(message))
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
            return explain_model_exit(ended, settings, served=served)
    return None
