"""What a pod's status reports of why it is not ready, and an ended container by the way it ended."""

import json
import signal
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from modelport_crds.endings import log_words
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.observed.probe_results import plain_text
from modelport_operator.core.problems import ONCE, TWICE, Problem
from modelport_operator.settings import ENVIRONMENT, Settings

_FETCH_REASONS = {Reason.DIGEST_MISMATCH, Reason.ARTIFACT_NOT_FOUND, Reason.TOO_LARGE}
_UNREACHABLE = 2
# LocalCluster's words; a kubelet has none.
_PROBES = {"StartupProbeFailed": Reason.LOAD_TIMEOUT, "LivenessProbeFailed": Reason.RUNTIME_CRASHED}
_STARVED = "starved of CPU"


def explain_fetch_exit(terminated: Object) -> Problem:
    """Read how the init container ended; it leaves one JSON line when it knows why."""
    last_line = _last_json_line(terminated.get("message", ""))
    reason = last_line.get("reason")
    if reason in _FETCH_REASONS:
        return Problem(Reason(reason), plain_text(str(last_line.get("message", ""))), ONCE)
    if terminated.get("exitCode") == _UNREACHABLE:
        happened = plain_text(str(last_line.get("message", "")))
        return Problem(
            Reason.PROGRESSING, happened or "The artifact's source cannot be reached; it is tried again."
        )
    return Problem(Reason.RUNTIME_CRASHED, f"Fetching the artifact ended with {_ending(terminated)}.", TWICE)


def explain_model_exit(terminated: Object, memory_limit: str, settings: Settings, *, served: bool) -> Problem:
    """Read how the model's container ended. SIGALRM is the runtime's own deadline around a load.

    served: its pod template has answered before, so its load fits into time and memory.
    """
    number = exit_signal(terminated)
    if (reason := terminated.get("reason")) in _PROBES and _STARVED in terminated.get("message", ""):
        return Problem(_PROBES[reason], plain_text(terminated["message"], 300), TWICE)
    if reason == "OOMKilled":
        return _out_of_memory(memory_limit, "The kernel ended the process for its memory.")
    if served and number == signal.SIGKILL:
        by_whom = "by the system for lack of memory, or by someone"
        return Problem(Reason.RUNTIME_CRASHED, f"The process was killed (SIGKILL): {by_whom}.", TWICE)
    if number == signal.SIGALRM or (not served and _ended_by_startup_probe(terminated, number, settings)):
        return Problem(Reason.LOAD_TIMEOUT, f"Loading took over {settings.load_timeout_seconds} s.", ONCE)
    if number == signal.SIGKILL:
        return _out_of_memory(
            memory_limit, "The process was killed (SIGKILL), as happens when memory runs out."
        )
    return Problem(
        Reason.RUNTIME_CRASHED,
        f"The process ended with {_ending(terminated)}.{_last_word(terminated)}",
        TWICE,
    )


def exit_signal(terminated: Object) -> int | None:
    """The signal that ended the process: named outright, or as 128 + n as shells and containers do."""
    if number := terminated.get("signal"):
        return int(number)
    code = int(terminated.get("exitCode", 0))
    if code < 0:
        return -code
    # The runtime's contract writes its alarm as a bare 14 too.
    return (
        code - 128 if 128 < code < 128 + signal.NSIG else (signal.SIGALRM if code == signal.SIGALRM else None)
    )


def _ended_by_startup_probe(terminated: Object, number: int | None, settings: Settings) -> bool:
    """The kubelet ends a container that does not get past its startup probe with SIGTERM, then SIGKILL."""
    if number not in (signal.SIGTERM, signal.SIGKILL):
        return False
    return _seconds_lived(terminated) >= settings.load_timeout_seconds


def _seconds_lived(terminated: Object) -> float:
    started, finished = terminated.get("startedAt"), terminated.get("finishedAt")
    if not started or not finished:
        return 0.0
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds()


def _out_of_memory(limit: str, happened: str) -> Problem:
    return Problem(Reason.OUT_OF_MEMORY, f"{happened} The limit is {_in_words(limit)}.", TWICE)


def _in_words(quantity: str) -> str:
    """A number of bytes, which the API server keeps as it is, says little to users."""
    return f"{int(quantity) // 1024**2}Mi" if quantity.isdigit() else quantity


def _ending(terminated: Object) -> str:
    number = exit_signal(terminated)
    if number is None:
        return f"exit code {terminated.get('exitCode', 0)}"
    known = {each.value for each in signal.Signals}
    return f"signal {number} ({signal.Signals(number).name})" if number in known else f"signal {number}"


def _last_word(terminated: Object) -> str:
    """The end of its log, which the kubelet keeps as the message."""
    lines = [line for line in (terminated.get("message") or "").splitlines() if line.strip()]
    words = log_words(lines[-1]) if lines else ""
    return f" Its last line: {plain_text(words, 300)}" if words else ""


def _last_json_line(message: str) -> dict[str, Any]:
    lines = message.strip().splitlines()
    try:
        last_line = json.loads(lines[-1]) if lines else {}
    except (ValueError, RecursionError):
        return {}
    return last_line if isinstance(last_line, dict) else {}


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


def read_wait(pod: Object, settings: Settings) -> Problem | None:
    """Why none of its containers begins; None: they do, or nothing is known yet."""
    return _unschedulable(pod, settings) or _waits_in_vain(pod, settings)


def read_refusal(deployment: Object) -> Problem | None:
    """What keeps the pod from being made at all, so that only its Deployment reports it."""
    for condition in deployment.get("status", {}).get("conditions") or ():
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            return read_refusal_text(condition.get("message", ""))
    return None


def read_refusal_text(message: str) -> Problem:
    """Return why the cluster refuses an object, as a problem of the version."""
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
    """Return the statuses in `field`, the pod's own list; empty until its node reports any."""
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


def _waits_in_vain(pod: Object, settings: Settings) -> Problem | None:
    for status in [*container_statuses(pod, "initContainerStatuses"), *container_statuses(pod)]:
        waiting = status.get("state", {}).get("waiting") or {}
        message = waiting.get("message") or ""
        if waiting.get("reason") in _IMAGE_PROBLEMS:
            unpulled = f"{status.get('image', 'The image')} cannot be pulled."
            return Problem(_unpulled_reason(pod, settings), plain_text(message or unpulled))
        if waiting.get("reason") == _CONFIG_PROBLEM and not message.startswith(_NOT_YET_KNOWN):
            return Problem(Reason.POD_INCOMPLETE, plain_text(message))
    return None


def _unpulled_reason(pod: Object, settings: Settings) -> Reason:
    # As we wrote it: a node's own spelling of an image, in the status, has a registry and a folder before it.
    containers = pod.get("spec", {}).get("containers") or [{}]
    image: str = containers[0].get("image", "")
    before, _, after = settings.environment_image.partition(ENVIRONMENT)
    is_environment = image.startswith(before) and image.endswith(after)
    is_default = image in settings.runtime_images.values()
    return Reason.ENVIRONMENT_UNAVAILABLE if is_environment and not is_default else Reason.IMAGE_PULL_FAILED


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
