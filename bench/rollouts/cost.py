"""What a rollout that copies every request costs those of callers: the CPU of a gateway process while wrk
calls a model with a rollout and one without, in turn. The candidate takes one copy and never answers: what
sending copies costs is not in it."""

import socket
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.load import prepared
from bench.load.cost import microseconds_a_request
from bench.load.prepared import FIRST, Numbers, Prepared
from bench.servers import starting
from bench.servers.starting import Server
from tests.support.gateway_harness import SIGNATURE

PLAIN, COPIED = "plain", "copied"
CONNECTIONS = 100
_SLICE_SECONDS = 1.0
_SHADOW = {
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


def routes(baseline: str, candidate: str) -> list[dict[str, Any]]:
    """Of two models that differ in that one has a rollout, for `starting.gateway`."""
    plain = {"name": PLAIN, "address": baseline, "signature": SIGNATURE}
    return [plain, {**plain, "name": COPIED, "rollout": _SHADOW, "candidate": candidate}]


def costs(folder: Path, redis: str, baseline: str, pairs: int) -> list[Cost]:
    """Of responses from the cache, the cheapest requests, and of others."""
    with _silent() as candidate, starting.gateway(folder, redis, routes(baseline, candidate)) as server:
        numbers = Numbers()
        asked = {name: _post(folder, name) for name in (PLAIN, COPIED)}
        same = {name: prepared.same(folder, f"{name}-same", asked[name]) for name in asked}
        return [
            _measured("answered from the cache", server, same, numbers, pairs),
            _measured("answered by the model", server, asked, numbers, pairs),
        ]


@contextmanager
def _silent() -> Iterator[str]:
    """Give the address of somebody who listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def _post(folder: Path, model: str) -> Prepared:
    body = ({"input": {"a": FIRST, "b": 2}}, 1.0)
    return prepared.post(folder, model, f"/predict/{model}", [body], {"X-API-Key": starting.KEY})


def _measured(what: str, server: Server, asked: dict[str, Prepared], numbers: Numbers, pairs: int) -> Cost:
    cost = partial(microseconds_a_request, numbers=numbers, connections=CONNECTIONS, seconds=_SLICE_SECONDS)
    without: list[float] = []
    added: list[float] = []
    for number in range(pairs + 1):
        # Which is first changes.
        found = {name: cost(server, asked[name]) for name in sorted(asked, reverse=number % 2 == 0)}
        if number:
            without.append(found[PLAIN])
            added.append(found[COPIED] - found[PLAIN])
    return Cost(what, statistics.median(without), statistics.median(added))
