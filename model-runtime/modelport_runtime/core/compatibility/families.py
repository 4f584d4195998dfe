"""Which estimators are looked at, by the name of a class they build on, and what older ones did not keep."""

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

from modelport_runtime.core.compatibility import columns, ensembles, logistic, trees
from modelport_runtime.core.compatibility.versions import Saved


def add_parameters(estimator: Any, _saved: Saved) -> None:
    """Set parameters that came later to their default, which keeps what was done before they came."""
    given = vars(estimator)
    known: Any = next(kind for kind in type(estimator).__mro__ if kind.__module__.startswith("sklearn."))
    for name, parameter in signature(known.__init__).parameters.items():
        if name in given or parameter.default is Parameter.empty:
            continue
        renamed = given.get("base_estimator") if name == "estimator" else None
        given[name] = parameter.default if renamed is None else renamed


def mend_imputer(imputer: Any, _saved: Saved) -> None:
    """Then it filled in what it had learned, as it was."""
    if hasattr(imputer, "statistics_") and not hasattr(imputer, "_fill_dtype"):
        imputer._fill_dtype = imputer.statistics_.dtype


def mend_gradient_descent(model: Any, _saved: Saved) -> None:
    """Until 1.2 the loss that gives probabilities had another name as well."""
    if vars(model).get("loss") == "log":
        model.loss = "log_loss"


def mend_text_weights(transformer: Any, _saved: Saved) -> None:
    """Until 1.4 the weights lay on the diagonal of a matrix."""
    weights = vars(transformer).pop("_idf_diag", None)
    if weights is not None:
        transformer.idf_ = weights.diagonal()


def mend_pls(model: Any, saved: Saved) -> None:
    """Until 1.4 the coefficients were those of scaled rows."""
    if not saved.before(1, 5) or not hasattr(model, "_x_std"):
        return
    scaled = vars(model).get("_coef_", vars(model).get("coef_"))
    model.coef_ = scaled / model._x_std
    if not hasattr(model, "_predict_1d"):
        model._predict_1d = False


def mend_ridge_classifier(model: Any, _saved: Saved) -> None:
    """Set the classes of a fitted one from its label binarizer, unless it has them."""
    if not hasattr(model, "classes_") and "_label_binarizer" in vars(model):
        model.classes_ = model._label_binarizer.classes_


def mend_kernel_components(model: Any, _saved: Saved) -> None:
    """Until 1.2 the kernel itself took the default of `gamma`."""
    if hasattr(model, "eigenvalues_") and not hasattr(model, "gamma_"):
        model.gamma_ = 1 / model.n_features_in_ if model.gamma is None else model.gamma


Mend = Callable[[Any, Saved], None]

_FAMILIES: dict[str, Mend] = {
    "BaseEstimator": add_parameters,
    "BaseDecisionTree": trees.mend_tree,
    "BaseForest": trees.mend_forest,
    "LogisticRegression": logistic.mend_logistic,
    "AdaBoostClassifier": ensembles.mend_adaboost,
    "BaseGradientBoosting": trees.mend_gradient_boosting,
    "BaseHistGradientBoosting": trees.mend_histogram_gradient_boosting,
    "IsolationForest": ensembles.mend_isolation_forest,
    "StackingClassifier": ensembles.mend_stacking,
    "OneVsRestClassifier": ensembles.mend_one_against_rest,
    "NearestCentroid": ensembles.mend_centroids,
    "SelectorMixin": columns.mend_selector,
    "SelectFromModel": columns.mend_threshold,
    "_BaseEncoder": columns.mend_encoder,
    "ColumnTransformer": columns.mend_column_transformer,
    "FunctionTransformer": columns.mend_function,
    "SplineTransformer": columns.mend_splines,
    "KNNImputer": columns.refuse_changing_width,
    "IterativeImputer": columns.mend_iterative_imputer,
    "SGDClassifier": mend_gradient_descent,
    "SimpleImputer": mend_imputer,
    "TfidfTransformer": mend_text_weights,
    "KernelPCA": mend_kernel_components,
    "_PLS": mend_pls,
    "_RidgeClassifierMixin": mend_ridge_classifier,
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
