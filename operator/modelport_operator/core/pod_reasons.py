"""Why a version's pods are as they are, read from what the cluster says of them."""

import json
import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from modelport_crds.reasons import EXPLANATIONS, Reason

from modelport_operator.core.naming import Object

_FETCH_REASONS = {Reason.DIGEST_MISMATCH, Reason.ARTIFACT_NOT_FOUND, Reason.TOO_LARGE}
_IMAGE_TROUBLE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
# Twice may be bad luck (a node under pressure); a third time it would only cost.
_CRASHES_BEFORE_FINAL = 2
# What a container runtime adds to the number of the signal that ended a process.
_SIGNAL_EXIT_BASE = 128


@dataclass(frozen=True)
class Finding:
    """`final`: trying the same template again will not help (only said of a version that never answered)."""

    reason: Reason
    message: str
    final: bool = False


def find_trouble(pods: Iterable[Object]) -> Finding | None:
    """The weightiest finding of all pods: final ones first."""
    findings = [finding for pod in pods for finding in _pod_findings(pod)]
    return min(findings, key=lambda finding: not finding.final, default=None)


def _pod_findings(pod: Object) -> Iterator[Finding]:
    status = pod.get("status", {})
    yield from _scheduling(status)
    for container in status.get("initContainerStatuses", []):
        yield from _image(container)
        yield from _fetching(container)
    for container in status.get("containerStatuses", []):
        yield from _image(container)
        yield from _ending(container)


def _scheduling(status: Object) -> Iterator[Finding]:
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("reason") == "Unschedulable":
            yield _finding(Reason.UNSCHEDULABLE, condition.get("message", ""))


def _image(container: Object) -> Iterator[Finding]:
    waiting = container.get("state", {}).get("waiting", {})
    if waiting.get("reason") in _IMAGE_TROUBLE:
        yield _finding(
            Reason.IMAGE_PULL_FAILED, f"{container.get('image', '')}: {waiting.get('message', '')}"
        )


def _fetching(container: Object) -> Iterator[Finding]:
    ended = _last_ending(container)
    if ended is None or ended.get("exitCode") == 0:
        return
    said = _last_json_line(ended.get("message", ""))
    reason, message = said.get("reason"), str(said.get("message", ""))[:1000]
    if reason in _FETCH_REASONS:
        yield _finding(Reason(reason), message, final=True)
    else:
        yield _finding(Reason.PROGRESSING, f"The artifact cannot be fetched yet: {message or 'no word why'}")


def _ending(container: Object) -> Iterator[Finding]:
    ended = _last_ending(container)
    if ended is None:
        return
    crashes = container.get("restartCount", 0) + ("terminated" in container.get("state", {}))
    reason, message = _reason_of_exit(ended)
    if reason is not None:
        final = reason is Reason.LOAD_TIMEOUT or crashes >= _CRASHES_BEFORE_FINAL
        yield _finding(reason, message, final=final)


def _reason_of_exit(ended: Object) -> tuple[Reason | None, str]:
    number = ended.get("signal") or max(ended.get("exitCode", 0) - _SIGNAL_EXIT_BASE, 0)
    if number == signal.SIGALRM or ended.get("reason") == "StartupProbeFailed":
        return Reason.LOAD_TIMEOUT, "Loading took longer than the limit."
    if ended.get("reason") == "OOMKilled":
        return Reason.OUT_OF_MEMORY, "The process was killed for the memory it used."
    if number:
        return Reason.RUNTIME_CRASHED, f"The process was ended by {_signal_name(number)}."
    return Reason.RUNTIME_CRASHED, f"The process ended with exit code {ended.get('exitCode', 0)}."


def _last_ending(container: Object) -> Object | None:
    for state in (container.get("state", {}), container.get("lastState", {})):
        if "terminated" in state:
            ended: Object = state["terminated"]
            return ended
    return None


def _last_json_line(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    try:
        said = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _finding(reason: Reason, what: str, *, final: bool = False) -> Finding:
    return Finding(reason, f"{what} {EXPLANATIONS[reason].cure}".strip(), final)
