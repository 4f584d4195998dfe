"""What `make bench` measures, group by group; each group starts its servers, and stops them."""

import socket
from contextlib import ExitStack
from pathlib import Path

from bench.load import open_loop, prepared
from bench.models import trained
from bench.models.model import Model
from bench.predictions.measuring import Measuring, Setting, Target
from bench.results import Figure
from bench.servers import starting
from bench.servers.processes import pss_mib, tree
from bench.servers.standalone import Standalone
from bench.servers.standalone import standalone as started_standalone

CONNECTIONS = (1, 16, 100)
MANY_ROWS, MANY_ROWS_CONNECTIONS = 32, (16,)
CONSTANT, NAIVE, RUNTIME = "uvicorn, a constant", "naive FastAPI + joblib", "runtime"
ORIGINAL = "runtime, acceleration off"
DIRECT, HIT, MISS = "stub model, called directly", "gateway, hit", "gateway, miss"
TOGETHER, STANDALONE = "gateway + runtime, miss", "standalone, miss"
MODELS_LIST = "control API, model list"
OPEN_RATE = 500
_KEY = {"X-API-Key": starting.KEY}


def requests(
    folder: Path, model: Model, rows: int, path: str = "/predict", headers: dict[str, str] | None = None
) -> prepared.Prepared:
    """New rows, as Modelport and the naive server take them."""
    name = f"{model.name}-{rows}-{path.strip('/').replace('/', '-')}"
    bodies = model.bodies(rows, trained.one_or_many, 500 if rows == 1 else 100)
    return prepared.post(folder, name, path, bodies, headers)


def runtime(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """The runtime alone, with and without acceleration, beside the limit and the naive server."""
    for model in models.values():
        with ExitStack() as stack:
            started = {
                CONSTANT: stack.enter_context(starting.constant(folder)),
                NAIVE: stack.enter_context(starting.naive(model.path, folder)),
                RUNTIME: stack.enter_context(starting.runtime(model.path, folder)),
                ORIGINAL: stack.enter_context(starting.runtime(model.path, folder, acceleration="off")),
            }
            for rows, connections in ((1, CONNECTIONS), (MANY_ROWS, MANY_ROWS_CONNECTIONS)):
                sent = requests(folder, model, rows)
                targets = [
                    Target(path, server.address, sent, (server.pid,)) for path, server in started.items()
                ]
                measuring.compare(Setting("runtime", model.name, rows), targets, connections)


def gateway(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """The gateway alone: Redis and a constant model on the load's core; key, limit and cache on."""
    model = models["iris"]
    with ExitStack() as stack:
        signature = stack.enter_context(starting.runtime(model.path, folder)).get("/status")["signature"]
    with ExitStack() as stack:
        constant = stack.enter_context(starting.constant(folder))
        stub = stack.enter_context(starting.stub_upstream(folder))
        redis = stack.enter_context(starting.redis(folder))
        routes = [{"name": "iris", "address": stub.address, "signature": signature}]
        server = stack.enter_context(starting.gateway(folder, redis, routes))
        new = requests(folder, model, 1, "/predict/iris", _KEY)
        targets = [
            Target(CONSTANT, constant.address, new, (constant.pid,)),
            Target(DIRECT, stub.address, new, (stub.pid,)),
            Target(HIT, server.address, prepared.same(folder, "hit", new), (server.pid,)),
            Target(MISS, server.address, new, (server.pid,)),
        ]
        require_cache(measuring, targets[2], "hit")
        require_cache(measuring, targets[3], "miss")
        measuring.compare(Setting("gateway", model.name), targets, CONNECTIONS)
        require_cache(measuring, targets[3], "miss")
        _open_loops(measuring, targets[1:])


def require_cache(measuring: Measuring, target: Target, state: str) -> None:
    """Raises RuntimeError unless `target` answers its next requests with `X-Cache: <state>`."""
    whole = target.prepared.whole(measuring.numbers)
    host, port = target.address.split(":")
    for attempt in range(3):
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(next(whole))
            reply = connection.recv(65_536).lower()
        measuring.numbers.used(1)
        # The first of them puts into the cache what is to be hit.
        if attempt and b"x-cache: " + state.encode() not in reply:
            raise RuntimeError(f"{target.path} is no {state}: {reply[:500]!r}")


def _open_loops(measuring: Measuring, targets: list[Target]) -> None:
    """500 requests a second, a slice of each target in turn; the best by its p99."""
    best: dict[str, open_loop.Result] = {}
    seconds = 3 * measuring.timings.seconds
    for _ in range(measuring.timings.slices):
        for target in targets:
            whole = target.prepared.whole(measuring.numbers)
            result = open_loop.open_loop(target.address, whole, rate=OPEN_RATE, seconds=seconds)
            measuring.numbers.used(len(result.latencies))
            result.require_no_errors(target.path)
            if target.path not in best or result.percentile(99) < best[target.path].percentile(99):
                best[target.path] = result
    for path, result in best.items():
        p50, p99 = result.percentile(50), result.percentile(99)
        measuring.figures.append(Figure("gateway", path, "iris", 1, 0, OPEN_RATE, p50, p99))
        print(f"open loop, {OPEN_RATE}/s: {path}: p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)


def together(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """Gateway and runtime share the one core; key, limit and Redis on; every row is new."""
    for name in ("iris", "forest"):
        with ExitStack() as stack:
            target = start_together(stack, folder, models[name])
            require_cache(measuring, target, "miss")
            measuring.compare(Setting("together", name), [target], CONNECTIONS)


def start_together(stack: ExitStack, folder: Path, model: Model) -> Target:
    runtime = stack.enter_context(starting.runtime(model.path, folder))
    redis = stack.enter_context(starting.redis(folder))
    signature = runtime.get("/status")["signature"]
    routes = [{"name": model.name, "address": runtime.address, "signature": signature}]
    gateway = stack.enter_context(starting.gateway(folder, redis, routes))
    sent = requests(folder, model, 1, f"/predict/{model.name}", _KEY)
    return Target(TOGETHER, gateway.address, sent, (gateway.pid, runtime.pid))


def standalone(measuring: Measuring, folder: Path, models: dict[str, Model]) -> None:
    """`modelport up` with three models: misses through everything, the control plane, and 100 users."""
    with started_standalone(folder) as running:
        ids = {name: running.upload(models[name]) for name in ("iris", "forest", "mixed")}
        _memory_of(measuring, running, "three models, PSS MiB")
        new = requests(folder, models["iris"], 1, f"/predict/{ids['iris']}", running.headers)
        server = running.server
        miss = Target(STANDALONE, server.address, new, (server.pid,))
        listing = prepared.get(folder, "list", "/api/v1/models", running.headers)
        plane = Target(MODELS_LIST, server.address, listing, (server.pid,))
        require_cache(measuring, miss, "miss")
        measuring.compare(Setting("standalone", "iris"), [miss, plane], CONNECTIONS)
        _memory_of(measuring, running, "the same after the load, with its cache filled, PSS MiB")
        _people(measuring, [miss, plane])


def _memory_of(measuring: Measuring, running: Standalone, what: str) -> None:
    measuring.facts.setdefault("standalone", {})[what] = pss_mib(tree(running.server.pid))


def _people(measuring: Measuring, targets: list[Target]) -> None:
    for target in targets:
        whole = target.prepared.whole(measuring.numbers)
        result = open_loop.users(target.address, whole, count=100, seconds=10)
        measuring.numbers.used(len(result.latencies))
        result.require_no_errors(target.path)
        measuring.facts["standalone"][f"100 users, p95 ms: {target.path}"] = result.percentile(95)
        print(f"100 users: {target.path}: p95 {result.percentile(95):.1f} ms", flush=True)
