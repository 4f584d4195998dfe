"""Requests that arrive while the model is busy form the next batch: an idle model adds no waiting.

A large request that waits is sent on before the model is free: the way to it takes as long as many a model.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from modelport_runtime import metrics
from modelport_runtime.core.types import Call
from modelport_runtime.wire import Outcome

log = logging.getLogger(__name__)

_MAX_AHEAD_BYTES = 4 * 1024**2
"""Of a batch that is sent ahead: it is held twice until the model takes it."""

Done = Callable[[Sequence[Outcome], float], None]


class QueueFull(Exception):
    """As many requests wait for the model as may."""


class Model(Protocol):
    """What predicts batches, in their order: at once or later."""

    @property
    def max_batch_bytes(self) -> int:
        """Bodies that go together; a larger one goes alone."""

    @property
    def ahead_bytes(self) -> int | None:
        """From this size on a body may be sent while the model is at another. None: none is."""

    def predict(self, calls: list[Call], done: Done) -> None:
        """Call `done` on the event loop, with an outcome for each call in its place. Must not raise."""


class Waiting(Protocol):
    """One call in the queue."""

    @property
    def call(self) -> Call: ...

    @property
    def gone(self) -> bool:
        """Whether its caller has left: a call that waits is then dropped."""

    def end(self, outcome: Outcome, seconds: float) -> None:
        """Take what became of the call, and how many seconds its batch took."""


class Batcher:
    """The queue before the model. Everything of it runs on the event loop."""

    def __init__(self, *, max_queue: int, max_batch: int, stuck_after: float) -> None:
        """stuck_after: seconds of work that nobody waits for, see `is_stuck`."""
        self._max_queue = max_queue
        self._max_batch = max_batch
        self._stuck_after = stuck_after
        self._model: Model | None = None
        self._queue: deque[Waiting] = deque()
        self._at_work: deque[list[Waiting]] = deque()
        """What the model is at, and what was sent ahead."""
        self._began = 0.0
        self._flush_is_due = False

    def use(self, model: Model) -> None:
        """Let `model` predict from the next batch on."""
        self._model = model

    def submit(self, waiting: Waiting) -> None:
        """Queue a call; what arrives in one turn of the event loop goes together. Raises `QueueFull`."""
        if len(self._queue) >= self._max_queue:
            metrics.REFUSED.inc()
            raise QueueFull
        self._queue.append(waiting)
        if self._may_send():
            self._flush_soon()

    def waiting(self) -> int:
        return len(self._queue)

    def is_stuck(self) -> bool:
        """Return whether the model works on without an end, with nobody left who waits."""
        return (
            bool(self._at_work)
            and time.monotonic() - self._began > self._stuck_after
            and all(waiting.gone for waiting in self._at_work[0])
        )

    def _may_send(self) -> bool:
        if not self._at_work:
            return True
        size = None if self._model is None else self._model.ahead_bytes
        return (
            len(self._at_work) == 1
            and size is not None
            and bool(self._queue)
            and len(self._queue[0].call.body) >= size
        )

    def _flush_soon(self) -> None:
        if not self._flush_is_due:
            self._flush_is_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._model is None or not self._may_send():
            return
        most = self._model.max_batch_bytes
        batch = self._take(min(most, _MAX_AHEAD_BYTES) if self._at_work else most)
        if batch:
            if not self._at_work:
                self._began = time.monotonic()
            self._at_work.append(batch)
            metrics.BATCH_CALLS.observe(len(batch))
            self._model.predict([waiting.call for waiting in batch], partial(self._finish, batch))

    def _take(self, max_bytes: int) -> list[Waiting]:
        """Take what waits, but for requests whose callers have gone."""
        batch: list[Waiting] = []
        size = 0
        queue = self._queue
        while queue and len(batch) < self._max_batch:
            size += len(queue[0].call.body)
            if batch and size > max_bytes:
                break
            waiting = queue.popleft()
            if not waiting.gone:
                batch.append(waiting)
        return batch

    def _finish(self, batch: list[Waiting], outcomes: Sequence[Outcome], seconds: float) -> None:
        self._at_work.remove(batch)
        self._began = time.monotonic()
        metrics.MODEL_SECONDS.observe(seconds)
        if self._queue:
            self._flush_soon()
        for waiting, outcome in zip(batch, outcomes, strict=True):
            if not waiting.gone:
                _end(waiting, outcome, seconds)


def _end(waiting: Waiting, outcome: Outcome, seconds: float) -> None:
    try:
        waiting.end(outcome, seconds)
    except Exception:
        # One caller's response must not take the others' along.
        log.exception("unhandled")
