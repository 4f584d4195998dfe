"""Measures targets beside each other: slices of all in turn, the best of each one's kept."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.load import wrk
from bench.load.prepared import Numbers, Prepared
from bench.results import Figure
from bench.servers import processes
from bench.servers.starting import LOAD_CORE

WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Timings:
    """Slices of each target, and seconds of each."""

    slices: int = 3
    seconds: float = 2


@dataclass(frozen=True)
class Target:
    """`path`: its name in the tables. `pids`: processes whose trees' CPU time and memory are its cost."""

    path: str
    address: str
    prepared: Prepared
    pids: tuple[int, ...]


@dataclass(frozen=True)
class Setting:
    """What all targets of one table have in common. `group` is a table of results.json."""

    group: str
    model: str = ""
    rows: int = 1


class Measuring:
    """One group: its pace, the numbers of the run's requests, and all that it has found."""

    def __init__(self, timings: Timings, numbers: Numbers) -> None:
        self.timings = timings
        self.numbers = numbers
        self.figures: list[Figure] = []
        self.facts: dict[str, dict[str, float | str | None]] = {}

    def compare(self, setting: Setting, targets: Sequence[Target], connections: Sequence[int]) -> None:
        """Closed loop, for each number of connections. Raises RuntimeError if any response is an error."""
        for count in connections:
            for target in targets:
                self._run(target, count, WARM_UP_SECONDS)
            found: dict[str, list[Figure]] = {target.path: [] for target in targets}
            for _ in range(self.timings.slices):
                for target in targets:
                    found[target.path].append(self._slice(setting, target, count))
            for figures in found.values():
                self._keep(figures)

    def _run(self, target: Target, connections: int, seconds: float) -> wrk.Slice:
        return wrk.run(
            target.address,
            target.prepared,
            self.numbers,
            connections=connections,
            seconds=seconds,
            core=LOAD_CORE,
        )

    def _slice(self, setting: Setting, target: Target, connections: int) -> Figure:
        pids = [pid for root in target.pids for pid in processes.tree(root)]
        before = processes.cpu_seconds(pids)
        seen = self._run(target, connections, self.timings.seconds)
        cpu = processes.cpu_seconds(pids) - before
        return Figure(
            group=setting.group,
            path=target.path,
            model=setting.model,
            rows=setting.rows,
            connections=connections,
            rate=seen.rate,
            p50_ms=seen.p50_ms,
            p99_ms=seen.p99_ms,
            cpu_us=cpu / seen.requests * 1e6,
            pss_mib=processes.pss_mib(pids),
        )

    def _keep(self, figures: list[Figure]) -> None:
        best = max(figures, key=lambda figure: figure.rate)
        self.figures.append(best)
        print(
            f"{time.strftime('%H:%M:%S')} {best.group:10} {best.model:9} {best.rows:2} rows "
            f"{best.connections:3} conn  {best.path:32} {best.rate:9,.0f}/s  p50 {best.p50_ms:7.2f} ms  "
            f"p99 {best.p99_ms:7.2f} ms  {best.cpu_us:6.0f} µs CPU",
            flush=True,
        )
