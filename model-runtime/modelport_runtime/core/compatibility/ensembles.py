"""Ensembles and wrappers: renamed, moved or computed attributes, and AdaBoost, whose SAMME.R went in 1.6."""

from typing import Any

import numpy as np

from modelport_runtime.core.compatibility.methods import give_methods
from modelport_runtime.core.compatibility.versions import Saved


def mend_adaboost(model: Any, saved: Saved) -> None:
    """Give it the scores of then: SAMME.R's until 1.5, SAMME's until 1.2.

    Raises `LoadError` (LibraryMismatch) for an own class.
    """
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


_RENAMED = {"base_estimator": "estimator", "base_estimator_": "estimator_"}


def mend_renamed(holder: Any, _saved: Saved) -> None:
    """Set `estimator` from `base_estimator`, and `estimator_` likewise, unless they are there already."""
    given = vars(holder)
    for old, new in _RENAMED.items():
        if old in given:
            given.setdefault(new, given[old])


def mend_isolation_forest(forest: Any, saved: Saved) -> None:
    """Until 1.5 it refused missing values, and until 1.2 it computed path lengths at every call."""
    if not hasattr(forest, "estimators_"):
        return
    if saved.before(1, 6):
        give_methods(forest, _OnlyFinite, saved)
    if not hasattr(forest, "_decision_path_lengths"):
        _remember_path_lengths(forest)


def _remember_path_lengths(forest: Any) -> None:
    from sklearn.ensemble._iforest import _average_path_length

    trees = [tree.tree_ for tree in forest.estimators_]
    forest._average_path_length_per_tree = tuple(_average_path_length(tree.n_node_samples) for tree in trees)
    forest._decision_path_lengths = tuple(tree.compute_node_depths() for tree in trees)


class _OnlyFinite:
    def score_samples(self: Any, rows: Any) -> Any:
        from sklearn.utils.validation import validate_data

        finite = validate_data(self, rows, accept_sparse="csr", dtype=np.float32, reset=False)
        return super().score_samples(finite)  # type: ignore[misc]  # of the estimator that this is mixed into

    def decision_function(self: Any, rows: Any) -> Any:
        return self.score_samples(rows) - self.offset_


def mend_stacking(model: Any, _saved: Saved) -> None:
    """1.1 had the encoder under another name."""
    if "_le" in vars(model):
        vars(model).setdefault("_label_encoder", model._le)


def mend_one_against_rest(model: Any, saved: Saved) -> None:
    """Until 1.7 the last of equally likely classes won, now the first."""
    if saved.before(1, 8) and hasattr(model, "estimators_"):
        give_methods(model, _LastOfEquals, saved)


class _LastOfEquals:
    def predict(self: Any, rows: Any) -> Any:
        from sklearn.multiclass import _predict_binary
        from sklearn.utils.validation import check_is_fitted

        check_is_fitted(self)
        if self.label_binarizer_.y_type_ != "multiclass":
            return super().predict(rows)  # type: ignore[misc]  # of the estimator that this is mixed into
        scores = np.array([_predict_binary(estimator, rows) for estimator in self.estimators_])
        # From the first NaN on nothing was the largest.
        largest = scores == np.maximum.accumulate(scores)
        last = len(scores) - 1 - np.argmax(largest[::-1], axis=0)
        return self.classes_[np.where(largest.any(axis=0), last, 0)]


def mend_centroids(model: Any, saved: Saved) -> None:
    """Until 1.5 it knew no priors and gave no probabilities."""
    if saved.before(1, 6) and hasattr(model, "classes_"):
        model.class_prior_ = np.full(len(model.classes_), 1 / len(model.classes_))
        give_methods(model, _OnlyNearest, saved)


class _OnlyNearest:
    @property
    def predict_proba(self) -> Any:
        raise AttributeError("predict_proba")

    predict_log_proba = decision_function = predict_proba
