"""The goals of the fast path, each with what was measured for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bench.environments.networks import MLSERVER
from bench.environments.speed import CONNECTIONS, ENVIRONMENT, MODELS
from bench.environments.uploads import FILES, fact_of
from bench.predictions.groups import DIRECT, HIT, MISS, NAIVE, OPEN_RATE, RUNTIME, STANDALONE, TOGETHER
from bench.predictions.peers_group import PEERS
from bench.results import Figure, Results
from bench.usage.cost import COUNTING

MIB, SECONDS = "MiB", "s"


@dataclass(frozen=True)
class Goal:
    """`measured` None: that part has not been run."""

    path: str
    goal: str
    measured: float | None
    unit: str
    met: bool

    @property
    def text(self) -> str:
        if self.measured is None:
            return "not measured"
        digits = 2 if self.measured < 10 else 1 if self.measured < 100 else 0
        return f"{self.measured:,.{digits}f} {self.unit}".replace(" ×", "×")


def goals(results: Results) -> Iterator[Goal]:
    yield from _beside_peers(results)
    yield from _networks(results)
    yield from _environments(results)
    yield from _runtime(results)
    yield from _gateway(results)
    yield from _usage(results)
    yield from _together(results)
    yield from _memory(results)
    yield from _equality(results)


def _at_least(path: str, goal: float, unit: str, measured: float | None) -> Goal:
    return Goal(path, f"≥ {goal:,g} {unit}", measured, unit, measured is not None and measured >= goal)


def _at_most(path: str, goal: float, unit: str, measured: float | None) -> Goal:
    return Goal(path, f"≤ {goal:,g} {unit}", measured, unit, measured is not None and measured <= goal)


def _ratio(ours: Figure | None, others: list[Figure | None]) -> float | None:
    rates = [other.rate for other in others if other]
    return ours.rate / max(rates) if ours and rates else None


def _best_peers(results: Results, model: str, **wanted: int) -> list[Figure | None]:
    return [results.one("peers", path, model=model, **wanted) for path in PEERS]


def _beside_peers(results: Results) -> Iterator[Goal]:
    for goal, of, wanted in (
        (5, " at 100 connections", {"rows": 1, "connections": 100}),
        (3, ", 32 rows at 16 connections", {"rows": 32, "connections": 16}),
    ):
        for model in ("iris", "forest"):
            ratio = _ratio(
                results.one("peers", RUNTIME, model=model, **wanted), _best_peers(results, model, **wanted)
            )
            yield _at_least(f"{model}: runtime{of}, beside the best peer", goal, "×", ratio)


def _networks(results: Results) -> Iterator[Goal]:
    for kind in ("torch", "keras"):
        for connections in (1, 16):
            wanted = {"model": f"{kind} MLP", "rows": 1, "connections": connections}
            ours = results.one("networks", RUNTIME, **wanted)
            for goal, path in ((5, f"naive FastAPI + {kind}"), (3, MLSERVER)):
                ratio = _ratio(ours, [results.one("networks", path, **wanted)])
                yield _at_least(f"{kind} MLP: runtime at {connections}, beside {path}", goal, "×", ratio)


def _environments(results: Results) -> Iterator[Goal]:
    for model in MODELS:
        for connections in CONNECTIONS:
            wanted = {"model": model, "rows": 1, "connections": connections}
            old = results.one("environments", f"{RUNTIME}, {ENVIRONMENT}", **wanted)
            ratio = _ratio(old, [results.one("environments", RUNTIME, **wanted)])
            name = (
                f"{model} of {ENVIRONMENT}: runtime at {connections}, beside the same of the platform's own"
            )
            yield _at_least(name, 0.9, "×", ratio)


def _runtime(results: Results) -> Iterator[Goal]:
    for model, goal in (("iris", 0.35), ("forest", 0.6)):
        alone = results.one("runtime", RUNTIME, model=model, rows=1, connections=1)
        yield _at_most(f"{model}: runtime at 1 connection, p50", goal, "ms", alone.p50_ms if alone else None)
    for model in ("boosting", "mixed"):
        wanted = {"model": model, "rows": 1, "connections": 100}
        ratio = _ratio(results.one("runtime", RUNTIME, **wanted), [results.one("runtime", NAIVE, **wanted)])
        yield _at_least(f"{model}: runtime at 100 connections, beside naive FastAPI", 3, "×", ratio)


def _gateway(results: Results) -> Iterator[Goal]:
    for path, rate, cpu in ((HIT, 20_000, 45), (MISS, 12_000, 75)):
        figure = results.one("gateway", path, connections=100)
        yield _at_least(f"{path}, key, limit and Redis", rate, "/s", figure.rate if figure else None)
        yield _at_most(f"{path}, CPU a request", cpu, "µs", figure.cpu_us if figure else None)
    added = _added(results, 1, lambda figure: figure.p50_ms)
    yield _at_most("gateway, added at 1 connection, p50", 0.4, "ms", added)
    added = _added(results, 0, lambda figure: figure.p50_ms)
    yield _at_most(f"gateway, added in an open loop at {OPEN_RATE}/s, p50", 0.7, "ms", added)
    added = _added(results, 0, lambda figure: figure.p99_ms)
    yield _at_most(f"gateway, added in an open loop at {OPEN_RATE}/s, p99", 3, "ms", added)


def _added(results: Results, connections: int, value: Callable[[Figure], float]) -> float | None:
    through = results.one("gateway", MISS, connections=connections)
    direct = results.one("gateway", DIRECT, connections=connections)
    return value(through) - value(direct) if through and direct else None


def _usage(results: Results) -> Iterator[Goal]:
    counting = results.facts.get("usage", {}).get(COUNTING)
    hit = results.one("gateway", HIT, connections=100)
    share = counting / hit.cpu_us * 100 if isinstance(counting, float) and hit and hit.cpu_us else None
    yield _at_most(f"counting usage, share of the CPU of {HIT}", 3, "%", share)


def _together(results: Results) -> Iterator[Goal]:
    for model, goal in (("iris", 4_000), ("forest", 3_000)):
        figure = results.one("together", TOGETHER, model=model, connections=100)
        yield _at_least(
            f"{model}: gateway and runtime on one core, miss", goal, "/s", figure.rate if figure else None
        )
        best = results.of("peers", model=model, rows=1)
        ours = results.one("peers", TOGETHER, model=model, connections=100)
        ratio = _ratio(ours, [each for each in best if each.path in PEERS])
        yield _at_least(f"{model}: the same, beside the best of any bare peer", 1, "×", ratio)
    figure = results.one("standalone", STANDALONE, connections=16)
    yield _at_least("standalone, miss at 16 connections", 2_000, "/s", figure.rate if figure else None)


def _memory(results: Results) -> Iterator[Goal]:
    memory = results.facts.get("memory", {})
    for fact, goal, unit in (
        ("iris, acceleration off, PSS MiB", 120, MIB),
        ("iris, accelerated, original dropped, PSS MiB", 60, MIB),
        ("iris, start to ready, s", 1.5, SECONDS),
    ):
        yield _at_most(fact.removesuffix(", s").removesuffix(" MiB"), goal, unit, _number(memory.get(fact)))
    uploads = results.facts.get("uploads", {})
    for name in FILES:
        yield _at_most(fact_of(name).removesuffix(", s"), 6, SECONDS, _number(uploads.get(fact_of(name))))
    standalone = results.facts.get("standalone", {}).get("three models, PSS MiB")
    yield _at_most("standalone with three models, PSS", 450, MIB, _number(standalone))


def _equality(results: Results) -> Iterator[Goal]:
    facts = results.facts.get("equality", {})
    for model in ("iris", "forest", "boosting", "mixed"):
        share = _number(facts.get(f"{model}, rows equal, %"))
        yield _at_least(f"{model}: rows answered as by the original, of 10,000", 100, "%", share)


def _number(fact: float | str | None) -> float | None:
    return fact if isinstance(fact, int | float) else None
