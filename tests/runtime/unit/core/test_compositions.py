"""Estimators inside estimators: what stands first tells what the whole takes."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelport_runtime.core.backends import prepare
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import StackingClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.runtime.unit.core.conftest import fields, predict, refused
from tests.support import models


def described_frame() -> pd.DataFrame:
    """Mixed columns and one of free text."""
    frame = models.mixed_frame().dropna()
    return frame.assign(note=[f"a {shape} flower" for shape in frame["shape"]])


def with_a_text_column() -> models.Trained:
    frame = described_frame()
    columns = ColumnTransformer(
        [("note", TfidfVectorizer(), "note"), ("kept", "passthrough", ["ring", "wide", "sepal_length"])]
    )
    return models.Trained(make_pipeline(columns, LogisticRegression()).fit(frame, frame["shape"]), frame)


def with_a_remainder() -> models.Trained:
    frame = models.iris_frame()
    columns = make_column_transformer((StandardScaler(), ["sepal_length"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression(max_iter=300))
    return models.Trained(model.fit(frame, models.iris()[1]), frame)


def calibrated() -> models.Trained:
    frame = models.iris_frame()
    return models.Trained(
        CalibratedClassifierCV(LogisticRegression(), cv=2).fit(frame, models.iris()[1]), frame
    )


def stacked() -> models.Trained:
    data, species = models.iris()
    return models.Trained(
        StackingClassifier([("a", LogisticRegression(max_iter=500))], cv=2).fit(data, species), data
    )


def transformed_target() -> models.Trained:
    # Contiguous, as the runtime's own arrays are: the memory's layout decides a product's last bit.
    data = np.ascontiguousarray(models.iris()[0][:, :3])
    model = TransformedTargetRegressor(
        make_pipeline(StandardScaler(), Ridge()), func=np.log, inverse_func=np.exp
    )
    return models.Trained(model.fit(data, models.iris()[0][:, 3]), data)


def strings_in_an_array() -> models.Trained:
    data = np.array([["a", "x"], ["b", "y"], ["a", "y"]])
    return models.Trained(make_pipeline(OneHotEncoder(), LogisticRegression()).fit(data, [0, 1, 1]), data)


def missing_as_a_category() -> models.Trained:
    frame = models.mixed_frame()[["shape"]]
    return models.Trained(
        make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame, models.iris()[1]), frame
    )


@pytest.mark.parametrize(
    "train",
    [
        with_a_text_column,
        with_a_remainder,
        calibrated,
        stacked,
        transformed_target,
        strings_in_an_array,
        missing_as_a_category,
    ],
)
def test_a_composition_returns_what_its_model_predicts(train: Any, serve: Any) -> None:
    trained = train()
    response = predict(serve(trained), {"inputs": trained.rows})
    assert response["predictions"] == trained.model.predict(trained.data).tolist()


def test_columns_that_a_transformer_drops_may_be_left_out(serve: Any) -> None:
    frame = models.iris_frame()
    columns = make_column_transformer((StandardScaler(), ["petal_length"]))
    trained = models.Trained(make_pipeline(columns, LogisticRegression()).fit(frame, models.iris()[1]), frame)
    engine = serve(trained)
    assert predict(engine, {"input": {"petal_length": 1.4}})["prediction"] == "setosa"
    assert fields(refused(engine, {"input": {"petal_width": 1}})) == ["input.petal_length"]


def test_a_model_of_dictionaries_gets_them_as_they_are(serve: Any) -> None:
    rows = [{"city": "Oslo", "rooms": 2}, {"city": "Rome", "rooms": 3}]
    model = make_pipeline(DictVectorizer(), LogisticRegression()).fit(rows, ["cold", "warm"])
    engine = serve(models.Trained(model, rows))
    assert engine.signature.columns is None
    assert predict(engine, {"inputs": rows})["predictions"] == ["cold", "warm"]


@pytest.mark.parametrize("framework", ["sklearn", "xgboost", "lightgbm", "onnx"])
def test_every_framework_can_be_prepared(framework: str) -> None:
    prepare(framework)
