"""Predicts with NumPy kernels in the server process itself, and compares some with the original's in the
background.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from modelport_runtime import metrics
from modelport_runtime.core.engine import Engine, model_failure
from modelport_runtime.core.signature import CONTRIBUTIONS
from modelport_runtime.core.types import Call, Failure, Prediction
from modelport_runtime.server.batching import Done
from modelport_runtime.server.channel import Channel
from modelport_runtime.wire import Outcome

_INLINE_BYTES = 64 * 1024
"""Bodies that are predicted on the event loop together, at most: few enough rows not to hold it up."""
_CONTRIBUTIONS = CONTRIBUTIONS.encode()


class Accelerated:
    """The kernels, with the original behind them for as long as it is there."""

    ahead_bytes = None

    def __init__(
        self,
        engine: Engine,
        original: Channel,
        *,
        recheck_every: int,
        on_difference: Callable[[], None],
        inline_bytes: int = _INLINE_BYTES,
    ) -> None:
        """recheck_every: requests from one comparison to the next; 0: none is compared. inline_bytes: how
        large a body the kernels allow."""
        self.max_batch_bytes = min(_INLINE_BYTES, inline_bytes)
        self._engine = engine
        self._explains = CONTRIBUTIONS in engine.signature.outputs
        self._original = original
        self._recheck_every = recheck_every
        self._until_recheck = recheck_every
        self._on_difference = on_difference
        self._finish_without_original: Callable[[], None] | None = None

    def predict(self, calls: list[Call], done: Done) -> None:
        if len(calls[0].body) > self.max_batch_bytes or self._may_take_long(calls):
            self._predict_in_thread(calls, done)
            return
        outcomes, seconds = self._predict(calls)
        self._finish(calls, outcomes, seconds, done)

    def _may_take_long(self, calls: list[Call]) -> bool:
        """Contributions are a hundred times a prediction's work."""
        return self._explains and any(_CONTRIBUTIONS in call.body for call in calls)

    def give_up_the_original(self) -> None:
        """Its process has ended: its open calls are predicted without it."""
        if self._finish_without_original is not None:
            finish, self._finish_without_original = self._finish_without_original, None
            finish()

    def _predict_in_thread(self, calls: list[Call], done: Done) -> None:
        loop = asyncio.get_running_loop()

        def work() -> None:
            outcomes, seconds = self._predict(calls)
            loop.call_soon_threadsafe(self._finish, calls, outcomes, seconds, done)

        # A daemon: a huge request must not hold up the end of the process.
        threading.Thread(target=work, name="kernels", daemon=True).start()

    def _predict(self, calls: list[Call]) -> tuple[Sequence[Outcome], float]:
        started = time.perf_counter()
        try:
            outcomes: Sequence[Outcome] = self._engine.predict_many(calls)
        except Exception as error:  # noqa: BLE001  # the plan is untrusted: whatever comes of it is a response
            outcomes = [model_failure(error)] * len(calls)
        return outcomes, time.perf_counter() - started

    def _finish(self, calls: list[Call], outcomes: Sequence[Outcome], seconds: float, done: Done) -> None:
        raised = [place for place, outcome in enumerate(outcomes) if _is_of_the_model(outcome)]
        if raised and self._original.is_open:
            self._call_the_original(calls, list(outcomes), raised, done)
            return
        done(outcomes, seconds)
        if self._recheck_every:
            self._count(calls, outcomes)

    def _call_the_original(
        self, calls: list[Call], outcomes: list[Outcome], places: list[int], done: Done
    ) -> None:
        """What a model raises is reported in its own words."""

        def fill_in(originals: Sequence[Outcome], seconds: float) -> None:
            self._finish_without_original = None
            for place, outcome in zip(places, originals, strict=True):
                outcomes[place] = outcome
            done(outcomes, seconds)

        self._finish_without_original = partial(done, outcomes, 0.0)
        self._original.predict([calls[place] for place in places], fill_in)

    def _count(self, calls: list[Call], outcomes: Sequence[Outcome]) -> None:
        self._until_recheck -= len(calls)
        if self._until_recheck <= 0:
            self._until_recheck = self._recheck_every
            self._recheck(calls[-1], outcomes[-1])

    def _recheck(self, call: Call, outcome: Outcome) -> None:
        if not isinstance(outcome, Prediction):
            return
        if self._original.recheck(call, outcome, self._compared):
            metrics.RECHECKS.inc()
        else:
            metrics.RECHECKS_SKIPPED.inc()

    def _compared(self, difference: float | None) -> None:
        if difference is None:
            self._on_difference()


def _is_of_the_model(outcome: Outcome) -> bool:
    return isinstance(outcome, Failure) and outcome.reason == "ModelError"
