"""What has no kernels is served as it is, and /status says why in a sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from modelport_runtime.core.acceleration import Declined, accelerate, timing
from modelport_runtime.core.acceleration.converters import trees
from modelport_runtime.core.engine import Engine
from sklearn import datasets
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, StandardScaler
from sklearn.tree import DecisionTreeRegressor

from tests.runtime.unit.acceleration import trained
from tests.support import models

Serve = Callable[..., Engine]


def _iris(model: Any) -> Any:
    return model.fit(*models.iris())


def _two_targets(model: Any) -> Any:
    data = datasets.load_linnerud()
    return model.fit(data.data, data.target)


def _single_precision() -> Any:
    data, species = models.iris()
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(data.astype(np.float32), species)


DECLINED: dict[str, tuple[Callable[[], Any], str]] = {
    "GaussianNB": (lambda: _iris(GaussianNB()), "GaussianNB has no kernel"),
    "PolynomialFeatures": (
        lambda: _iris(
            make_pipeline(PolynomialFeatures(), StandardScaler(), LogisticRegression(max_iter=500))
        ),
        "PolynomialFeatures has no kernel",
    ),
    "VotingClassifier": (
        lambda: _iris(VotingClassifier([("one", LogisticRegression(max_iter=500))])),
        "VotingClassifier has no kernel",
    ),
    "a function": (
        lambda: _iris(make_pipeline(FunctionTransformer(np.log1p), LogisticRegression(max_iter=500))),
        "function of its own",
    ),
    "modified Huber": (
        lambda: _iris(SGDClassifier(loss="modified_huber", random_state=0)),
        "modified_huber have no kernel",
    ),
    "two targets, linear": (lambda: _two_targets(LinearRegression()), "several outputs"),
    "two targets, a tree": (lambda: _two_targets(DecisionTreeRegressor()), "several outputs"),
    "a start of its own": (
        lambda: _iris(GradientBoostingClassifier(init=GaussianNB(), n_estimators=3)),
        "starts from a GaussianNB",
    ),
    "single precision": (_single_precision, "single precision"),
    "texts": (lambda: models.text_classifier().model, "takes no rows of columns"),
    "a transformer": (lambda: StandardScaler().fit(models.iris()[0]), "A transformer has no kernels"),
}


@pytest.mark.parametrize("name", DECLINED)
def test_that_the_reason_is_reported(name: str, serve: Serve) -> None:
    make, why = DECLINED[name]
    result = accelerate(serve(make()))
    assert isinstance(result, Declined), result
    assert why in result.detail


def test_that_too_large_a_forest_is_not_collected(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MAX_NODES", 100)
    for model in (RandomForestClassifier(20, random_state=0), GradientBoostingClassifier(n_estimators=20)):
        result = accelerate(serve(_iris(model)))
        assert result == Declined("The trees have more than 100 nodes.")


def test_that_what_the_original_raises_in_conversion_is_reported(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = serve(trained.CASES["linear"]())
    del engine.backend.estimator.coef_  # type: ignore[attr-defined]
    result = accelerate(engine)
    assert isinstance(result, Declined)
    assert result.detail.startswith("The conversion failed: AttributeError")


def test_kernels_that_are_not_faster(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "speedup", lambda original, kernels, request: 3.0 / len(request.rows))
    result = accelerate(serve(_iris(LogisticRegression(max_iter=500))), seconds=5.0)
    assert isinstance(result, Declined)
    assert result.detail == "The kernels agree, but are not faster: 3.0 times for 1 row, 0.1 for 32."
