"""What a failed version printed last: its pods, and their logs, are gone once it is stopped."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modelport_crds.mlmodel import MLModelStatus, VersionStatus
from msgspec.structs import replace

from modelport_operator.core.observed.observe import Observed
from modelport_operator.core.observed.pods import PodFacts
from modelport_operator.core.observed.probe_results import plain_tail
from modelport_operator.core.probes import current_pods

TAIL_LINES = 60
# Every watcher of MLModels gets it, and an object in the cluster must stay well under a megabyte.
_KEPT_BYTES = 4096
# All replicas load the same file: the next one is read only lest the first has nothing.
_MOST_PODS = 3
_TRACE = "trace"


def logs_to_read(
    status: MLModelStatus, observed: Observed, stopping: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """By version, the pods to read before it is stopped. What was kept once is not read again: a pass that
    stops the version again would find a pod that somebody else started."""
    found = {
        version.name: _pods_to_read(version, observed)
        for version in status.versions
        if version.failed and not version.last_log and version.name in stopping
    }
    return {version: pods for version, pods in found.items() if pods}


def with_logs(status: MLModelStatus, logs: Mapping[str, Sequence[str]]) -> MLModelStatus:
    """Keep, of each version's `logs`, the end of the first that is not empty."""
    kept = tuple(
        replace(version, last_log=_first_tail(logs[version.name])) if version.name in logs else version
        for version in status.versions
    )
    return replace(status, versions=kept)


def _pods_to_read(version: VersionStatus, observed: Observed) -> tuple[str, ...]:
    pods = sorted(current_pods(observed.pods_of(version.name), version.template), key=_silence)
    return tuple(pod.name for pod in pods[:_MOST_PODS])


def _silence(pod: PodFacts) -> tuple[bool, bool, str]:
    """First those that ended badly, then those whose load has ended: one that still loads logs least."""
    return pod.problem is None, not pod.started, pod.name


def _first_tail(logs: Sequence[str]) -> str:
    tails = (plain_tail(_unfolded(log), lines=TAIL_LINES, limit_bytes=_KEPT_BYTES) for log in logs)
    return next((tail for tail in tails if tail), "")


def _unfolded(log: str) -> str:
    """The runtime writes a trace into one long line of JSON. Cut as one line it would lose its end, which
    says what happened; so it is written as the lines it is, as `modelport logs` shows it."""
    return "\n".join(each for line in log.splitlines() for each in _lines_of(line))


def _lines_of(line: str) -> list[str]:
    # A model writes into the same log: what it prints may look like anything.
    try:
        return _lines_of_event(json.loads(line)) or [line]
    except (ValueError, RecursionError):
        return [line]


def _lines_of_event(event: Any) -> list[str]:
    """Empty: no event with a trace."""
    if not isinstance(event, dict) or not isinstance(event.get(_TRACE), str):
        return []
    trace = event.pop(_TRACE)
    return [json.dumps(event), *(f"  {each}" for each in trace.splitlines())]
