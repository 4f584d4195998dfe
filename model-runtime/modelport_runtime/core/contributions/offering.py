"""Whether a loaded model has contributions: it is tried on rows made from its signature."""

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from modelport_runtime.core.acceleration.converters.blocks import (
    NOTHING,
    Block,
    NotConverted,
    Raw,
    as_matrix,
)
from modelport_runtime.core.acceleration.converters.walk import transformed
from modelport_runtime.core.acceleration.generated_rows import GeneratedRows
from modelport_runtime.core.acceleration.input_columns import Mixed, input_columns
from modelport_runtime.core.acceleration.kernels.contributions import Sums
from modelport_runtime.core.acceleration.origins import Hints
from modelport_runtime.core.backends.estimators.stages import stages_of
from modelport_runtime.core.contributions import boosters
from modelport_runtime.core.contributions.backend import ExplainedBackend
from modelport_runtime.core.contributions.boosters import BoosterExplainer
from modelport_runtime.core.contributions.estimators import EstimatorExplainer
from modelport_runtime.core.contributions.explained import MAX_CELLS, Matrix, Scale, add_up, can_be_named
from modelport_runtime.core.contributions.explainer import NotExplained
from modelport_runtime.core.engine import Engine, describe_error

log = logging.getLogger(__name__)

_MOST_ROWS, _FEWEST_ROWS = 64, 4
_CELLS = 1_000_000
"""Numbers to compute for the trial: some hundredths of a second."""


def offer_contributions(engine: Engine) -> None:
    """Let the engine return contributions too, if the model has any that add up. Never raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            engine.extend(_explained(engine))
    except NotExplained as why:
        log.info("no_contributions", extra={"detail": str(why)})
    except BaseException as error:  # noqa: BLE001  # the model's own code runs in here
        log.info("no_contributions", extra={"detail": describe_error(error)})


def _explained(engine: Engine) -> ExplainedBackend:
    backend, signature = engine.backend, engine.signature
    if signature.input != "rows" or not can_be_named(signature) or engine.sample is None:
        raise NotExplained("The model takes no rows of columns with names of their own.")
    if signature.task not in ("classifier", "regressor"):
        raise NotExplained(f"A {signature.task} has no contributions.")
    explainer = _explainer(engine)
    trial = _Trial(engine, explainer)
    if isinstance(explainer, BoosterExplainer):
        trial.settle(explainer)
    else:
        trial.check()
    return ExplainedBackend(backend, signature, explainer)


def _explainer(engine: Engine) -> EstimatorExplainer | BoosterExplainer:
    estimator = getattr(engine.backend, "estimator", None)
    if estimator is None:
        return boosters.of_backend(engine.backend)
    *transformers, final = stages_of(estimator)
    if type(final).__module__.startswith("sklearn."):
        return EstimatorExplainer(engine.backend, engine.signature)
    width = len(engine.signature.columns or ())
    places = _places_behind(transformers, engine)
    return boosters.of_wrapper(final, _through(transformers), Sums(places, width).of)


def _through(transformers: Sequence[Any]) -> Callable[[Any], Any]:
    def transform(inputs: Any) -> Any:
        for transformer in transformers:
            inputs = transformer.transform(inputs)
        return inputs

    return transform


def _places_behind(transformers: Sequence[Any], engine: Engine) -> Any:
    """Return which input column each column is of that the transformers make. Raises `NotExplained`."""
    columns = engine.signature.columns or ()
    if not transformers:
        return np.arange(len(columns))
    block: Block = Raw(tuple(range(len(columns))), columns, (NOTHING,) * len(columns))
    try:
        for stage in transformers:
            block = transformed(stage, block)
        return input_columns(as_matrix(block).part)
    except (NotConverted, Mixed) as why:
        raise NotExplained(str(why)) from None


class _Trial:
    """Explains generated rows that the model predicts."""

    def __init__(self, engine: Engine, explainer: EstimatorExplainer | BoosterExplainer) -> None:
        self._engine, self._explainer = engine, explainer
        self._assemble = engine.backend.assembler(engine.signature)
        hints = explainer.hints if isinstance(explainer, EstimatorExplainer) else Hints()
        cells = explainer.cells
        if cells > MAX_CELLS:
            raise NotExplained("The model's trees are too many for contributions.")
        self._rows = self._predicted(hints, max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // cells)))

    def check(self) -> None:
        """Raise `NotExplained` unless all terms add up to what the model computes."""
        inputs = self._assemble(self._rows)
        explained = self._explainer.explain(self._rows, inputs)
        self._add_up(explained, self._explainer.computed(inputs))

    def settle(self, explainer: BoosterExplainer) -> None:
        """Check, and find out by the numbers what they are parts of. Raises `NotExplained`."""
        inputs = self._assemble(self._rows)
        explainer.explain(self._rows[:1], self._assemble(self._rows[:1]))
        started = time.process_time()
        explained = explainer.explain(self._rows, inputs)
        seconds = (time.process_time() - started) / len(self._rows)
        computed = explainer.computed(inputs)
        self._add_up(explained, computed)
        explainer.settle(computed.shape[1], self._scale(inputs, computed), seconds)

    def _add_up(self, explained: Matrix, computed: Matrix) -> None:
        signature = self._engine.signature
        shape = (len(self._rows), computed.shape[1], len(signature.columns or ()) + 1)
        if explained.shape != shape or computed.shape[1] not in (1, len(signature.classes or ())):
            raise NotExplained("The model has several outputs.")
        if not add_up(explained, computed, self._explainer.tolerance):
            raise NotExplained("Base and contributions do not add up to what the model computes.")

    def _scale(self, inputs: Any, computed: Matrix) -> Scale:
        signature, predict = self._engine.signature, self._engine.backend.predict
        if signature.task == "regressor":
            predicted = np.array(predict(inputs, ("prediction",)).values["prediction"], dtype=np.float64)
            return _scale_of_numbers(predicted, computed[:, 0])
        if computed.shape[1] > 1 or "probabilities" not in signature.outputs:
            return "score"
        rows = predict(inputs, ("probabilities",)).values["probabilities"]
        shares = np.array([list(row.values())[-1] for row in rows])
        return "log_odds" if _alike(shares, 1 / (1 + np.exp(-computed[:, 0]))) else "score"

    def _predicted(self, hints: Hints, count: int) -> list[Any]:
        """Return the sample and rows like it, as far as the model predicts them."""
        engine = self._engine
        assert engine.sample is not None  # noqa: S101  # see `_explained`
        (sample,) = engine.decode_sample(engine.sample).rows
        columns = engine.signature.columns or ()
        optional = {place for place, column in enumerate(columns) if column.optional}
        rows = [list(sample)]
        for missing in (set[int](), optional) if optional else (set[int](),):
            generated = GeneratedRows(columns, list(sample), hints, missing=missing, unknown=set())
            rows += self._bearable(generated.take(count))
        return rows

    def _bearable(self, rows: list[Any]) -> list[Any]:
        if self._takes(rows):
            return rows
        return [row for row in rows if self._takes([row])]

    def _takes(self, rows: list[Any]) -> bool:
        try:
            self._engine.backend.predict(self._assemble(rows), ("prediction",))
        except Exception:  # noqa: BLE001  # whatever a model raises on a row that nobody sent
            return False
        return True


def _scale_of_numbers(predicted: Matrix, computed: Matrix) -> Scale:
    if _alike(predicted, computed):
        return "prediction"
    with np.errstate(all="ignore"):
        return "log_prediction" if _alike(predicted, np.exp(computed)) else "score"


def _alike(one: Matrix, other: Matrix) -> bool:
    return bool(np.allclose(one, other, rtol=1e-4, atol=1e-6))
