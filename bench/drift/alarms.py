"""False alarms and power of drift, in each of `cases` many times over. Rewrites bench/drift.md."""

import argparse
import csv
import json
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import orjson
from modelport_control_api.drift.evaluation.evaluate import Counted, evaluate
from modelport_control_api.drift.profiles.profile import Matched, Profile, match
from modelport_control_api.drift.profiles.profiling import profile_csv
from modelport_control_api.drift.records import FeatureResult
from modelport_control_api.drift.schemas import Thresholds
from modelport_control_api.settings import Settings
from modelport_telemetry.drift.counting import RowCounter

from bench.drift.cases import CHANGED, RARE, SMALL, UNCHANGED, Case, Row, Scene

_PAGE = Path(__file__).parents[1] / "drift.md"
_RUNS = 60
_BEFORE = Path(__file__).with_name("before.json")
"""The same counts of the release before: cell for cell what `count` gave there, of 60 windows each."""
_HEAD = """# Drift: false alarms, and what is found

Of {runs} windows of 500 rows against 1,000 of the reference (real data: halves), by `make bench-drift`.
"Before" is the method as decision 18 had it first, of 60.
*Small* windows have a change that is certain, but below the threshold of the index: they are no alarm.
"""


def limits() -> Thresholds:
    """As the platform has them."""
    fields = Settings.model_fields
    return Thresholds(
        psi_threshold=fields["drift_psi_threshold"].default,
        alpha=fields["drift_alpha"].default,
        window_rows=fields["drift_window_rows"].default,
    )


def results(scene: Scene) -> list[FeatureResult]:
    """What the platform finds of live rows, by the code of gateway and control API."""
    reference, live, hour = scene
    matched, counter = counting(reference)
    for row in live:
        counter.add(row, crc32(orjson.dumps(row)))
    counts = counter.take()
    window = Counted(
        counts.rows,
        counts.counted,
        counts.features,
        values=counts.values,
        blocks=counts.blocks,
        hours={hour: counts.counted},
    )
    return evaluate(matched, window, limits(), reference_rows=len(reference))


def counting(reference: list[Row]) -> tuple[Matched, RowCounter]:
    """Return what the control API makes of a reference, and a counter as a gateway has it."""
    profile = _profile(reference)
    features = [name for name in reference[0] if name != profile.time_column]
    matched = match(profile, {"columns": [{"name": name, "kind": "any"} for name in features]})
    return matched, RowCounter(matched.reference_bins("bench", None))


def count(case: Case, runs: int, *, seed: int = 7) -> tuple[int, int]:
    """Return how many windows drift, and how many have a change that is certain but small."""
    draw = np.random.default_rng(seed)
    found = [{result.change for result in results(case(draw))} for _ in range(runs)]
    return sum("large" in each for each in found), sum("small" in each - {"large"} for each in found)


def _profile(rows: list[Row]) -> Profile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.csv"
        with path.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
        return profile_csv(path)


def _table(title: str, cases: Mapping[str, Case], runs: int, before: Mapping[str, int]) -> str:
    lines = [f"## {title}", "", "| case | before | now | small |", "|---|---:|---:|---:|"]
    with ProcessPoolExecutor() as pool:
        found = pool.map(partial(count, runs=runs), cases.values())
        for name, (large, small) in zip(cases, found, strict=True):
            print(f"  {name}: {large} of {runs}", flush=True)
            lines.append(f"| {name} | {before.get(name, '–')} | {large} | {small} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=_RUNS)
    runs = parser.parse_args().runs
    before = json.loads(_BEFORE.read_text())
    tables = [
        _table(
            "Nothing has changed: windows that were called drift (none should be)", UNCHANGED, runs, before
        ),
        _table(
            "Something has changed: windows that were called drift (all should be)", CHANGED, runs, before
        ),
        _table("A small change: called small, or drift", SMALL, runs, before),
        _table("A few rows have changed: as far as chance allows", RARE, runs, before),
    ]
    _PAGE.write_text("\n".join([_HEAD.format(runs=runs), *tables]))


if __name__ == "__main__":
    main()
