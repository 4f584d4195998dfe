"""What ensembles predict, beside scikit-learn's own of the same fitted members."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelport_runtime.core.engine import Engine
from sklearn import datasets
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from xgboost import XGBClassifier

from tests.runtime.unit.core.conftest import fields, predict, refused
from tests.runtime.unit.core.ensembles.conftest import Load
from tests.support.ensembles import Part

WEIGHTS = [1.0, 2.5, 0.75]
CLOSE = {"rtol": 0, "atol": 1e-9}


@pytest.fixture(scope="module")
def cancer() -> tuple[pd.DataFrame, np.ndarray]:
    data = datasets.load_breast_cancer(as_frame=True)
    return data.data, data.target.to_numpy()


@pytest.fixture(scope="module")
def wine() -> tuple[np.ndarray, np.ndarray]:
    data, cultivar = datasets.load_wine(return_X_y=True)
    return data, cultivar


@pytest.fixture(scope="module")
def diabetes() -> tuple[pd.DataFrame, np.ndarray]:
    data, target = datasets.load_diabetes(return_X_y=True, as_frame=True)
    return data, target.to_numpy()


@pytest.fixture(scope="module")
def of_wine(wine: tuple[np.ndarray, np.ndarray]) -> list[Any]:
    kinds = [
        make_pipeline(StandardScaler(), LogisticRegression()),
        GaussianNB(),
        XGBClassifier(n_estimators=5),
    ]
    return [kind.fit(*wine) for kind in kinds]


@pytest.fixture(scope="module")
def of_diabetes(diabetes: tuple[pd.DataFrame, np.ndarray]) -> list[Any]:
    kinds = [Ridge(), RandomForestRegressor(10, random_state=0), HistGradientBoostingRegressor(max_iter=10)]
    return [kind.fit(*diabetes) for kind in kinds]


def parts(models: Sequence[Any], weights: Sequence[float] = (1, 1, 1)) -> list[Part]:
    return [
        Part(model, "xgboost" if "xgboost" in type(model).__module__ else "sklearn", weight=weight)
        for model, weight in zip(models, weights, strict=True)
    ]


def everything(engine: Engine, rows: Any) -> tuple[list[Any], np.ndarray]:
    """Return all predictions and probabilities."""
    body = {"inputs": rows, "return": ["prediction", "probabilities"]}
    answer = predict(engine, body)
    return answer["predictions"], np.array([[*row.values()] for row in answer["probabilities"]])


@pytest.mark.parametrize("weights", [[1, 1, 1], WEIGHTS], ids=["alike", "weighted"])
def test_votes_are_those_of_scikit_learn(
    load: Load, of_wine: list[Any], wine: tuple[np.ndarray, np.ndarray], weights: list[float]
) -> None:
    named = [(str(place), model) for place, model in enumerate(of_wine)]
    hard = VotingClassifier(named, weights=weights)
    soft = VotingClassifier(named, voting="soft", weights=weights)
    for oracle in (hard, soft):
        _as_fitted(oracle, of_wine, wine[1])
    rows = wine[0]

    voted, shares = everything(load("vote", parts(of_wine, weights)), rows.tolist())
    averaged, likewise = everything(load("average", parts(of_wine, weights)), rows.tolist())

    assert voted == hard.predict(rows).tolist()
    assert averaged == soft.predict(rows).tolist()
    np.testing.assert_allclose(likewise, soft.predict_proba(rows), **CLOSE)
    np.testing.assert_allclose(shares, soft.predict_proba(rows), **CLOSE)


def _as_fitted(oracle: Any, models: Sequence[Any], target: Any) -> None:
    """Have scikit-learn's ensemble as if it had trained these."""
    from sklearn.preprocessing import LabelEncoder

    oracle.estimators_ = [*models]
    oracle.le_ = LabelEncoder().fit(target)
    oracle.classes_ = oracle.le_.classes_


@pytest.mark.parametrize("weights", [[1, 1, 1], WEIGHTS], ids=["alike", "weighted"])
def test_averages_of_numbers_are_those_of_scikit_learn(
    load: Load, of_diabetes: list[Any], diabetes: tuple[pd.DataFrame, np.ndarray], weights: list[float]
) -> None:
    rows = diabetes[0]
    oracle = VotingRegressor(
        [(str(place), model) for place, model in enumerate(of_diabetes)], weights=weights
    )
    oracle.estimators_ = of_diabetes

    engine = load("average", parts(of_diabetes, weights))

    answer = predict(engine, {"inputs": rows.to_dict("records")})["predictions"]
    np.testing.assert_allclose(answer, oracle.predict(rows), rtol=0, atol=1e-9)
    assert engine.signature.task == "regressor"
    assert [column.name for column in engine.signature.columns or ()] == [*rows.columns]


@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("data", ["cancer", "wine"])
def test_stacks_of_classifiers_are_those_of_scikit_learn(
    load: Load, request: pytest.FixtureRequest, data: str, passthrough: bool
) -> None:
    rows, target = request.getfixturevalue(data)
    members = [
        make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, target),
        RandomForestClassifier(10, random_state=0).fit(rows, target),
        make_pipeline(StandardScaler(), SVC()).fit(rows, target),
    ]
    oracle = StackingClassifier(
        [(str(place), model) for place, model in enumerate(members)],
        final_estimator=RandomForestClassifier(10, random_state=1),
        cv="prefit",
        passthrough=passthrough,
    ).fit(rows, target)

    engine = load("stack", parts(members), Part(oracle.final_estimator_), passthrough=passthrough)

    sent = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows.tolist()
    predicted, shares = everything(engine, sent)
    assert predicted == oracle.predict(rows).tolist()
    np.testing.assert_allclose(shares, oracle.predict_proba(rows), **CLOSE)
    assert engine.signature.classes == tuple(np.unique(target).tolist())


@pytest.mark.parametrize("passthrough", [False, True])
def test_stacks_of_regressors_are_those_of_scikit_learn(
    load: Load, of_diabetes: list[Any], diabetes: tuple[pd.DataFrame, np.ndarray], passthrough: bool
) -> None:
    rows, target = diabetes
    oracle = StackingRegressor(
        [(str(place), model) for place, model in enumerate(of_diabetes)],
        final_estimator=Ridge(),
        cv="prefit",
        passthrough=passthrough,
    ).fit(rows, target)

    engine = load("stack", parts(of_diabetes), Part(oracle.final_estimator_), passthrough=passthrough)

    answer = predict(engine, {"inputs": rows.to_dict("records")})["predictions"]
    np.testing.assert_allclose(answer, oracle.predict(rows), rtol=0, atol=1e-9)


def test_a_final_takes_columns_by_name(
    load: Load, of_diabetes: list[Any], diabetes: tuple[pd.DataFrame, np.ndarray]
) -> None:
    rows, target = diabetes
    ridge, forest, _ = of_diabetes
    stacked = pd.DataFrame({"forest": forest.predict(rows), "bmi": rows["bmi"], "ridge": ridge.predict(rows)})
    final = LinearRegression().fit(stacked, target)

    engine = load(
        "stack", [Part(ridge, name="ridge"), Part(forest, name="forest")], Part(final), passthrough=True
    )

    answer = predict(engine, {"inputs": rows.to_dict("records")})["predictions"]
    np.testing.assert_allclose(answer, final.predict(stacked), rtol=0, atol=1e-9)


def test_a_final_takes_probabilities_by_the_names_of_the_classes(load: Load, wine: Any) -> None:
    rows, target = wine
    names = np.array(["barolo", "grignolino", "barbera"])[target]
    bayes, tree = GaussianNB().fit(rows, names), DecisionTreeClassifier(max_depth=2).fit(rows, names)
    columns = pd.DataFrame(bayes.predict_proba(rows), columns=[f"bayes_{each}" for each in bayes.classes_])
    columns["tree_barolo"] = tree.predict_proba(rows)[:, tree.classes_ == "barolo"].ravel()
    final = LogisticRegression(max_iter=500).fit(columns, names)

    engine = load("stack", [Part(bayes, name="bayes"), Part(tree, name="tree")], Part(final))

    predicted, shares = everything(engine, rows.tolist())
    assert predicted == final.predict(columns).tolist()
    np.testing.assert_allclose(shares, final.predict_proba(columns), **CLOSE)


def test_a_transformer_hands_its_rows_on(load: Load, wine: Any) -> None:
    rows, target = wine
    scaler = StandardScaler().fit(rows)
    model = LogisticRegression().fit(scaler.transform(rows), target)

    predicted, shares = everything(load("chain", [Part(scaler), Part(model)]), rows.tolist())

    assert predicted == model.predict(scaler.transform(rows)).tolist()
    np.testing.assert_allclose(shares, model.predict_proba(scaler.transform(rows)), **CLOSE)


def test_a_prediction_becomes_a_column_of_the_next(load: Load, diabetes: Any) -> None:
    rows, target = diabetes
    plain = rows[["bmi", "bp"]]
    segment = DecisionTreeClassifier(max_depth=3).fit(plain, np.where(target > 140, "high", "low"))
    from sklearn.compose import make_column_transformer
    from sklearn.preprocessing import OneHotEncoder

    wider = rows[["bmi", "age"]].assign(segment=segment.predict(plain).astype(object))
    encode = make_column_transformer((OneHotEncoder(), ["segment"]), remainder="passthrough")
    price = make_pipeline(encode, Ridge()).fit(wider, target)

    engine = load("chain", [Part(segment, name="segment"), Part(price)])

    assert [column.name for column in engine.signature.columns or ()] == ["bmi", "bp", "age"]
    sent = rows[["bmi", "bp", "age"]].to_dict("records")
    answer = predict(engine, {"inputs": sent})["predictions"]
    np.testing.assert_allclose(answer, price.predict(wider), rtol=0, atol=1e-9)


def test_equal_votes_go_to_the_first_class(load: Load, wine: Any) -> None:
    rows, target = wine
    always = [
        make_pipeline(StandardScaler(), DummyClassifier(strategy="constant", constant=each)).fit(rows, target)
        for each in (2, 1)
    ]
    assert predict(load("vote", parts(always, [1, 1])), {"input": rows[0].tolist()})["prediction"] == 1


def test_a_wrong_value_is_a_422_that_names_the_field(
    load: Load, of_diabetes: list[Any], diabetes: Any
) -> None:
    engine = load("average", parts(of_diabetes))
    row = diabetes[0].iloc[0].to_dict()

    assert fields(refused(engine, {"input": row | {"bmi": "much"}})) == ["input.bmi"]
    assert fields(refused(engine, {"inputs": [row, row | {"age": None}]})) == ["inputs[1].age"]
    assert fields(refused(engine, {"input": {**row, "more": 1}})) == ["input.more"]
    assert fields(refused(engine, {"input": {k: v for k, v in row.items() if k != "sex"}})) == ["input.sex"]
