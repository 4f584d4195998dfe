"""AdaBoost: SAMME.R was the default until 1.3 and gone in 1.6; SAMME's scores had another scale until 1.2."""

from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.overriding import give_methods
from modelport_runtime.core.compatibility.versions import Saved


def mend_adaboost(model: Any, saved: Saved) -> None:
    if not saved.before(1, 6):
        return
    if vars(model).get("algorithm", "SAMME.R") == "SAMME.R":
        give_methods(model, _OfProbabilities, saved)
    elif saved.before(1, 3):
        give_methods(model, _OfVotes, saved)


class _Scored:
    def decision_function(self: Any, rows: Any) -> Any:
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        scores = self._scores(self._check_X(rows)) / self.estimator_weights_.sum()
        if self.n_classes_ == 2:
            scores[:, 0] *= -1
            return scores.sum(axis=1)
        return scores


class _OfProbabilities(_Scored):
    """SAMME.R, from equation c of step 2 of algorithm 4 of Zhu et al."""

    def _scores(self: Any, rows: Any) -> Any:
        return sum(_displaced(estimator.predict_proba(rows)) for estimator in self.estimators_)


def _displaced(probabilities: np.ndarray[Any, Any]) -> Any:
    classes = probabilities.shape[1]
    np.clip(probabilities, np.finfo(probabilities.dtype).eps, None, out=probabilities)
    logarithms = np.log(probabilities)
    return (classes - 1) * (logarithms - (1.0 / classes) * logarithms.sum(axis=1)[:, np.newaxis])


class _OfVotes(_Scored):
    def _scores(self: Any, rows: Any) -> Any:
        classes = self.classes_[:, np.newaxis]
        # There are more weights than estimators where training stopped early.
        voting = zip(self.estimators_, self.estimator_weights_, strict=False)
        return sum((estimator.predict(rows) == classes).T * weight for estimator, weight in voting)
