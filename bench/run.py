"""Measures runtime, gateway hit, gateway miss and the control plane against a naive server, in one run.

``make bench`` runs it and rewrites the table in bench/README.md. Servers share core 0, the load has core 1;
each figure is the best of three slices, and the slices of all targets are interleaved.
"""

import asyncio
import json
import os
import platform as machine
import random
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import database
import joblib
import pandas
import servers
from load import Result, Target, closed_loop
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

COLUMNS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
SLICES = 3
SECONDS = 3.0
PEOPLES_PATHS = ("gateway + runtime, miss", "control API, model list")
README = Path(__file__).with_name("README.md")


def train(folder: Path) -> Path:
    """Logistic regression on scaled iris data, fitted on a data frame."""
    features, labels = load_iris(return_X_y=True)
    frame = pandas.DataFrame(features, columns=list(COLUMNS))
    path = folder / "iris.joblib"
    joblib.dump(make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(frame, labels), path)
    return path


def rows(count: int) -> Iterator[dict[str, float]]:
    generator = random.Random(7)
    for _ in range(count):
        yield {name: round(generator.uniform(0.1, 8.0), 6) for name in COLUMNS}


def targets(stack: ExitStack, folder: Path) -> dict[str, Target]:
    model = train(folder)
    naive, runtime = (stack.enter_context(start(model, folder)) for start in (servers.naive, servers.runtime))
    client = stack.enter_context(servers.platform(folder))
    gateway = f"{client.base_url.host}:{client.base_url.port}"
    path = f"/predict/{servers.upload(client, model)['id']}"
    bearer = {"Authorization": client.headers["Authorization"]}
    # More rows than one slice can send, so that a miss is a miss.
    many = [json.dumps({"input": row}).encode() for row in rows(200_000)]
    return {
        "naive FastAPI + joblib": Target(
            naive, "/predict", tuple(json.dumps(row).encode() for row in rows(500))
        ),
        "runtime alone": Target(runtime, "/predict", tuple(many[:500])),
        "gateway + runtime, miss": Target(gateway, path, tuple(many), bearer),
        "gateway, hit": Target(gateway, path, tuple(many[-1:]), bearer),
        "control API, model list": Target(gateway, "/api/v1/models", (), bearer),
    }


async def measure(all_targets: dict[str, Target], connections: int) -> dict[str, Result]:
    """Best of the interleaved slices, by rate. Errors of any slice are kept."""
    best: dict[str, Result] = {}
    for _ in range(SLICES):
        for name, target in all_targets.items():
            result = await closed_loop(target, connections=connections, seconds=SECONDS)
            if result.errors:
                raise RuntimeError(f"{name}: {result.statuses}")
            if name not in best or result.rate > best[name].rate:
                best[name] = result
    return best


async def measure_people(all_targets: dict[str, Target]) -> dict[str, Result]:
    """100 people, each of whom calls again a second after the last answer."""
    results = {}
    for name in PEOPLES_PATHS:
        results[name] = await closed_loop(all_targets[name], connections=100, seconds=10, pause=1.0)
        if results[name].errors:
            raise RuntimeError(f"{name}: {results[name].statuses}")
    return results


def people_table(results: dict[str, Result], database: list[float]) -> str:
    """The standing targets, each beside what was measured. `database` is seconds."""
    rows = [(name, results[name].percentile(95), 200) for name in PEOPLES_PATHS]
    rows.append(
        (
            "database, a page of 50 models in one transaction",
            statistics.quantiles(database, n=20)[-1] * 1000,
            50,
        )
    )
    lines = [
        "**100 people, a call a second each, no errors**",
        "",
        "| | p95 ms | target |",
        "|---|---:|---:|",
    ]
    return "\n".join([*lines, *(f"| {name} | {p95:.1f} | < {goal} |" for name, p95, goal in rows)])


def table(connections: int, results: dict[str, Result]) -> str:
    base = next(iter(results.values())).rate
    lines = [
        f"**{connections} connection{'s' if connections > 1 else ''}**",
        "",
        "| path | requests/s | × naive | p50 ms | p95 ms | p99 ms |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, result in results.items():
        percentiles = " | ".join(f"{result.percentile(p):.2f}" for p in (50, 95, 99))
        lines.append(f"| {name} | {result.rate:,.0f} | {result.rate / base:.2f} | {percentiles} |")
    return "\n".join(lines)


def write(tables: list[str]) -> None:
    head, rest = README.read_text().split("<!-- results -->")
    tail = rest.split("<!-- end -->")[1]
    about = f"{machine.machine()}, Linux {machine.release().split('-')[0]}, Python {machine.python_version()}"
    body = "\n\n".join(
        [f"Machine: {about}; {os.cpu_count()} cores, servers on one, load on the other.", *tables]
    )
    README.write_text(f"{head}<!-- results -->\n{body}\n<!-- end -->{tail}")


def main() -> None:
    os.sched_setaffinity(0, servers.LOAD_CORE)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        all_targets = targets(stack, Path(name))
        tables = []
        for connections in (1, 16, 100):
            tables.append(table(connections, asyncio.run(measure(all_targets, connections))))
            print(tables[-1], flush=True)
        people = asyncio.run(measure_people(all_targets))
        tables.append(people_table(people, database.seconds_of_pages(Path(name))))
        print(tables[-1], flush=True)
    write(tables)


if __name__ == "__main__":
    main()
