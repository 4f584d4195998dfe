"""CPU of a gateway process for each request, this checkout's and another one's, in turn. Rewrites
bench/hot-path.md."""

import argparse
import statistics
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.load import prepared, wrk
from bench.load.cost import microseconds_a_request
from bench.load.prepared import FIRST, Numbers
from bench.servers import starting
from bench.servers.starting import ROOT, Server
from tests.support.gateway_harness import SIGNATURE

_PAGE = Path(__file__).parents[1] / "hot-path.md"
_SECONDS = 1.0
_ROW = {"a": FIRST, "b": 2}
_ROWS = [_ROW, *({"a": number, "b": 2} for number in range(31))]
_KEY = {"X-API-Key": starting.KEY}
_NO_STORE = {**_KEY, "Cache-Control": "no-store"}
_HEAD = """# The hot path: what a request costs the gateway

The gateway alone on one core, with a real Redis and a model that says a constant on another.
API key, rate limit and cache are as ever.
Slices of a second of this tree and of the one before, in turn.
The figures are µs of CPU a request, the medians of both, and the median ratio of the pairs.
`make bench-hot-path BEFORE=<another checkout>` rewrites this.
Others may use the machine meanwhile: the ratios count, not the figures.

| request | connections | before | now | times as cheap |
|---|---:|---:|---:|---:|
"""


@dataclass(frozen=True)
class Case:
    """`is_same`: the same request each time, which the cache answers."""

    what: str
    body: Any
    headers: Mapping[str, str]
    is_same: bool = False
    connections: int = 100


CASES = (
    Case("hit", {"input": _ROW}, _KEY, is_same=True),
    Case("hit", {"input": _ROW}, _KEY, is_same=True, connections=1),
    Case("hit, `inputs` of one row by position", {"inputs": [[FIRST, 2]]}, _KEY, is_same=True),
    Case("hit, 32 rows by name", {"inputs": _ROWS}, _KEY, is_same=True),
    Case("miss", {"input": _ROW}, _KEY),
    Case("miss", {"input": _ROW}, _KEY, connections=1),
    Case("`no-store`", {"input": _ROW}, _NO_STORE),
    Case("`no-store`, `inputs` of one row by position", {"inputs": [[FIRST, 2]]}, _NO_STORE),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, help="another checkout of this repository")
    parser.add_argument("--pairs", type=int, default=15)
    asked = parser.parse_args()
    wrk.require()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        redis = stack.enter_context(starting.redis(folder))
        stub = stack.enter_context(starting.stub_upstream(folder))
        routes = [{"name": "iris", "address": stub.address, "signature": SIGNATURE}]
        servers = [
            stack.enter_context(starting.gateway(folder, redis, routes, root))
            for root in (asked.before.resolve(), ROOT)
        ]
        lines = [_line(folder, servers, case, Numbers(), asked.pairs) for case in CASES]
    _PAGE.write_text(_HEAD + "".join(lines), encoding="utf-8")


def _line(folder: Path, servers: list[Server], case: Case, numbers: Numbers, pairs: int) -> str:
    asked = prepared.post(folder, "asked", "/predict/iris", [(case.body, 1.0)], dict(case.headers))
    if case.is_same:
        asked = prepared.same(folder, "same", asked)
    cost = partial(microseconds_a_request, numbers=numbers, connections=case.connections, seconds=_SECONDS)
    found: list[tuple[float, float]] = []
    for number in range(pairs + 1):
        # Which is first changes; the first pair warms up.
        order = (0, 1) if number % 2 else (1, 0)
        costs = {at: cost(servers[at], asked) for at in order}
        if number:
            found.append((costs[0], costs[1]))
    before, now = (statistics.median(each[at] for each in found) for at in (0, 1))
    times = statistics.median(was / is_ for was, is_ in found)
    line = f"| {case.what} | {case.connections} | {before:.1f} | {now:.1f} | {times:.2f} |\n"
    print(line, end="", flush=True)
    return line


if __name__ == "__main__":
    main()
