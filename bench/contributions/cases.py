"""The models: one or more of each kind that has contributions, trained on other rows than are explained."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from catboost import CatBoostClassifier, CatBoostRegressor
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, Ridge, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from xgboost import XGBClassifier, XGBRegressor, XGBRFClassifier

from bench.contributions import references

ROWS = 10_000
_COLUMNS = 8
_CITIES = ("Bern", "Lima", "Oslo", "Rome")
_MIXED = ("age", "income", "debt", "city")


@dataclass(frozen=True)
class Data:
    """The first half trains, the second is explained. `gaps`: with missing values; `mixed`: with texts;
    `sign`: `two` as numbers, which XGBoost wants.
    """

    numbers: Any
    gaps: Any
    mixed: pd.DataFrame
    two: Any
    sign: Any
    three: Any
    target: Any


def data_of() -> Data:
    """Always the same."""
    draw = np.random.default_rng(0)
    numbers, three = make_classification(
        2 * ROWS, _COLUMNS, n_informative=6, n_redundant=1, n_classes=3, random_state=0
    )
    gaps = np.where(draw.random(numbers.shape) < 0.1, np.nan, numbers)
    mixed = pd.DataFrame(gaps[:, :3], columns=list(_MIXED[:3]))
    mixed["city"] = draw.choice(_CITIES, len(mixed)).astype(object)
    target = np.abs(numbers[:, 0] + 2 * numbers[:, 1] * numbers[:, 2] + draw.normal(0, 1, len(numbers)))
    return Data(numbers, gaps, mixed, np.array(["no", "yes"])[three % 2], three % 2, three, target)


@dataclass(frozen=True)
class Case:
    """`x` and `y`: fields of `Data`. `computed`: what base and contributions add up to, n × outputs."""

    name: str
    make: Callable[[], Any]
    x: str
    y: str
    beside: str
    reference: Callable[[Any, Any], Any]
    computed: Callable[[Any, Any], Any]
    framework: str = "sklearn"
    suffix: str = ".joblib"

    def fit(self, data: Data) -> Any:
        return self.make().fit(getattr(data, self.x)[:ROWS], getattr(data, self.y)[:ROWS])

    def rows(self, data: Data) -> Any:
        return getattr(data, self.x)[ROWS:]

    def save(self, model: Any, path: Path) -> None:
        """By the library's own way where it has one."""
        if self.suffix == ".joblib":
            joblib.dump(model, path)
        elif self.framework == "lightgbm":
            model.booster_.save_model(path)
        else:
            model.save_model(path)

    def as_json(self, rows: Any) -> list[Any]:
        """Lists by position; null for a missing value."""
        values = rows.to_numpy() if isinstance(rows, pd.DataFrame) else rows
        return [[None if pd.isna(each) else each for each in row] for row in values.tolist()]


def _probabilities(model: Any, x: Any) -> Any:
    return model.predict_proba(x)


def _predicted(model: Any, x: Any) -> Any:
    return np.asarray(model.predict(x), dtype=np.float64).reshape(len(x), -1)


def _decided(model: Any, x: Any) -> Any:
    return np.asarray(model.decision_function(x)).reshape(len(x), -1)


def _log_predicted(model: Any, x: Any) -> Any:
    return np.log(_predicted(model, x))


def _xgboost_margin(model: Any, x: Any) -> Any:
    return np.asarray(model.predict(x, output_margin=True), dtype=np.float64).reshape(len(x), -1)


def _lightgbm_score(model: Any, x: Any) -> Any:
    return np.asarray(model.predict(x, raw_score=True)).reshape(len(x), -1)


def _catboost_value(model: Any, x: Any) -> Any:
    return np.asarray(model.predict(x, prediction_type="RawFormulaVal")).reshape(len(x), -1)


def _of_zero(model: Any, x: Any) -> Any:
    """Of a linear model alone, whose reference is 0."""
    return references.lines(model, x, np.zeros((1, x.shape[1])))


def _of_mean(model: Any, x: Any) -> Any:
    """Behind a scaler the mean of the training data is 0: shap is given that mean, not 0."""
    scaler, final = model[0], model[-1]
    return references.lines(final, scaler.transform(x), scaler.transform(scaler.mean_[None]))


def _mixed(explain: Callable[[Any, Any], Any], model: Any, x: Any) -> Any:
    """The encoder's columns stand first."""
    made = model[:-1].transform(x)
    dense = made.toarray() if hasattr(made, "toarray") else made
    places = [3] * (dense.shape[1] - 3) + [0, 1, 2]
    return references.by_input(explain(model[-1], dense), places, len(_MIXED))


def _prepared(final: Any) -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["city"]), (numbers, list(_MIXED[:3]))
    )
    return make_pipeline(columns, final)


def _through(computed: Callable[[Any, Any], Any], model: Any, x: Any) -> Any:
    return computed(model[-1], model[:-1].transform(x))


_FOREST: dict[str, Any] = {"n_estimators": 25, "max_depth": 7, "random_state": 0}
_BOOSTED: dict[str, Any] = {"n_estimators": 40, "max_depth": 4, "random_state": 0}
_ITERATED: dict[str, Any] = {"max_iter": 40, "max_leaf_nodes": 15, "random_state": 0}
_LEAVES: dict[str, Any] = {"n_estimators": 40, "num_leaves": 15, "verbose": -1, "random_state": 0}
_CAT: dict[str, Any] = {
    "iterations": 40, "depth": 4, "verbose": False, "random_seed": 0, "allow_writing_files": False,
}  # fmt: skip
_TREES, _LINES = "`shap.TreeExplainer`", "`shap.LinearExplainer`"
_XGBOOST, _LIGHTGBM, _CATBOOST = "`pred_contribs`", "`pred_contrib`", "`ShapValues`"


def _tree(name: str, make: Callable[[], Any], x: str, y: str, computed: Any) -> Case:
    return Case(name, make, x, y, _TREES, references.trees, computed)


CASES = (
    _tree("decision tree, 3 classes", lambda: DecisionTreeClassifier(max_depth=8, random_state=0),
          "numbers", "three", _probabilities),
    _tree("decision tree, numbers", lambda: DecisionTreeRegressor(max_depth=8, random_state=0),
          "numbers", "target", _predicted),
    _tree("random forest, 2 classes", lambda: RandomForestClassifier(**_FOREST), "numbers", "two",
          _probabilities),
    _tree("random forest, 3 classes", lambda: RandomForestClassifier(**_FOREST), "numbers", "three",
          _probabilities),
    _tree("random forest, numbers", lambda: RandomForestRegressor(**_FOREST), "numbers", "target",
          _predicted),
    _tree("extra trees, 3 classes", lambda: ExtraTreesClassifier(**_FOREST), "numbers", "three",
          _probabilities),
    _tree("extra trees, numbers", lambda: ExtraTreesRegressor(**_FOREST), "numbers", "target", _predicted),
    _tree("gradient boosting, 2 classes", lambda: GradientBoostingClassifier(**_BOOSTED), "numbers", "two",
          _decided),
    _tree("gradient boosting, numbers", lambda: GradientBoostingRegressor(**_BOOSTED), "numbers", "target",
          _predicted),
    _tree("histogram gradient boosting, 2 classes, missing values",
          lambda: HistGradientBoostingClassifier(**_ITERATED), "gaps", "two", _decided),
    _tree("histogram gradient boosting, 3 classes", lambda: HistGradientBoostingClassifier(**_ITERATED),
          "numbers", "three", _decided),
    _tree("histogram gradient boosting, numbers, missing values",
          lambda: HistGradientBoostingRegressor(**_ITERATED), "gaps", "target", _predicted),
    _tree("histogram gradient boosting, Poisson",
          lambda: HistGradientBoostingRegressor(loss="poisson", **_ITERATED), "numbers", "target",
          _log_predicted),
    Case("linear regression", LinearRegression, "numbers", "target", _LINES, _of_zero, _predicted),
    Case("elastic net", lambda: ElasticNet(alpha=0.01), "numbers", "target", _LINES, _of_zero, _predicted),
    Case("ridge behind a scaler", lambda: make_pipeline(StandardScaler(), Ridge()), "numbers", "target",
         _LINES, _of_mean, _predicted),
    Case("logistic regression, 2 classes, behind a scaler",
         lambda: make_pipeline(StandardScaler(), LogisticRegression()), "numbers", "two", _LINES, _of_mean,
         _decided),
    Case("logistic regression, 3 classes, behind a scaler",
         lambda: make_pipeline(StandardScaler(), LogisticRegression()), "numbers", "three", _LINES, _of_mean,
         _decided),
    Case("SGD classifier, 2 classes", lambda: SGDClassifier(random_state=0), "numbers", "two", _LINES,
         _of_zero, _decided),
    Case("linear SVM, 3 classes", lambda: LinearSVC(random_state=0), "numbers", "three", _LINES, _of_zero,
         _decided),
    Case("imputer, scaler, one-hot, logistic regression",
         lambda: _prepared(LogisticRegression(max_iter=500)), "mixed", "two", _LINES,
         partial(_mixed, _of_zero), _decided),
    Case("imputer, scaler, one-hot, random forest", lambda: _prepared(RandomForestClassifier(**_FOREST)),
         "mixed", "three", _TREES, partial(_mixed, references.trees), _probabilities),
    Case("imputer, scaler, one-hot, gradient boosting",
         lambda: _prepared(GradientBoostingRegressor(**_BOOSTED)), "mixed", "target", _TREES,
         partial(_mixed, references.trees), _predicted),
    Case("XGBoost, 2 classes, missing values", lambda: XGBClassifier(**_BOOSTED), "gaps", "sign", _XGBOOST,
         references.xgboost, _xgboost_margin),
    Case("XGBoost, 3 classes", lambda: XGBClassifier(**_BOOSTED), "numbers", "three", _XGBOOST,
         references.xgboost, _xgboost_margin),
    Case("XGBoost, numbers, native file", lambda: XGBRegressor(**_BOOSTED), "gaps", "target", _XGBOOST,
         references.xgboost, _xgboost_margin, "xgboost", ".json"),
    Case("XGBoost random forest, 3 classes", lambda: XGBRFClassifier(**_BOOSTED), "numbers", "three",
         _XGBOOST, references.xgboost, _xgboost_margin),
    Case("imputer, scaler, one-hot, XGBoost", lambda: _prepared(XGBClassifier(**_BOOSTED)), "mixed", "three",
         _XGBOOST, partial(_mixed, references.xgboost), partial(_through, _xgboost_margin)),
    Case("LightGBM, 2 classes, missing values", lambda: LGBMClassifier(**_LEAVES), "gaps", "two", _LIGHTGBM,
         references.lightgbm, _lightgbm_score),
    Case("LightGBM, 3 classes", lambda: LGBMClassifier(**_LEAVES), "numbers", "three", _LIGHTGBM,
         references.lightgbm, _lightgbm_score),
    Case("LightGBM, numbers, native file", lambda: LGBMRegressor(**_LEAVES), "gaps", "target", _LIGHTGBM,
         references.lightgbm, _lightgbm_score, "lightgbm", ".txt"),
    Case("imputer, scaler, one-hot, LightGBM", lambda: _prepared(LGBMRegressor(**_LEAVES)), "mixed",
         "target", _LIGHTGBM, partial(_mixed, references.lightgbm), partial(_through, _lightgbm_score)),
    Case("CatBoost, 2 classes, missing values", lambda: CatBoostClassifier(**_CAT), "gaps", "two", _CATBOOST,
         references.catboost, _catboost_value, "catboost", ".cbm"),
    Case("CatBoost, 3 classes", lambda: CatBoostClassifier(**_CAT), "numbers", "three", _CATBOOST,
         references.catboost, _catboost_value, "catboost", ".cbm"),
    Case("CatBoost, numbers", lambda: CatBoostRegressor(**_CAT), "gaps", "target", _CATBOOST,
         references.catboost, _catboost_value, "catboost", ".cbm"),
)  # fmt: skip
