"""Linear models."""

from typing import Any, Literal

import numpy as np

from modelport_runtime.core.acceleration import plan
from modelport_runtime.core.acceleration.converters.blocks import Matrix, floats, require
from modelport_runtime.core.acceleration.plan import pack

CLASSIFIERS = {
    *("LogisticRegression", "LogisticRegressionCV", "RidgeClassifier", "RidgeClassifierCV"),
    *("SGDClassifier", "Perceptron", "LinearSVC"),
}
REGRESSORS = {
    *("LinearRegression", "Ridge", "RidgeCV", "Lasso", "LassoCV", "ElasticNet", "ElasticNetCV"),
    *("SGDRegressor", "LinearSVR"),
}


def classifier(stage: Any, block: Matrix, classes: list[Any]) -> tuple[Matrix, plan.Final]:
    """The kernel of linear models checks its own input."""
    coefficients = np.atleast_2d(floats(stage.coef_))
    scores = 1 if len(classes) == 2 else len(classes)
    require(coefficients.shape == (scores, block.width), "A linear model has several outputs.")
    intercepts = np.broadcast_to(floats(stage.intercept_), (scores,))
    final = plan.LinearClassifier(pack(coefficients.T), pack(intercepts), classes, _link(stage, classes))
    return block, final


def _link(stage: Any, classes: list[Any]) -> Literal["none", "softmax", "one_versus_rest"]:
    if not hasattr(stage, "predict_proba"):
        return "none"
    if type(stage).__name__ == "SGDClassifier":
        require(stage.loss == "log_loss", f"SGDClassifier's probabilities of {stage.loss} have no kernel.")
        return "one_versus_rest"
    return "one_versus_rest" if len(classes) == 2 else "softmax"


def regressor(stage: Any, block: Matrix) -> tuple[Matrix, plan.Final]:
    """Return the block and what predicts from it. Raises `NotConverted` for several outputs."""
    coefficients = floats(stage.coef_)
    require(coefficients.shape == (block.width,), "A linear model has several outputs.")
    intercept = floats(stage.intercept_).ravel()
    require(len(intercept) == 1, "A linear model has several outputs.")
    return block, plan.LinearRegressor(pack(coefficients[:, None]), float(intercept[0]))
