"""What boosters give, from native files and from their wrappers: labels, and only probabilities as such."""

from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import xgboost
from modelport_runtime.core.backends.sklearn import EstimatorBackend

from tests.runtime.unit.core.conftest import open_engine, predict
from tests.support import models

X = np.random.default_rng(0).normal(size=(60, 3))
ROWS = X[:4].tolist()
ONE = (X[:, 0] > 0).astype(int)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
LABELS = (X > 0).astype(int)


def engines(model: Any, folder: Path) -> list[Any]:
    """Open the native file, and the pickled wrapper."""
    framework = "xgboost" if isinstance(model, xgboost.XGBModel) else "lightgbm"
    path = folder / "model.json"
    if framework == "xgboost":
        model.save_model(path)
    else:
        model.booster_.save_model(path)
    wrapper = models.save_joblib(model, folder)
    return [open_engine(path, framework), open_engine(wrapper, framework)]


@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
def test_each_label_has_its_own_probabilities(strategy: str, tmp_path: Path) -> None:
    model = xgboost.XGBClassifier(n_estimators=3, multi_strategy=strategy).fit(X, LABELS)
    for engine in engines(model, tmp_path):
        given = predict(engine, {"inputs": ROWS, "return": ["probabilities", "prediction"]})
        assert given["predictions"] == model.predict(ROWS).tolist()
        ones = np.array([[label["1"] for label in row] for row in given["probabilities"]])
        assert ones == pytest.approx(model.predict_proba(ROWS), abs=1e-6)
        assert all(sum(label.values()) == pytest.approx(1) for row in given["probabilities"] for label in row)


def test_a_regressor_of_several_targets_gives_them_all(tmp_path: Path) -> None:
    model = xgboost.XGBRegressor(n_estimators=3).fit(X, X)
    for engine in engines(model, tmp_path):
        assert np.array(predict(engine, {"inputs": ROWS})["predictions"]) == pytest.approx(
            model.predict(ROWS)
        )


SCORES = {
    "logits": (xgboost.XGBClassifier(n_estimators=3, objective="binary:logitraw"), ONE),
    "each class against all": (
        lightgbm.LGBMClassifier(n_estimators=3, objective="multiclassova", verbose=-1), THREE
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(SCORES))
def test_scores_are_not_called_probabilities(name: str, tmp_path: Path) -> None:
    model, target = SCORES[name]
    model.fit(X, target)
    logits = name == "logits"
    wanted = model.predict(ROWS, output_margin=True) if logits else model.predict_proba(ROWS)
    for engine in engines(model, tmp_path):
        assert engine.signature.outputs[:2] == ("prediction", "scores")
        given = predict(engine, {"inputs": ROWS, "return": ["scores", "prediction"]})
        assert np.array(given["scores"]) == pytest.approx(wanted, abs=1e-6)
        assert given["predictions"] == model.predict(ROWS).tolist()


def test_an_objective_of_ones_own_gives_no_probabilities() -> None:
    def squares(target: Any, score: Any) -> Any:
        return score - target, np.ones_like(score)

    model = lightgbm.LGBMClassifier(n_estimators=3, objective=squares, verbose=-1).fit(X, ONE)
    backend = EstimatorBackend(model, {})
    assert backend.signature.outputs[:2] == ("prediction", "scores")
    assert backend.predict(X[:4], ("scores",)).values["scores"] == model.predict_proba(X[:4]).tolist()
