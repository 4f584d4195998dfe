"""Counts of rollouts, added up until a batch of usage takes them, so that each counts once."""

from collections.abc import Mapping

from modelport_evidence import counters
from modelport_evidence.counters import BASELINE, CANDIDATE
from modelport_telemetry.usage.wire import EvidenceLine

from modelport_gateway.metrics import EVIDENCE_DROPPED
from modelport_gateway.routing.routes import RolloutRoute
from modelport_gateway.usage.counter import add_latencies

_Key = tuple[str, int, str]
"""Model, rollout, step: the beginning of an `EvidenceLine`."""
_OfStatus = dict[int, list[float]]
"""Requests by status: how long the model took for each; 0: it was not called, or did not answer."""


class EvidenceCounter:
    """At most `max_lines` different counts wait to be taken; what would need another one is forgotten."""

    def __init__(self, max_lines: int) -> None:
        self._room = max_lines
        self._counts: dict[_Key, dict[str, int]] = {}
        self._noted: dict[RolloutRoute, tuple[_OfStatus, _OfStatus]] = {}
        """Of baseline and candidate, since the last `fold`."""

    def note(self, rollout: RolloutRoute, is_candidate: bool, status: int, model_seconds: float) -> None:
        """Count a caller's request, and how long the model took; 0: it was not called, or did not answer.

        On the hot path: it is added up later.
        """
        noted = self._noted.get(rollout)
        if noted is None:
            noted = self._noted[rollout] = ({}, {})
        of_status = noted[is_candidate]
        if status in of_status:
            of_status[status].append(model_seconds)
        else:
            of_status[status] = [model_seconds]

    def fold(self) -> None:
        """Add up what was noted. To be called about once a second: until then each request takes memory."""
        noted, self._noted = self._noted, {}
        for rollout, of_sides in noted.items():
            for side, of_status in zip((BASELINE, CANDIDATE), of_sides, strict=True):
                for status, latencies in of_status.items():
                    self.add(rollout, _live(side, status, len(latencies)))
                    self.add(rollout, _in_buckets(side, [each for each in latencies if each]))

    def add(self, rollout: RolloutRoute, counts: Mapping[str, int]) -> None:
        """Count under the step that the request was answered in."""
        known = self._counts.setdefault((rollout.model, rollout.id, rollout.step), {})
        for counter, count in counts.items():
            if counter in known:
                known[counter] += count
            elif self._room:
                self._room -= 1
                known[counter] = count
            else:
                EVIDENCE_DROPPED.inc(count)

    def take(self, max_lines: int) -> list[EvidenceLine]:
        """Return and forget the oldest counts: those of whole steps, since rows without their disagreements
        would mislead. More than `max_lines` only of a single step."""
        self.fold()
        taken: list[EvidenceLine] = []
        while self._counts:
            key, counts = next(iter(self._counts.items()))
            if taken and len(taken) + len(counts) > max_lines:
                break
            del self._counts[key]
            self._room += len(counts)
            taken += [EvidenceLine(*key, counter, count) for counter, count in counts.items()]
        return taken

    def is_waiting(self) -> bool:
        return bool(self._counts or self._noted)


def _live(side: str, status: int, requests: int) -> dict[str, int]:
    counts = {counters.live_requests(side): requests}
    if status >= 500:
        counts[counters.live_errors(side)] = requests
    elif status >= 400:
        counts[counters.live_refusals(side)] = requests
    return counts


def _in_buckets(side: str, latencies: list[float]) -> dict[str, int]:
    buckets: dict[int, int] = {}
    add_latencies(buckets, latencies)
    return {counters.live_latency(side, bucket): count for bucket, count in buckets.items()}
