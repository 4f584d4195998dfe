"""Contributions beside `shap` and the boosters' own functions: 10,000 rows of each of 30 models.

`make bench-contributions` rewrites `bench/contributions.md`; it fetches shap and CatBoost for the run.
"""

import importlib.metadata
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.contributions.cases import CASES, Case, Data, data_of

_REPORT = Path(__file__).parent.parent / "contributions.md"
_ROWS_AT_ONCE = 100
_LIBRARIES = ("shap", "scikit-learn", "xgboost-cpu", "lightgbm", "catboost", "numpy")
_ALIKE = 1e-6
_HEAD = """# Contributions

10,000 rows that the models were not trained on, as JSON rows through the runtime, beside what others say.
What `shap` or the booster's own function gives for prepared columns is added up by input column.
*Sum*: base + contributions beside what the library itself computes, by its own methods.
Differences are the largest of all rows, columns and classes, as parts of the largest contribution or base.
Every one must be below 1e-6; XGBoost computes in single precision.
`make bench-contributions` rewrites this.

"""
_COLUMNS = ("model", "beside", "sums", "largest", "difference", "sum", "rows a CPU second")


@dataclass(frozen=True)
class Outcome:
    """`difference` and `sum` as parts of `largest`, the largest contribution or base."""

    outputs: int
    largest: float
    difference: float
    sum: float
    rows_a_second: float

    @property
    def is_alike(self) -> bool:
        return max(self.difference, self.sum) < _ALIKE


def main(names: Sequence[str]) -> int:
    """Return the exit code: 1 where one is not alike."""
    warnings.simplefilter("ignore")
    data = data_of()
    found: dict[str, Outcome] = {}
    for case in CASES:
        if not names or case.name in names:
            found[case.name] = _measure(case, data)
            print(_row(case, found[case.name]), flush=True)
    if not names:
        _REPORT.write_text(_report(found), encoding="utf-8")
    return 0 if all(each.is_alike for each in found.values()) else 1


def _measure(case: Case, data: Data) -> Outcome:
    model, rows = case.fit(data), case.rows(data)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"model{case.suffix}"
        case.save(model, path)
        explain = _engine(path, case.framework)
        started = time.process_time()
        ours = explain(case.as_json(rows))
        seconds = time.process_time() - started
    reference = case.reference(model, rows)[:, -ours.shape[1] :]
    computed = case.computed(model, rows)[:, -ours.shape[1] :]
    largest = float(np.abs(reference).max())
    return Outcome(
        outputs=ours.shape[1],
        largest=largest,
        difference=float(np.abs(ours - reference).max()) / largest,
        sum=float(np.abs(ours.sum(axis=2) - computed).max()) / largest,
        rows_a_second=len(ours) / seconds,
    )


def _engine(path: Path, framework: str) -> Callable[[list[Any]], Any]:
    """Load it as a model's process does, without the sandbox; return what explains rows."""
    from modelport_runtime.core import backends
    from modelport_runtime.core.contributions import offer_contributions
    from modelport_runtime.core.types import Request

    backends.prepare(framework)
    engine = backends.load(path, framework, None, model="m", version="v1", max_batch_rows=10_000)
    backends.self_check(engine)
    offer_contributions(engine)
    if "contributions" not in engine.signature.outputs:
        raise SystemExit(f"{path}: the runtime gives no contributions")

    def explain(rows: list[Any]) -> Any:
        parts = []
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            read = engine._decoder.read_rows(rows[start : start + _ROWS_AT_ONCE], None)
            request = Request(read, single=False, outputs=("contributions",))
            parts.append(engine.run(request).arrays["contributions"])
        array = np.concatenate(parts)
        return array if array.ndim == 3 else array[:, None]

    return explain


def _report(found: dict[str, Outcome]) -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES)
    rows = [_row(case, found[case.name]) for case in CASES]
    lines = "\n".join([f"| {' | '.join(_COLUMNS)} |", "|---|---|---:|---:|---:|---:|---:|", *rows])
    return f"{_HEAD}{lines}\n\n{versions}, Python {sys.version.split()[0]}.\n"


def _row(case: Case, found: Outcome) -> str:
    cells = (
        case.name,
        case.beside,
        found.outputs,
        f"{found.largest:.3g}",
        f"{found.difference:.1e}",
        f"{found.sum:.1e}",
        f"{found.rows_a_second:,.0f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
