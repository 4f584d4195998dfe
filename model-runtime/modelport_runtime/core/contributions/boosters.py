"""XGBoost, LightGBM and CatBoost explain their own models (`pred_contribs`, `pred_contrib`, ShapValues)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from modelport_runtime.core.backends.base import Backend
from modelport_runtime.core.contributions.explained import MAX_CELLS, TOLERANCE, Matrix, Scale
from modelport_runtime.core.contributions.explainer import NotExplained

_SINGLE_PRECISION = 1e-5
"""XGBoost adds up in single precision."""


class BoosterExplainer:
    """`transform` makes what the booster takes of the backend's input; `sums` as `Sums.of` has it."""

    scale: Scale = "score"

    def __init__(
        self,
        terms: Callable[[Any], Matrix],
        margins: Callable[[Any], Matrix],
        *,
        transform: Callable[[Any], Any],
        sums: Callable[[Matrix], Matrix],
        tolerance: float = TOLERANCE,
    ) -> None:
        """terms: n × outputs × (columns + 1), margins: n × outputs, of what `transform` returns."""
        self._terms, self._margins = terms, margins
        self._transform, self._sums = transform, sums
        self.tolerance = tolerance
        self.outputs = 1
        self.cells = 1

    def explain(self, rows: Any, inputs: Any) -> Matrix:
        terms = self._terms(self._transform(inputs)).astype(np.float64)
        return np.concatenate((self._sums(terms[:, :, :-1]), terms[:, :, -1:]), axis=2)

    def computed(self, inputs: Any) -> Matrix:
        return np.asarray(self._margins(self._transform(inputs)), dtype=np.float64)

    def forget(self) -> None:
        """Do nothing: the booster itself has all that it needs."""

    def settle(self, outputs: int, scale: Scale, seconds: float) -> None:
        """Note what a trial has shown; `seconds`: of a processor, for a row."""
        self.outputs, self.scale = outputs, scale
        # A second for a request, as of the kernels.
        self.cells = max(1, int(seconds * MAX_CELLS))


def _unchanged(given: Any) -> Any:
    return given


def of_backend(backend: Backend) -> BoosterExplainer:
    """Explain a native booster. Raises `NotExplained` for what is none."""
    library = type(backend).__module__.rpartition(".")[2]
    if library == "catboost":
        return _of_catboost(backend._model, _unchanged, _unchanged)  # type: ignore[attr-defined]
    booster = getattr(backend, "_booster", None)
    if library not in ("xgboost", "lightgbm") or booster is None:
        raise NotExplained("Only linear models, trees and boosters have contributions.")
    return of_booster(booster, _unchanged, _unchanged, getattr(backend, "missing", np.nan))


def of_wrapper(
    final: Any, transform: Callable[[Any], Any], sums: Callable[[Matrix], Matrix]
) -> BoosterExplainer:
    """Explain a booster that scikit-learn's methods wrap. Raises `NotExplained` for what is none."""
    library = type(final).__module__.partition(".")[0]
    if library == "xgboost" and hasattr(final, "get_booster"):
        missing = getattr(final, "missing", np.nan)
        return of_booster(final.get_booster(), transform, sums, np.nan if missing is None else missing)
    if library == "lightgbm" and hasattr(final, "booster_"):
        return of_booster(final.booster_, transform, sums)
    raise NotExplained(f"A {type(final).__name__} has no contributions.")


def of_booster(
    booster: Any,
    transform: Callable[[Any], Any],
    sums: Callable[[Matrix], Matrix],
    missing: float = np.nan,
) -> BoosterExplainer:
    """Explain XGBoost's or LightGBM's own `Booster`."""
    if type(booster).__module__.startswith("xgboost"):
        return _of_xgboost(booster, transform, sums, missing)
    return _of_lightgbm(booster, transform, sums)


def _of_xgboost(booster: Any, transform: Any, sums: Any, missing: float) -> BoosterExplainer:
    import xgboost

    best = booster.attr("best_iteration")
    stops = best is not None and booster.attr("scikit_learn") is not None
    # The columns are in the booster's order by now, and arrays have no names to compare.
    options = {
        "validate_features": False,
        "strict_shape": True,
        "iteration_range": (0, int(best) + 1) if stops else (0, 0),
    }

    def data(given: Any) -> Any:
        return xgboost.DMatrix(transform(given), missing=missing, enable_categorical=True, nthread=1)

    return BoosterExplainer(
        lambda matrix: np.asarray(booster.predict(matrix, pred_contribs=True, **options)),
        lambda matrix: np.asarray(booster.predict(matrix, output_margin=True, **options)),
        transform=data,
        sums=sums,
        tolerance=_SINGLE_PRECISION,
    )


def _of_lightgbm(booster: Any, transform: Any, sums: Any) -> BoosterExplainer:
    outputs = int(booster.num_model_per_iteration())

    def terms(matrix: Any) -> Matrix:
        flat = np.asarray(booster.predict(matrix, pred_contrib=True), dtype=np.float64)
        return flat.reshape(len(flat), outputs, -1)

    def margins(matrix: Any) -> Matrix:
        return np.asarray(booster.predict(matrix, raw_score=True)).reshape(-1, outputs)

    return BoosterExplainer(terms, margins, transform=transform, sums=sums)


def _of_catboost(model: Any, transform: Any, sums: Any) -> BoosterExplainer:
    import catboost

    def terms(pool: Any) -> Matrix:
        found = np.asarray(model.get_feature_importance(pool, type="ShapValues", thread_count=1))
        return found[:, None] if found.ndim == 2 else found

    def margins(pool: Any) -> Matrix:
        # By the base class: the others' own methods know fewer kinds.
        found = np.asarray(catboost.CatBoost.predict(model, pool, "RawFormulaVal", thread_count=1))
        return found.reshape(len(found), -1)

    return BoosterExplainer(terms, margins, transform=transform, sums=sums)
