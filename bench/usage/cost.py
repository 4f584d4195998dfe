"""What counting costs a request: cached responses by the fast path of one process, counted or not in turn."""

import asyncio
import statistics
import time
from pathlib import Path

from modelport_gateway.http.fast_path import FastPath
from modelport_gateway.outcome import Outcome, PredictionResponse
from modelport_gateway.usage.counter import UsageCounter
from modelport_store.memory_store import MemoryStore
from modelport_telemetry.usage import wire
from modelport_telemetry.usage.wire import UsageBatch

from bench.models.model import Model
from bench.predictions.measuring import Measuring
from tests.support.gateway_harness import KEY, running_harness
from tests.support.scripted_model import scripted_model

# Short slices, in pairs: whatever the machine does meanwhile hits both of a pair alike.
_SLICE, _PAIRS, _AT_ONCE = 1000, 300, 50
COUNTING = "counting usage, µs CPU a request"
_BODY = b'{"input": {"a": 1, "b": 2}}'
_HEADERS = [
    (b"host", b"x"),
    (b"x-api-key", KEY.encode()),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
]


class _Exchange:
    """All that the fast path needs of one: no connection, so that nothing but the gateway is measured."""

    target, headers, body, client, scheme = b"/predict/iris", _HEADERS, _BODY, ("127.0.0.1", 1), "http"
    on_cancel = None

    def __init__(self, left: "_Left") -> None:
        self._left = left

    def respond(self, head: bytes, body: bytes) -> None:
        if b" 200 OK" not in head:
            raise RuntimeError(f"answered {head!r}")
        self._left.one_less()


class _Left:
    def __init__(self, requests: int) -> None:
        self._requests = requests
        self.none = asyncio.Event()

    def one_less(self) -> None:
        self._requests -= 1
        if not self._requests:
            self.none.set()


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
        await _send(path, _SLICE)
        for number in range(pairs):
            # Which is first changes.
            for name in sorted(counters, reverse=number % 2 == 0):
                handler._usage = counters[name]  # type: ignore[assignment]
                found[name].append(await _send(path, _SLICE))
        handler._usage = counters["on"]  # type: ignore[assignment]
    differences = [on - off for on, off in zip(found["on"], found["off"], strict=True)]
    median = statistics.median
    return median(found["on"]), median(found["off"]), median(differences)


async def _send(path: FastPath, requests: int) -> float:
    """Return the µs CPU a request."""
    begin = time.process_time()
    for _ in range(requests // _AT_ONCE):
        left = _Left(_AT_ONCE)
        for _ in range(_AT_ONCE):
            path.begin(_Exchange(left))  # type: ignore[arg-type]
        await left.none.wait()
    return (time.process_time() - begin) / requests * 1e6


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
