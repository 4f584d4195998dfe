"""What counting costs a request: cached responses by the fast path of one process, counted or not in turn."""

import asyncio
import statistics
import time
from pathlib import Path

from modelport_gateway.outcome import Outcome, PredictionResponse
from modelport_gateway.usage.counter import UsageCounter
from modelport_store.memory_store import MemoryStore
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.wire import UsageBatch

from bench.load.in_process import microseconds
from bench.models.model import Model
from bench.predictions.measuring import Measuring
from tests.support.gateway_harness import running_harness
from tests.support.scripted_model import scripted_model

_PAIRS = 300
COUNTING = "counting usage, µs CPU a request"


class _Uncounted:
    def count(self, outcome: Outcome, seconds: float, *, ended: float) -> None:
        return


def usage(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """Facts: µs a request on and off, and what a second's report costs."""
    on, off, added = asyncio.run(_measure(folder, _PAIRS * measuring.timings.slices // 3))
    cost: dict[str, float] = {
        "a cached response within the gateway, usage counted, µs CPU": on,
        "the same, not counted, µs CPU": off,
        COUNTING: added,
        "a second's report (1,000 requests in 100 lines), µs CPU": _report(),
    }
    measuring.facts["usage"] = {**cost}
    for name, value in cost.items():
        print(f"{name}: {value:.2f}", flush=True)


async def _measure(folder: Path, pairs: int) -> tuple[float, float, float]:
    """Medians, in µs a request: with counting, without, and of the differences within pairs."""
    socket = folder / "model.sock"
    async with (
        scripted_model(socket) as model,
        running_harness(MemoryStore(), limit_predict="1000000/second") as harness,
    ):
        harness.control.issue_key()
        harness.serve("iris", model.address, cache={"ttlSeconds": 3600})
        await harness.settle()
        path = harness.gateway.fast_path
        handler = path._handler
        counters = {"on": handler._usage, "off": _Uncounted()}
        found: dict[str, list[float]] = {name: [] for name in counters}
        await microseconds(path)
        for number in range(pairs):
            # Which is first changes.
            for name in sorted(counters, reverse=number % 2 == 0):
                handler._usage = counters[name]  # type: ignore[assignment]
                found[name].append(await microseconds(path))
        handler._usage = counters["on"]  # type: ignore[assignment]
    differences = [on - off for on, off in zip(found["on"], found["off"], strict=True)]
    median = statistics.median
    return median(found["on"]), median(found["off"]), median(differences)


def _report() -> float:
    """Of lines with a thousand requests together: their latencies are folded, and the batch is packed."""
    counter, rounds, spent = UsageCounter(10_000), 200, 0.0
    for _ in range(rounds):
        for number in range(1000):
            counter.count(_outcome(number % 100), 0.0001 * 1.01 ** (number // 100), ended=0.0)
        begin = time.process_time()
        wire.encode(UsageBatch("id", "gateway", counter.take(1000)[0]))
        spent += time.process_time() - begin
    return spent / rounds * 1e6


def _outcome(status: int) -> Outcome:
    return Outcome(PredictionResponse(b"", "v1"), status, cache="hit")
