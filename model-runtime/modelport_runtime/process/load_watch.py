"""The limit on loading, held from outside: nothing that a model does to its own process lifts it."""

import asyncio
import signal

from modelport_runtime.process.starvation import Schedule
from modelport_runtime.process.supervision import Child

_LEAST_PAUSE_SECONDS = 0.1
_AFTER_THE_ALARM_SECONDS = 1.0


class LoadWatch:
    """`begin`, and `end` once the model has loaded. Time in which others had its processor does not count.

    It ends as by an alarm of its own; how long that may take at most is the alarm's to say (`deadline`).
    """

    def __init__(self, child: Child, schedule: Schedule, seconds: float) -> None:
        self.is_over = False
        """The child was ended for it."""
        self._child = child
        self._schedule = schedule
        self._seconds = seconds
        self._began = self._had_waited = 0.0
        self._due: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        loop = asyncio.get_running_loop()
        self._began, self._had_waited = loop.time(), self._schedule.waited()
        self._due = loop.call_later(self._seconds, self._look)

    def end(self) -> None:
        if self._due is not None:
            self._due.cancel()
        self._schedule.close()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        passed = loop.time() - self._began
        left = self._seconds - passed + self._schedule.waited() - self._had_waited
        if left > 0 and self._child.status is None:
            self._due = loop.call_later(max(left, _LEAST_PAUSE_SECONDS), self._look)
            return
        self.is_over = self._child.status is None
        self._child.kill(signal.SIGALRM)
        # A model can have itself spared that one.
        self._due = loop.call_later(_AFTER_THE_ALARM_SECONDS, self._child.kill)
