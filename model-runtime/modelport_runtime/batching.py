"""Requests that arrive while the model is busy form the next batch: an idle model adds no waiting."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelport_runtime import metrics
from modelport_runtime.core.engine import Engine, model_failure
from modelport_runtime.core.types import Answer, Call, Failure

log = logging.getLogger(__name__)


class QueueFull(Exception):
    """As many requests wait for the model as may."""


@dataclass(frozen=True)
class Result:
    """`seconds` is how long the batch took in which this call was answered."""

    outcome: Answer | Failure
    seconds: float


@dataclass(frozen=True)
class _Waiting:
    call: Call
    future: asyncio.Future[Result]


@dataclass(frozen=True)
class _Batch:
    began: float
    calls: list[_Waiting]


class Worker:
    """The one thread that touches the model: it loads it, then answers batches until the process ends."""

    def __init__(
        self, load: Callable[[], Engine | None], *, max_queue: int, max_batch: int, stuck_after: float
    ) -> None:
        """stuck_after: seconds of work that nobody waits for, see `is_stuck`."""
        self._load = load
        self._max_queue = max_queue
        self._max_batch = max_batch
        self._stuck_after = stuck_after
        self._at_work: _Batch | None = None
        self._queue: deque[_Waiting] = deque()
        self._arrived = threading.Semaphore(0)

    def start(self) -> None:
        # A daemon: a model that never returns must not hold up the end of the process.
        threading.Thread(target=self._run, name="model", daemon=True).start()

    def submit(self, call: Call) -> asyncio.Future[Result]:
        """Queue a call, from the event loop; cancel the future to give up. Raises `QueueFull`."""
        if len(self._queue) >= self._max_queue:
            metrics.REFUSED.inc()
            raise QueueFull
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(call, future))
        metrics.WAITING.set(len(self._queue))
        self._arrived.release()
        return future

    def is_stuck(self) -> bool:
        """Say whether the model works on without an end, with nobody left who waits. From the event loop."""
        batch = self._at_work
        return (
            batch is not None
            and time.monotonic() - batch.began > self._stuck_after
            and all(waiting.future.done() for waiting in batch.calls)
        )

    def _run(self) -> None:
        engine = self._load()
        if engine is None:
            return
        while True:
            self._arrived.acquire()
            batch = self._take()
            if batch:
                self._answer(engine, batch)

    def _take(self) -> list[_Waiting]:
        """Take what waits, but for requests whose callers have gone."""
        batch: list[_Waiting] = []
        while self._queue and len(batch) < self._max_batch:
            waiting = self._queue.popleft()
            if not waiting.future.cancelled():
                batch.append(waiting)
        metrics.WAITING.set(len(self._queue))
        return batch

    def _answer(self, engine: Engine, batch: list[_Waiting]) -> None:
        self._at_work = _Batch(time.monotonic(), batch)
        metrics.BATCH_CALLS.observe(len(batch))
        started = time.perf_counter()
        outcomes = _predict(engine, [waiting.call for waiting in batch])
        self._at_work = None
        seconds = time.perf_counter() - started
        metrics.MODEL_SECONDS.observe(seconds)
        batch[0].future.get_loop().call_soon_threadsafe(_resolve, batch, outcomes, seconds)


def _predict(engine: Engine, calls: Sequence[Call]) -> Sequence[Answer | Failure]:
    try:
        return engine.predict_many(calls)
    except BaseException as error:  # noqa: BLE001  # nothing that a model raises must end the worker
        return [model_failure(error)] * len(calls)


def _resolve(batch: list[_Waiting], outcomes: Sequence[Answer | Failure], seconds: float) -> None:
    for waiting, outcome in zip(batch, outcomes, strict=True):
        if not waiting.future.done():
            waiting.future.set_result(Result(outcome, seconds))
