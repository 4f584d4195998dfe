"""Predictions of models with feedback, until a batch of usage takes them, so that each is kept once."""

from collections import deque
from itertools import islice

from modelport_telemetry.usage.wire import ObservedPrediction

from modelport_gateway.metrics import OBSERVED_DROPPED


class ObservedPredictions:
    """At most `max_rows` wait to be taken; what comes then is dropped, and counted."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._waiting: deque[ObservedPrediction] = deque()

    def add(self, rows: list[ObservedPrediction]) -> None:
        room = max(0, self._max_rows - len(self._waiting))
        self._waiting.extend(rows[:room])
        OBSERVED_DROPPED.inc(max(0, len(rows) - room))

    def take(self, max_rows: int) -> list[ObservedPrediction]:
        """Return and forget the oldest."""
        taken = list(islice(self._waiting, max_rows))
        for _ in taken:
            self._waiting.popleft()
        return taken

    def is_waiting(self) -> bool:
        return bool(self._waiting)
