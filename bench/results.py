"""What was measured, as bench/results.json keeps it: the tables and the chart come from there alone."""

import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("results.json")
Facts = dict[str, dict[str, float | str | None]]


@dataclass(frozen=True)
class Figure:
    """Load of one kind on one path. Latencies in milliseconds, CPU in microseconds a request.

    `connections` 0: open loop, `rate` then being what was requested. `pss_mib` None: not to be seen.
    """

    group: str
    path: str
    model: str
    rows: int
    connections: int
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_us: float | None = None
    pss_mib: float | None = None


@dataclass(frozen=True)
class Results:
    """`facts`: by group, single values; `when`: by group, the machine and the command of its last run."""

    figures: list[Figure]
    facts: Facts
    when: dict[str, str]

    def of(self, group: str, **wanted: Any) -> list[Figure]:
        """The figures of a group whose fields have the values wanted."""
        return [
            figure
            for figure in self.figures
            if figure.group == group and all(getattr(figure, name) == wanted[name] for name in wanted)
        ]

    def one(self, group: str, path: str, **wanted: Any) -> Figure | None:
        return next(iter(self.of(group, path=path, **wanted)), None)


def read() -> Results:
    if not FILE.exists():
        return Results([], {}, {})
    document = json.loads(FILE.read_text())
    return Results([Figure(**each) for each in document["figures"]], document["facts"], document["when"])


def write(results: Results) -> None:
    document = {
        "when": results.when,
        "facts": results.facts,
        "figures": [asdict(figure) for figure in results.figures],
    }
    FILE.write_text(json.dumps(_rounded(document), indent=1, ensure_ascii=False) + "\n")


def merge(old: Results, groups: list[str], figures: list[Figure], facts: Facts, command: str) -> Results:
    """`old` with what it had of `groups` replaced."""
    kept = [figure for figure in old.figures if figure.group not in groups]
    kept_facts = {group: values for group, values in old.facts.items() if group not in groups}
    when = old.when | dict.fromkeys(groups, f"`{command}`, {machine()}, {time.strftime('%Y-%m-%d')}")
    return Results([*kept, *figures], kept_facts | facts, when)


def machine() -> str:
    """In words, without its name."""
    kernel = platform.release().split("-")[0]
    return (
        f"{_processor()}, {os.cpu_count()} cores (server on one, load on the other), "
        f"Linux {kernel}, Python {platform.python_version()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value
