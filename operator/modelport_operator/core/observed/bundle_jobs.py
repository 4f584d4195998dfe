"""Why a Job has not made the bundle of a lock, as far as it and its pods report it."""

from collections.abc import Sequence

from modelport_crds.endings import ending_words
from modelport_crds.reasons import Reason
from modelport_kube.kube import Object

from modelport_operator.core.observed.pod_reasons import container_statuses, read_refusal_text, read_wait
from modelport_operator.core.observed.probe_results import plain_text
from modelport_operator.core.problems import ONCE, Problem
from modelport_operator.core.specs.bundle_job import REFUSED
from modelport_operator.settings import Settings

_EVICTED = "Evicted"
_OUT_OF_MEMORY = "OOMKilled"


def read_job(job: Object, pods: Sequence[Object], settings: Settings) -> Problem | None:
    """Why the Job has not made the bundle so far, by its own last words; None: it is at work."""
    failed = _failed(job)
    newest_first = sorted(pods, key=lambda pod: pod["metadata"].get("creationTimestamp", ""), reverse=True)
    found = (problem for pod in newest_first if (problem := _read_pod(pod, settings, given_up=bool(failed))))
    return next(found, _unavailable(failed) if failed else None)


def _failed(job: Object) -> str:
    """Return why the cluster has given the Job up; empty: it has not."""
    for condition in job.get("status", {}).get("conditions") or ():
        if condition.get("type") == "Failed" and condition.get("status") == "True":
            return str(condition.get("message") or "The Job that makes it has failed.")
    return ""


def _read_pod(pod: Object, settings: Settings, *, given_up: bool) -> Problem | None:
    if pod.get("status", {}).get("reason") == _EVICTED:
        # Time and again: for the room that these packages take.
        message = pod["status"].get("message", "The node has evicted the Job.")
        return _unavailable(message, final=given_up)
    for status in container_statuses(pod):
        ended = status.get("state", {}).get("terminated")
        if ended and ended.get("exitCode", 0) != 0:
            words = _last_line(ended) or f"The Job that makes it {ending_words(ended)}."
            return _unavailable(words, final=_is_final(ended, given_up=given_up))
    return read_wait(pod, settings)


def _is_final(ended: Object, *, given_up: bool) -> bool:
    """Who did not respond may do so later; what the packages themselves are is the same at each try."""
    return ended.get("exitCode") == REFUSED or (given_up and ended.get("reason") == _OUT_OF_MEMORY)


def refused_job(message: str) -> Problem:
    """Return the problem of a Job that the cluster does not take."""
    return _unavailable(read_refusal_text(message).message)


def _last_line(ended: Object) -> str:
    lines = [line for line in (ended.get("message") or "").splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _unavailable(message: str, *, final: bool = False) -> Problem:
    words = f"{plain_text(message).rstrip('.')}."
    if final:
        ended = "It is not tried again by itself: in a minute `modelport retry MODEL` does so."
        return Problem(Reason.ENVIRONMENT_UNAVAILABLE, f"{words} {ended}", ONCE)
    return Problem(Reason.ENVIRONMENT_UNAVAILABLE, f"{words} It is tried again.")
