"""Why a Job has not made the bundle of a lock, as far as it and its pods report it."""

from collections.abc import Sequence

from modelport_crds.endings import ending_words
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.observed.pod_reasons import container_statuses, read_refusal_text, read_wait
from modelport_operator.core.observed.probe_results import plain_text
from modelport_operator.core.problems import Problem
from modelport_operator.settings import Settings

_EVICTED = "Evicted"


def read_job(job: Object, pods: Sequence[Object], settings: Settings) -> Problem | None:
    """Why the Job has not made the bundle so far, by its own last words; None: it is at work."""
    newest_first = sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True)
    found = (problem for pod in newest_first if (problem := _read_pod(pod, settings)))
    return next(found, _read_conditions(job))


def _read_pod(pod: Object, settings: Settings) -> Problem | None:
    if pod.get("status", {}).get("reason") == _EVICTED:
        return _unavailable(pod["status"].get("message", "The node has evicted the Job."))
    for status in container_statuses(pod):
        ended = status.get("state", {}).get("terminated")
        if ended and ended.get("exitCode", 0) != 0:
            return _unavailable(_last_line(ended) or f"The Job that makes it {ending_words(ended)}.")
    return read_wait(pod, settings)


def _read_conditions(job: Object) -> Problem | None:
    for condition in job.get("status", {}).get("conditions") or ():
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            return _unavailable(condition.get("message", "The Job that makes it has failed."))
    return None


def refused_job(message: str) -> Problem:
    """Return the problem of a Job that the cluster does not take."""
    return _unavailable(read_refusal_text(message).message)


def _last_line(ended: Object) -> str:
    lines = [line for line in (ended.get("message") or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _unavailable(message: str) -> Problem:
    words = plain_text(message)
    return Problem(Reason.ENVIRONMENT_UNAVAILABLE, f"{words.rstrip('.')}. It is tried again.")
