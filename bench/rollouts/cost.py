"""What a rollout that copies every request costs those of callers: within the gateway of one process, a
rollout going on or not in turn. Sending the copies is left out."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modelport_gateway.http.fast_path import FastPath
from modelport_gateway.routing.routes import Endpoint
from modelport_gateway.sampling.rollouts.lanes import Lane
from modelport_process.start import spared
from modelport_store.memory_store import MemoryStore

from tests.support.gateway_harness import KEY, Harness, model_object, running_harness, slice_object
from tests.support.scripted_model import scripted_model

# Short slices, in pairs: whatever the machine does meanwhile hits both of a pair alike.
_SLICE, _AT_ONCE = 1000, 50
_BODY = b'{"input": {"a": 1, "b": 2}}'
_HEADERS = [
    (b"host", b"x"),
    (b"x-api-key", KEY.encode()),
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
]
SHADOW = {
    "id": 1,
    "version": "v2",
    "baseline": "v1",
    "state": "Shadowing",
    "step": "shadow",
    "shadowPercent": 100,
}


@dataclass(frozen=True)
class Cost:
    """µs CPU a request: medians, without a rollout and of the differences within pairs."""

    what: str
    without: float
    added: float

    @property
    def percent(self) -> float:
        return 100 * self.added / self.without


def costs(pairs: int) -> list[Cost]:
    """Of responses from the cache, the cheapest requests, and of others."""
    return [
        asyncio.run(_measured("answered from the cache", pairs, {"cache": {"ttlSeconds": 3600}})),
        asyncio.run(_measured("answered by the model", pairs, {"cache": None})),
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


async def _measured(what: str, pairs: int, spec: dict[str, Any]) -> Cost:
    without: list[float] = []
    added: list[float] = []
    async with _gateway() as (harness, address):
        path = harness.gateway.fast_path
        for number in range(pairs + 1):
            found: dict[bool, float] = {}
            # Which is first changes.
            for is_on in (number % 2 == 0, number % 2 == 1):
                _serve(harness, address, spec, is_on=is_on)
                await harness.settle()
                await _send(path, _AT_ONCE)
                found[is_on] = await _send(path, _SLICE)
            if number:
                without.append(found[False])
                added.append(found[True] - found[False])
    return Cost(what, statistics.median(without), statistics.median(added))


@asynccontextmanager
async def _gateway() -> AsyncIterator[tuple[Harness, str]]:
    with TemporaryDirectory() as folder:
        async with (
            scripted_model(Path(folder) / "model.sock") as model,
            running_harness(MemoryStore(), limit_predict="1000000/second") as harness,
        ):
            harness.control.issue_key()
            copying = harness.gateway._copying

            def forget(lane: Lane, endpoint: Endpoint) -> None:
                copying._lanes.pop(lane)

            copying._begin = forget  # type: ignore[method-assign]
            with spared():
                yield harness, model.address


def _serve(harness: Harness, address: str, spec: dict[str, Any], *, is_on: bool) -> None:
    model = model_object("iris", versions=("v1", "v2"), **spec)
    if is_on:
        model["status"]["rollout"] = SHADOW
    harness.cluster.put("MLModel", model)
    for version in ("v1", "v2"):
        harness.cluster.put("EndpointSlice", slice_object("iris", version, address))


async def _send(path: FastPath, requests: int) -> float:
    """Return the µs CPU a request."""
    begin = time.process_time()
    for _ in range(requests // _AT_ONCE):
        left = _Left(_AT_ONCE)
        for _ in range(_AT_ONCE):
            path.begin(_Exchange(left))  # type: ignore[arg-type]
        await left.none.wait()
    return (time.process_time() - begin) / requests * 1e6
