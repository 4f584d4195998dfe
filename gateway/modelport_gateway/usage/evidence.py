"""Counts of rollouts, added up until a batch of usage takes them, so that each counts once."""

from collections.abc import Mapping

from modelport_telemetry.usage.wire import EvidenceLine

from modelport_gateway.metrics import EVIDENCE_DROPPED
from modelport_gateway.routing.routes import RolloutRoute

_Key = tuple[str, int, str, str]
"""Model, rollout, step, counter: `EvidenceLine`'s order."""


class EvidenceCounter:
    """At most `max_lines` different counts wait to be taken; what would need another one is forgotten."""

    def __init__(self, max_lines: int) -> None:
        self._max_lines = max_lines
        self._counts: dict[_Key, int] = {}

    def add(self, model: str, rollout: RolloutRoute, counts: Mapping[str, int]) -> None:
        """Count under the step that the request was answered in."""
        for counter, count in counts.items():
            key = (model, rollout.id, rollout.step, counter)
            if key not in self._counts and len(self._counts) >= self._max_lines:
                EVIDENCE_DROPPED.inc(count)
            else:
                self._counts[key] = self._counts.get(key, 0) + count

    def take(self, max_lines: int) -> list[EvidenceLine]:
        """Return and forget up to `max_lines` counts, the oldest first."""
        taken = list(self._counts)[:max_lines]
        return [EvidenceLine(*key, self._counts.pop(key)) for key in taken]

    def is_waiting(self) -> bool:
        return bool(self._counts)
