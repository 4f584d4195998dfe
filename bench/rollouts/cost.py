"""What a rollout that copies every request costs those of callers: within the gateway of one process, a
rollout going on or not in turn. Sending the copies is left out."""

import asyncio
import statistics
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from modelport_gateway.routing.routes import Endpoint
from modelport_gateway.sampling.rollouts.lanes import Lane
from modelport_process.start import spared
from modelport_store.memory_store import MemoryStore

from bench.load.in_process import AT_ONCE, microseconds
from tests.support.gateway_harness import Harness, model_object, running_harness, slice_object
from tests.support.scripted_model import scripted_model

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
                await microseconds(path, AT_ONCE)
                found[is_on] = await microseconds(path)
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
