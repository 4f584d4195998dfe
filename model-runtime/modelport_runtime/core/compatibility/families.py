"""Which estimators are looked at, by the name of the class or of one that it builds on."""

from collections.abc import Callable
from typing import Any

from modelport_runtime.core.compatibility import (
    adaboost,
    attributes,
    boosting,
    encoders,
    ensembles,
    logistic,
    selection,
    trees,
)
from modelport_runtime.core.compatibility.versions import Saved

Mend = Callable[[Any, Saved], None]

_FAMILIES: dict[str, Mend] = {
    "BaseEstimator": attributes.add_parameters,
    "BaseDecisionTree": trees.mend_tree,
    "BaseForest": trees.mend_forest,
    "LogisticRegression": logistic.mend_logistic,
    "AdaBoostClassifier": adaboost.mend_adaboost,
    "BaseGradientBoosting": boosting.mend_gradient_boosting,
    "BaseHistGradientBoosting": boosting.mend_histogram_gradient_boosting,
    "IsolationForest": ensembles.mend_isolation_forest,
    "StackingClassifier": ensembles.mend_stacking,
    "OneVsRestClassifier": ensembles.mend_one_against_rest,
    "NearestCentroid": ensembles.mend_centroids,
    "SelectorMixin": selection.mend_selector,
    "SelectFromModel": selection.mend_threshold,
    "_BaseEncoder": encoders.mend_encoder,
    "ColumnTransformer": encoders.mend_column_transformer,
    "FunctionTransformer": encoders.mend_function,
    "SplineTransformer": encoders.mend_splines,
    "KNNImputer": encoders.refuse_changing_width,
    "IterativeImputer": encoders.mend_iterative_imputer,
    "SGDClassifier": attributes.mend_gradient_descent,
    "SimpleImputer": attributes.mend_imputer,
    "TfidfTransformer": attributes.mend_text_weights,
    "KernelPCA": attributes.mend_kernel_components,
    "_PLS": attributes.mend_pls,
    "_RidgeClassifierMixin": attributes.mend_ridge_classifier,
}


def mend(part: Any, saved: Saved) -> None:
    """Mend one estimator of a model, or nothing. Raises `LoadError` (LibraryMismatch)."""
    ours = [kind for kind in type(part).__mro__ if kind.__module__.startswith("sklearn.")]
    if ours:
        ensembles.mend_renamed(part, saved)
    # Base classes first: what they set is there for what builds on them.
    for kind in reversed(ours):
        if kind.__name__ in _FAMILIES:
            _FAMILIES[kind.__name__](part, saved)
