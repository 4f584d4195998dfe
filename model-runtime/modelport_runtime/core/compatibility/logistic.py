"""Logistic regression: until 1.7 `multi_class` and the solver decided how scores become probabilities."""

from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.methods import give_methods
from modelport_runtime.core.compatibility.versions import Saved


def mend_logistic(model: Any, saved: Saved) -> None:
    """Give a fitted one the probabilities of then, until 1.7, where they differ.

    Raises `LoadError` (LibraryMismatch) for an own class.
    """
    if not saved.before(1, 8) or not hasattr(model, "classes_"):
        return
    several = len(model.classes_) > 2
    if _one_against_rest(model, saved) == several:
        give_methods(model, _NormalizedSigmoids if several else _SoftmaxOfTwo, saved)


def _one_against_rest(model: Any, saved: Saved) -> bool:
    chosen = vars(model).get("multi_class", "auto")
    if chosen in ("ovr", "warn"):
        return True
    solvers = {"liblinear"}
    if not saved.before(1, 2) and saved.before(1, 6):
        solvers.add("newton-cholesky")
    return chosen in ("auto", "deprecated") and (len(model.classes_) <= 2 or model.solver in solvers)


class _NormalizedSigmoids:
    def predict_proba(self: Any, rows: Any) -> Any:
        return self._predict_proba_lr(rows)


class _SoftmaxOfTwo:
    def predict_proba(self: Any, rows: Any) -> Any:
        from sklearn.utils.extmath import softmax

        scores = self.decision_function(rows)
        return softmax(np.c_[-scores, scores], copy=False)
