"""The outputs of an estimator by the methods that it has."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from modelport_runtime.core.backends.estimators.probabilities import Probabilities
from modelport_runtime.core.backends.estimators.results import rows_of
from modelport_runtime.core.backends.estimators.stages import predicts_the_likeliest
from modelport_runtime.core.responses import plain
from modelport_runtime.core.signature import METHOD_OUTPUTS
from modelport_runtime.core.types import Outputs

BOTH = ("prediction", "probabilities")
PREDICTING = ("predict", "transform", "score_samples")
"""The first of these that an estimator has gives its prediction: densities have nothing but scores."""


class EstimatorOutputs:
    """`final` is the last stage of `estimator`, which gets what the others made of the rows."""

    def __init__(self, estimator: Any, final: Any) -> None:
        self._estimator, self._final = estimator, final
        self._scores = _scores_of(final)
        self._probabilities = Probabilities(estimator, final)
        self._both_at_once = predicts_the_likeliest(final)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Raises `LoadError` if two of the classes cannot be distinguished."""
        names = ["prediction"]
        if hasattr(self._estimator, "predict_proba"):
            names.append("probabilities" if self._scores is None else "scores")
            _ = self._probabilities.keys
        return (*names, *(name for name in METHOD_OUTPUTS if hasattr(self._estimator, name)))

    def of(self, transformed: Any, wanted: tuple[str, ...]) -> Outputs:
        """Return the outputs wanted, in that order, of rows that all stages but the last have transformed."""
        if wanted == BOTH and self._both_at_once:
            return self._likeliest(transformed)
        values, arrays = {}, {}
        for name in wanted:
            given = self._call(name, transformed)
            if isinstance(given, np.ndarray):
                arrays[name] = given
            values[name] = self._read(name, given, partial(self._predict, transformed))
        return Outputs(values, arrays)

    def _likeliest(self, transformed: Any) -> Outputs:
        """Two outputs for the work of one."""
        given = self._final.predict_proba(transformed)
        prediction = self._final.classes_.take(np.argmax(given, axis=1), axis=0)
        listed = [plain(prediction), self._read("probabilities", given, lambda: prediction)]
        return Outputs(
            dict(zip(BOTH, listed, strict=True)), dict(zip(BOTH, [prediction, given], strict=True))
        )

    def _call(self, name: str, transformed: Any) -> Any:
        if name == "probabilities":
            return self._final.predict_proba(transformed)
        if name == "prediction":
            return rows_of(self._predict(transformed), "predict")
        if name == "scores" and self._scores is not None:
            return rows_of(self._scores(transformed), name)
        return rows_of(getattr(self._final, name)(transformed), name)

    def _read(self, name: str, given: Any, predict: Callable[[], Any]) -> list[Any]:
        if name == "probabilities":
            return self._probabilities(given, predict)
        listed: list[Any] = plain(given)
        return listed

    def _predict(self, transformed: Any) -> Any:
        method = next(method for method in PREDICTING if hasattr(self._final, method))
        return getattr(self._final, method)(transformed)


def _scores_of(final: Any) -> Callable[[Any], Any] | None:
    """Return what computes the scores of a booster whose `predict_proba` gives no probabilities."""
    library = type(final).__module__.partition(".")[0]
    if library == "xgboost" and hasattr(final, "get_booster"):
        raw = callable(final.objective) or final.objective == "binary:logitraw"
        return partial(final.predict, output_margin=True) if raw else None
    if library == "lightgbm" and hasattr(final, "objective_"):
        # Each class against all others: they do not sum to 1.
        apart = callable(final.objective_) or final.objective_ in _ONE_VERSUS_ALL
        return getattr(final, "predict_proba", None) if apart else None
    return None


_ONE_VERSUS_ALL = {"multiclassova", "multiclass_ova", "ova", "ovr"}
