"""Converts a model, and believes the kernels only where they give the original's predictions."""

import time
import warnings
from typing import Any

import numpy as np
from modelport_http.wording import counted

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.backend import read_plan
from modelport_runtime.core.acceleration.comparison import TOLERANCE, differences
from modelport_runtime.core.acceleration.converters.blocks import NotConverted
from modelport_runtime.core.acceleration.converters.walk import convert
from modelport_runtime.core.acceleration.generated_rows import GeneratedRows, Row, unknown_value
from modelport_runtime.core.acceleration.origins import Hints, hints_of
from modelport_runtime.core.acceleration.outcome import Accelerated, Declined, Differs, Proof, Shown
from modelport_runtime.core.acceleration.timing import if_faster
from modelport_runtime.core.contributions.backend import ExplainedBackend
from modelport_runtime.core.contributions.explained import names_of
from modelport_runtime.core.engine import Engine, describe_error
from modelport_runtime.core.signature import CONTRIBUTIONS
from modelport_runtime.core.types import Outputs, Request

_CHUNK_ROWS = 1_000
_MIN_ROWS = 1_000
_ALONE = 4
"""Of a chunk that makes the original raise, so many rows are predicted one by one."""
_SINGLE = 100
"""Of every chunk, the kernels predict so many rows one by one as well: a single row takes shorter ways."""
_SHOWN_EXTREMES = 1_000
_EXPLAINED_CELLS = 2_000_000
"""Numbers to compute, twice, for the comparison of contributions: a tenth of a second."""
_EXPLAINED_ALONE = 4
_NAN = float("nan")
_NONE = {
    "ScriptBackend": "TorchScript has no kernels: a program of torch.export has.",
    "ModelClass": "Code of its own predicts.",
    "Around": "Code of its own stands around the model.",
}


def prove(engine: Engine, *, seconds: float, rows: int) -> Accelerated | Declined:
    """See `acceleration.accelerate`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _prove(engine, seconds, rows)
    except NotConverted as why:
        return Declined(str(why))
    except Differs as why:
        return Declined(f"The kernels {why}")
    except BaseException as error:  # noqa: BLE001  # the model's own code runs in here
        return Declined(f"The conversion failed: {describe_error(error)}")


def _prove(engine: Engine, seconds: float, rows: int) -> Accelerated | Declined:
    if hasattr(engine.backend, "parts"):
        # Only where there are tensors: most models need none of what compares networks.
        from modelport_runtime.core.acceleration.networks import proof

        return proof.prove(engine, seconds, rows)
    estimator = getattr(engine.backend, "estimator", None)
    if estimator is None or engine.sample is None:
        return Declined(_NONE.get(type(engine.backend).__name__, "A model of this kind has no kernels."))
    made = convert(estimator, engine.signature, engine.libraries_here)
    data = plan.encode(made)
    kernels = Engine(read_plan(data), engine.signature, model="", version="", max_batch_rows=rows)
    (sample,) = engine.decode_sample(engine.sample).rows
    comparison = _Comparison(engine, kernels, names_of(engine.signature.outputs))
    until = time.monotonic() + seconds
    generated = _generated(comparison, list(sample), hints_of(made))
    _compare(comparison, generated, until, rows)
    if comparison.rows < _MIN_ROWS:
        return Declined(
            f"Only {counted(comparison.rows, 'row')} could be compared in {counted(seconds, 'second')}."
        )
    if CONTRIBUTIONS in engine.signature.outputs:
        _compare_contributions(engine, kernels, generated)
    return _if_faster(comparison, data, generated.take(32))


def _generated(comparison: "_Comparison", sample: Row, hints: Hints) -> GeneratedRows:
    columns = comparison.original.signature.columns or ()
    optional = {place: _NAN for place, column in enumerate(columns) if column.optional}
    open_ended = {
        place: unknown_value(columns[place]) for place in hints.categories if columns[place].values is None
    }
    return GeneratedRows(
        columns,
        sample,
        hints,
        missing=comparison.bearable(sample, optional),
        unknown=comparison.bearable(sample, open_ended),
    )


def _compare(comparison: "_Comparison", generated: GeneratedRows, until: float, rows: int) -> None:
    comparison.of(generated.take(1))
    # Those that raise are predicted one by one, which a slow model has no time for.
    enough = time.monotonic() + (until - time.monotonic()) / 3
    for extremes in generated.extremes():
        if time.monotonic() > enough:
            break
        comparison.of(extremes)
    comparison.shows = comparison.rows + rows
    while comparison.rows < rows and time.monotonic() < until:
        comparison.of(generated.take(min(_CHUNK_ROWS, rows - comparison.rows)))


def _compare_contributions(engine: Engine, kernels: Engine, generated: GeneratedRows) -> None:
    """Both explain the same rows alike, and each has then checked its sums. Raises `Differs`."""
    assert isinstance(engine.backend, ExplainedBackend)  # noqa: S101  # only that one offers them
    rows = max(_EXPLAINED_ALONE, min(_CHUNK_ROWS, _EXPLAINED_CELLS // engine.backend.cells))
    _Comparison(engine, kernels, (CONTRIBUTIONS,), _EXPLAINED_ALONE).of(generated.take(rows))


def _if_faster(comparison: "_Comparison", data: bytes, rows: list[Row]) -> Accelerated | Declined:
    speedup = if_faster(comparison.original, comparison.kernels, rows, comparison.outputs)
    if isinstance(speedup, Declined):
        return speedup
    return Accelerated(data, Proof(comparison.rows, comparison.largest, speedup), comparison.shown)


class _Comparison:
    def __init__(
        self, original: Engine, kernels: Engine, outputs: tuple[str, ...], single: int = _SINGLE
    ) -> None:
        """outputs: those to compare. single: rows of each chunk that go one by one as well."""
        self.original, self.kernels = original, kernels
        self.outputs = outputs
        self._single = single
        self.rows = 0
        self.largest = 0.0
        self.shown: list[Shown] = []
        self.shows = _SHOWN_EXTREMES
        """Until so many rows were compared, the first of each chunk are shown."""
        self._labels = original.signature.task == "classifier"

    def bearable(self, sample: Row, tried: dict[int, Any]) -> set[int]:
        """Return the columns where the original takes the value tried; elsewhere the kernels must raise
        too.
        """
        if not tried or self._takes([tried.get(place, own) for place, own in enumerate(sample)]):
            return set(tried)
        return {
            place
            for place, value in tried.items()
            if self._takes([*sample[:place], value, *sample[place + 1 :]])
        }

    def of(self, rows: list[Row]) -> None:
        """Compare the predictions of rows. Raises `Differs`."""
        original = self._run(self.original, rows)
        if original is not None:
            self._agree(original, self._run(self.kernels, rows))
            if self.rows < self.shows:
                self.shown.append(Shown(rows[:_SINGLE], original.part(0, _SINGLE).values))
            self.rows += len(rows)
            for place, row in enumerate(rows[: self._single] if len(rows) > 1 else ()):
                self._agree(original.part(place, place + 1), self._run(self.kernels, [row]))
        elif len(rows) == 1:
            self._both_raise(rows)
        else:
            for row in rows[:_ALONE]:
                self.of([row])

    def _takes(self, row: Row) -> bool:
        taken = self._run(self.original, [row]) is not None
        self.of([row])
        return taken

    def _both_raise(self, rows: list[Row]) -> None:
        if self._run(self.kernels, rows) is not None:
            raise Differs("predict a row on which the original raises.")
        self.rows += 1

    def _run(self, engine: Engine, rows: list[Row]) -> Outputs | None:
        """Return the response, or None if the engine raises."""
        try:
            return engine.run(Request(rows, single=False, outputs=self.outputs))
        except Exception:  # noqa: BLE001  # whatever a model raises: what counts is that the other raises too
            return None

    def _agree(self, original: Outputs, kernels: Outputs | None) -> None:
        if kernels is None:
            raise Differs("raise on a row that the original predicts.")
        found = differences(original, kernels, labels=self._labels)
        wrong = int((found > TOLERANCE).sum())
        if wrong:
            raise Differs(_difference_text(float(np.max(found)), wrong, self.rows + len(found)))
        self.largest = max(self.largest, float(np.max(found, initial=0.0)))


def _difference_text(largest: float, wrong: int, rows: int) -> str:
    what = "in a label" if np.isinf(largest) else f"by {largest:.1g}"
    return f"differ from the original {what} on {wrong:,} of {counted(rows, 'row')}."
