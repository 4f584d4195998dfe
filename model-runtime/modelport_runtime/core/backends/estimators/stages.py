"""A fitted scikit-learn model as its stages, where it is known to do no more than put rows through them.

Known are exact types only: a subclass, or an object with a method of its own, may do anything.
"""

from typing import Any

from modelport_runtime.core.signature import Column

_SEARCHES = {"GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV"}
_LIKELIEST = {"RandomForestClassifier", "ExtraTreesClassifier"}
_ONLY_COMPARE_NAMES = {
    *("StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler", "Normalizer", "Binarizer"),
    *(
        "PowerTransformer",
        "QuantileTransformer",
        "PolynomialFeatures",
        "SimpleImputer",
        "PCA",
        "TruncatedSVD",
    ),
    *("VarianceThreshold", "SelectKBest", "SelectPercentile", "LinearDiscriminantAnalysis"),
    *(
        "LogisticRegression",
        "LogisticRegressionCV",
        "LinearRegression",
        "Ridge",
        "RidgeCV",
        "RidgeClassifier",
    ),
    *(
        "RidgeClassifierCV",
        "Lasso",
        "LassoCV",
        "ElasticNet",
        "ElasticNetCV",
        "BayesianRidge",
        "HuberRegressor",
    ),
    *(
        "PoissonRegressor",
        "GammaRegressor",
        "TweedieRegressor",
        "SGDClassifier",
        "SGDRegressor",
        "Perceptron",
    ),
    *(
        "LinearSVC",
        "LinearSVR",
        "SVC",
        "SVR",
        "NuSVC",
        "NuSVR",
        "GaussianNB",
        "MLPClassifier",
        "MLPRegressor",
    ),
    *("KNeighborsClassifier", "KNeighborsRegressor", "KMeans", "MiniBatchKMeans", "IsolationForest"),
    *("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"),
    *("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor"),
    *("GradientBoostingClassifier", "GradientBoostingRegressor"),
    *("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
}
"""What these do with the names of a DataFrame's columns is to compare them with those of its training."""
_METHODS = {"predict", "predict_proba", "transform", "decision_function"}


def stages_of(estimator: Any) -> list[Any]:
    """Return the transformers and the final estimator of a pipeline, best of a search or not; else itself."""
    if _is_exactly(estimator, _SEARCHES) and hasattr(estimator, "best_estimator_"):
        return stages_of(estimator.best_estimator_)
    if not _is_exactly(estimator, {"Pipeline"}):
        return [estimator]
    steps = [stage for _, stage in estimator.steps]
    transformers = [stage for stage in steps[:-1] if stage is not None and stage != "passthrough"]
    # A final step that passes its input on is no estimator.
    return [estimator] if isinstance(steps[-1], str | None) else [*transformers, *stages_of(steps[-1])]


def predicts_the_likeliest(estimator: Any) -> bool:
    """True if `predict` is the class of the largest of `predict_proba`, the first of equals."""
    return _is_exactly(estimator, _LIKELIEST) and estimator.n_outputs_ == 1


def forget_names(estimator: Any, columns: tuple[Column, ...]) -> bool:
    """Make the model take arrays for DataFrames if the predictions are the same; return whether they are.

    The columns must come in the order of its training. What it no longer knows it cannot compare: with
    the names kept it would warn at every call, which costs more than a scaler does.
    """
    stages = stages_of(estimator)
    if any(column.dtype != "float64" for column in columns) or not all(map(_only_compares_names, stages)):
        return False
    for holder in _with_wrappers(estimator):
        vars(holder).pop("feature_names_in_", None)
    return True


def _only_compares_names(stage: Any) -> bool:
    if not _is_exactly(stage, _ONLY_COMPARE_NAMES) or getattr(stage, "_preprocessor", None) is not None:
        return False
    # Set by `set_output`: it requests a DataFrame between the stages.
    return "_sklearn_output_config" not in vars(stage)


def _with_wrappers(estimator: Any) -> list[Any]:
    wrapped = [estimator]
    if _is_exactly(estimator, _SEARCHES):
        wrapped += _with_wrappers(estimator.best_estimator_)
    elif _is_exactly(estimator, {"Pipeline"}):
        for _, stage in estimator.steps:
            wrapped += [] if isinstance(stage, str | None) else _with_wrappers(stage)
    return wrapped


def _is_exactly(estimator: Any, names: set[str]) -> bool:
    kind = type(estimator)
    if kind.__name__ not in names or not kind.__module__.startswith("sklearn."):
        return False
    return not vars(estimator).keys() & _METHODS
