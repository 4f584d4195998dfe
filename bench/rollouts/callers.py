"""What callers notice of a rollout that copies every request: CPU of the gateway, and latency through it.
Rewrites bench/rollouts-callers.md."""

import argparse
import itertools
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.load.open_loop import open_loop
from bench.rollouts.cost import CONNECTIONS, COPIED, PLAIN, Cost, costs, routes
from bench.servers import starting

_PAGE = Path(__file__).parents[1] / "rollouts-callers.md"
_RATE, _SECONDS = 130, 3.0
_HEAD = """# Rollouts: what callers notice

Every request is copied to the other version.
`make bench-rollouts-callers` rewrites this.
Others may use the machine meanwhile: what is within pairs counts, not the figures by themselves.
"""

Percentiles = dict[int, list[float]]
"""In milliseconds, of each slice."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=40, help="slices with a rollout and without, for CPU")
    parser.add_argument("--slices", type=int, default=30, help="of each model, for latency")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        redis = stack.enter_context(starting.redis(folder))
        stub = stack.enter_context(starting.stub_upstream(folder))
        found = costs(folder, redis, stub.address, asked.pairs)
        server = stack.enter_context(starting.gateway(folder, redis, routes(stub.address, stub.address)))
        latencies = _latencies(server.address, asked.slices)
    _PAGE.write_text(_report(found, latencies), encoding="utf-8")


def _latencies(address: str, slices: int) -> dict[str, Percentiles]:
    """Through a gateway process, of two models in turn: one has a rollout."""
    found: dict[str, Percentiles] = {name: {50: [], 99: []} for name in (PLAIN, COPIED)}
    numbers = itertools.count()
    for number in range(slices + 1):
        for name in sorted(found, reverse=number % 2 == 0):
            result = open_loop(address, _requests(name, numbers), rate=_RATE, seconds=_SECONDS)
            result.require_no_errors(name)
            for percent in found[name] if number else ():
                found[name][percent].append(result.percentile(percent))
    return found


def _requests(model: str, numbers: Iterator[int]) -> Iterator[bytes]:
    """No two are the same, so that the cache answers none."""
    for number in numbers:
        body = b'{"input": {"a": %d, "b": 2}}' % number
        yield (
            b"POST /predict/%b HTTP/1.1\r\nHost: x\r\nX-API-Key: %b\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (model.encode(), starting.KEY.encode(), len(body), body)
        )


def _report(found: list[Cost], latencies: dict[str, Percentiles]) -> str:
    return "\n".join([
        _HEAD,
        "## CPU of the gateway",
        "",
        f"A gateway on one core, {CONNECTIONS} connections of wrk: slices of a second of a model with a "
        "rollout and of one without, in turn; medians without, and of the differences within pairs.",
        "The candidate takes one copy and never answers: sending copies is not in it.",
        "",
        "| request | µs CPU | added | of it |",
        "|---|---:|---:|---:|",
        *(f"| {it.what} | {it.without:.1f} | {it.added:.2f} | {it.percent:.1f} % |" for it in found),
        "",
        "## Latency through the gateway",
        "",
        f"An open loop of {_RATE} requests a second, none answered from the cache: {_SECONDS:.0f} s of a "
        "model with a rollout and of one without, in turn; medians of the slices' percentiles.",
        "The copies are sent meanwhile, by the same process on the same core.",
        "",
        "| percentile | without, ms | with, ms | difference within pairs, ms: median | middle half |",
        "|---|---:|---:|---:|---:|",
        *(_line(percent, latencies) for percent in (50, 99)),
        "",
    ])  # fmt: skip


def _line(percent: int, latencies: dict[str, Percentiles]) -> str:
    without, copied = latencies[PLAIN][percent], latencies[COPIED][percent]
    low, middle, high = statistics.quantiles(map(float.__sub__, copied, without), n=4)
    median = statistics.median
    return (
        f"| p{percent} | {median(without):.2f} | {median(copied):.2f} | {middle:+.2f} "
        f"| {low:+.2f} to {high:+.2f} |"
    )


if __name__ == "__main__":
    main()
