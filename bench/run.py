"""`make bench`, `make bench-peers`: measures what servers do on one core, with the load on another.

Writes bench/results.json, and from it the tables of bench/README.md and bench/results.svg. A run replaces the
groups that it measures; the others stay as they were.
"""

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import results
from bench.environments import folders, networks, speed, uploads
from bench.load import prepared, wrk
from bench.models import trained
from bench.models.model import Model
from bench.predictions import equality, groups, measuring, peers_group, resources
from bench.report import chart, tables
from bench.servers import starting
from bench.usage import cost


def _pages(run: measuring.Measuring, folder: Path, models: dict[str, Model]) -> None:
    # Here: the control plane's libraries would be shared with the standalone that is measured before.
    from bench.predictions import database

    database.pages(run, folder, models)


GROUPS = {
    "runtime": groups.runtime,
    "gateway": groups.gateway,
    "together": groups.together,
    "standalone": groups.standalone,
    "memory": resources.memory,
    "equality": equality.equality,
    "database": _pages,
    "usage": cost.usage,
    "environments": speed.environments,
    "networks": networks.networks,
    "folders": folders.folders,
    "uploads": uploads.uploads,
    "peers": peers_group.peers,
}
_DEFAULT = [name for name in GROUPS if name != "peers"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", help=f"groups, parted by commas, of {', '.join(GROUPS)}")
    parser.add_argument("--models", help="of iris,forest,boosting,mixed: those of the runtime's groups")
    parser.add_argument("--quick", action="store_true", help="one slice of a second each: a try")
    parser.add_argument("--dry", action="store_true", help="print, and leave the results as they were")
    parser.add_argument("--render", action="store_true", help="measure nothing, write tables and chart again")
    chosen = parser.parse_args()
    chosen.groups = chosen.only.split(",") if chosen.only else _DEFAULT
    if unknown := set(chosen.groups) - set(GROUPS):
        parser.error(f"there is no group {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    return chosen


def measure(chosen: argparse.Namespace) -> Iterator[tuple[str, measuring.Measuring]]:
    """Return each group with what it found, as soon as it has ended."""
    timings = measuring.Timings(slices=1, seconds=1) if chosen.quick else measuring.Timings()
    numbers = prepared.Numbers()
    os.sched_setaffinity(0, {starting.LOAD_CORE})
    for name in chosen.groups:
        run = measuring.Measuring(timings, numbers)
        # A folder each: they start servers whose files have the same names.
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            begin = time.monotonic()
            print(f"== {name}", flush=True)
            GROUPS[name](run, Path(folder), _models(chosen, name, Path(folder)))
            print(f"== {name}: {time.monotonic() - begin:.0f} s", flush=True)
        yield name, run


def _models(chosen: argparse.Namespace, group: str, folder: Path) -> dict[str, Model]:
    models = trained.train(folder)
    if chosen.models and group in ("runtime", "memory", "equality"):
        return {name: models[name] for name in chosen.models.split(",")}
    return models


def write(found: results.Results) -> None:
    results.write(found)
    chart.write(found)
    tables.write(found)


def main() -> None:
    chosen = arguments()
    if chosen.render:
        write(results.read())
        return
    wrk.require()
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("make bench needs two cores: one for the servers, one for the load")
    command = shlex.join(["python", "-m", "bench.run", *sys.argv[1:]])
    # Written group by group: a later one that fails costs nothing of the earlier ones.
    for name, run in measure(chosen):
        if not chosen.dry:
            write(results.merge(results.read(), [name], run.figures, run.facts, command))


if __name__ == "__main__":
    main()
