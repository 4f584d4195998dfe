"""Whatever the model, the prediction is what its own predict and predict_proba give, number for number."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.runtime.unit.core.conftest import predict
from tests.support import models

SHAPES = {
    "numpy pipeline": (models.iris_logistic, "sklearn"),
    "data frame pipeline": (models.iris_logistic_named, "sklearn"),
    "float32 model": (models.iris_logistic_float32, "sklearn"),
    "forest": (models.iris_forest, "sklearn"),
    "linear svc": (models.digits_linear_svc, "sklearn"),
    "sgd hinge, boolean labels": (models.cancer_sgd_hinge, "sklearn"),
    "float labels": (models.wine_float_labels, "sklearn"),
    "integer labels": (models.wine_int_labels, "sklearn"),
    "boolean labels": (models.cancer_bool_labels, "sklearn"),
    "k-means": (models.iris_kmeans, "sklearn"),
    "pca": (models.iris_pca, "sklearn"),
    "scaler": (models.iris_scaler, "sklearn"),
    "isolation forest": (models.iris_outliers, "sklearn"),
    "linear regression": (models.diabetes_linear, "sklearn"),
    "multi-output regressor": (models.diabetes_multi_output, "sklearn"),
    "multi-output classifier": (models.iris_multi_output, "sklearn"),
    "mixed columns": (models.mixed_pipeline, "sklearn"),
    "gradient boosting with categories": (models.mixed_gradient_boosting, "sklearn"),
    "ordinal encoder": (models.ordinal_forest, "sklearn"),
    "texts": (models.text_classifier, "sklearn"),
    "grid search": (models.iris_grid_search, "sklearn"),
    "xgboost wrapper": (models.iris_xgboost, "xgboost"),
    "xgboost wrapper over a data frame": (models.cancer_xgboost_named, "xgboost"),
    "xgboost regressor": (models.diabetes_xgboost, "xgboost"),
    "lightgbm wrapper": (models.iris_lightgbm, "lightgbm"),
}

WITHOUT_PROBABILITIES = {
    "linear svc",
    "sgd hinge, boolean labels",
    "k-means",
    "pca",
    "scaler",
    "isolation forest",
    "linear regression",
    "multi-output regressor",
    "gradient boosting with categories",
    "xgboost regressor",
}


def expected_predictions(trained: models.Trained) -> list[Any]:
    method = "predict" if hasattr(trained.model, "predict") else "transform"
    return np.asarray(getattr(trained.model, method)(trained.data)).tolist()


@pytest.mark.parametrize("shape", SHAPES)
def test_many_rows_get_what_the_model_predicts(shape: str, serve: Any) -> None:
    train, framework = SHAPES[shape]
    trained = train()
    # Only a sample can tell this model's booleans from its numbers.
    sample = {"input": trained.rows[1]} if shape == "gradient boosting with categories" else None
    response = predict(serve(trained, sample, framework), {"inputs": trained.rows})
    given = np.array(response["predictions"], dtype=np.asarray(expected_predictions(trained)).dtype)
    wanted = expected_predictions(trained)
    if shape == "xgboost regressor":  # float32, written with the digits of a float32
        assert given.astype(np.float32).tolist() == wanted
    else:
        assert response["predictions"] == wanted


@pytest.mark.parametrize("shape", [name for name in SHAPES if name not in WITHOUT_PROBABILITIES])
def test_probabilities_are_the_models_own_by_class(shape: str, serve: Any) -> None:
    train, framework = SHAPES[shape]
    trained = train()
    engine = serve(trained, framework=framework)
    response = predict(engine, {"inputs": trained.rows, "return": ["prediction", "probabilities"]})
    wanted = trained.model.predict_proba(trained.data)
    if isinstance(wanted, list):
        given = [
            [list(row[output].values()) for row in response["probabilities"]] for output in range(len(wanted))
        ]
        assert given == [one.tolist() for one in wanted]
        return
    assert [list(row) for row in response["probabilities"]] == [
        [key(c) for c in trained.model.classes_]
    ] * len(wanted)
    given_array = np.array([list(row.values()) for row in response["probabilities"]], dtype=wanted.dtype)
    assert np.array_equal(given_array, wanted)


def key(label: Any) -> str:
    label = label.item() if isinstance(label, np.generic) else label
    return str(label).lower() if isinstance(label, bool) else str(label)


def test_one_row_gets_its_response_in_the_singular(iris: Any) -> None:
    response = predict(iris, {"input": [5.1, 3.5, 1.4, 0.2], "return": ["prediction", "probabilities"]})
    assert list(response) == ["model", "version", "prediction", "probabilities"]
    assert (response["model"], response["version"], response["prediction"]) == ("m", "v1", "setosa")
    assert list(response["probabilities"]) == ["setosa", "versicolor", "virginica"]


def test_rows_by_name_and_by_position_are_the_same_rows(named_iris: Any) -> None:
    rows = models.iris_logistic_named().rows[:50]
    by_name = predict(named_iris, {"inputs": [dict(reversed(row.items())) for row in rows]})
    by_position = predict(named_iris, {"inputs": [list(row.values()) for row in rows]})
    assert by_name == by_position


def test_missing_values_reach_the_model_as_nan_whether_null_or_left_out(mixed: Any) -> None:
    trained = models.mixed_pipeline()
    row = dict(trained.rows[1], shape=None, sepal_length=None)
    absent = {name: value for name, value in row.items() if value is not None}
    frame = pd.DataFrame([row]).astype({"sepal_length": float, "shape": object}).replace({None: np.nan})
    wanted = trained.model.predict_proba(frame)[0].tolist()
    for body in (row, absent):
        response = predict(mixed, {"input": body, "return": ["probabilities"]})
        assert list(response["probabilities"].values()) == wanted
