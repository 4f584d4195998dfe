"""Counts of rollouts, added up until a batch of usage takes them, so that each counts once."""

from collections.abc import Mapping

from modelport_telemetry.usage.wire import EvidenceLine

from modelport_gateway.metrics import EVIDENCE_DROPPED
from modelport_gateway.routing.routes import RolloutRoute

_Key = tuple[str, int, str]
"""Model, rollout, step: the beginning of an `EvidenceLine`."""


class EvidenceCounter:
    """At most `max_lines` different counts wait to be taken; what would need another one is forgotten."""

    def __init__(self, max_lines: int) -> None:
        self._room = max_lines
        self._counts: dict[_Key, dict[str, int]] = {}

    def add(self, model: str, rollout: RolloutRoute, counts: Mapping[str, int]) -> None:
        """Count under the step that the request was answered in."""
        known = self._counts.setdefault((model, rollout.id, rollout.step), {})
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
        return bool(self._counts)
