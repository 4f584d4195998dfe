"""What the model itself tells of its input and output, in the form that docs/contracts.md fixes."""

from typing import Any

import numpy as np
import orjson
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.runtime.unit.core.conftest import fields, predict, refused
from tests.support import models


def columns_of(engine: Any) -> dict[str, Any]:
    return {column.name: column for column in engine.signature.columns}


def test_its_json_form_is_plain_and_complete(iris: Any) -> None:
    signature = iris.signature.to_json()
    assert orjson.loads(orjson.dumps(signature)) == signature
    column = {
        "name": "x0", "kind": "number", "dtype": "float64", "optional": False, "values": None, "shape": None
    }  # fmt: skip
    assert signature["columns"][0] == column
    assert {name: value for name, value in signature.items() if name != "columns"} == {
        "task": "classifier",
        "positional": True,
        "input": "rows",
        "outputs": ["prediction", "probabilities", "decision_function"],
        "classes": ["setosa", "versicolor", "virginica"],
    }


def test_kinds_categories_and_missing_values_are_read_from_a_column_transformer(mixed: Any) -> None:
    columns = columns_of(mixed)
    assert list(columns) == list(models.mixed_frame().columns)
    assert columns["sepal_length"].kind == "number"
    assert columns["sepal_length"].optional
    assert (columns["shape"].kind, columns["shape"].values) == ("string", ("long", "short"))
    assert columns["shape"].optional
    assert (columns["ring"].kind, columns["ring"].values) == ("integer", (0, 1, 2))
    assert not columns["ring"].optional
    assert columns["wide"].kind == "any"
    assert not mixed.signature.positional


def test_the_sample_decides_the_kind_of_a_column_that_is_passed_through(serve: Any) -> None:
    trained = models.mixed_pipeline()
    engine = serve(trained, {"input": trained.rows[1]})
    assert columns_of(engine)["wide"].kind == "boolean"
    assert fields(refused(engine, {"input": {**trained.rows[1], "wide": "yes"}})) == ["input.wide"]


def test_unknown_categories_that_are_ignored_are_no_closed_set(serve: Any) -> None:
    engine = serve(models.mixed_pipeline(unknown="ignore"))
    assert columns_of(engine)["shape"].values is None


@pytest.mark.parametrize(
    ("train", "framework", "task", "classes"),
    [
        (models.iris_forest, "sklearn", "classifier", ("setosa", "versicolor", "virginica")),
        (models.cancer_bool_labels, "sklearn", "classifier", (False, True)),
        (models.wine_float_labels, "sklearn", "classifier", (0.0, 1.0, 2.0)),
        (models.iris_grid_search, "sklearn", "classifier", ("setosa", "versicolor", "virginica")),
        (models.diabetes_linear, "sklearn", "regressor", None),
        (models.iris_kmeans, "sklearn", "clusterer", None),
        (models.iris_pca, "sklearn", "transformer", None),
        (models.iris_outliers, "sklearn", "outlier", None),
        (models.iris_xgboost, "xgboost", "classifier", (0, 1, 2)),
        (models.iris_lightgbm, "lightgbm", "classifier", ("setosa", "versicolor", "virginica")),
    ],
)
def test_task_and_classes(train: Any, framework: str, task: str, classes: Any, serve: Any) -> None:
    signature = serve(train(), framework=framework).signature
    assert (signature.task, signature.classes) == (task, classes)


@pytest.mark.parametrize(
    ("train", "framework", "optional"),
    [
        (models.mixed_gradient_boosting, "sklearn", True),
        (models.cancer_xgboost_named, "xgboost", True),
        (models.iris_lightgbm, "lightgbm", True),
        (models.iris_forest, "sklearn", True),
        (models.iris_logistic_named, "sklearn", False),
        (models.ordinal_forest, "sklearn", False),
    ],
)
def test_missing_values_are_taken_where_the_model_is_made_for_them(
    train: Any, framework: str, optional: bool, serve: Any
) -> None:
    engine = serve(train(), framework=framework)
    assert {column.optional for column in engine.signature.columns} == {optional}


def test_a_model_of_float32_gets_float32(serve: Any) -> None:
    engine = serve(models.iris_logistic_float32())
    assert {column.dtype for column in engine.signature.columns} == {"float32"}


def test_a_model_of_texts_has_no_columns(serve: Any) -> None:
    signature = serve(models.text_classifier()).signature
    assert (signature.input, signature.columns) == ("text", None)


def test_categorical_gradient_boosting_takes_strings(serve: Any) -> None:
    trained = models.mixed_gradient_boosting()
    columns = columns_of(serve(trained))
    assert (columns["shape"].kind, columns["sepal_length"].kind, columns["wide"].kind) == (
        "string",
        "number",
        "number",
    )
    assert columns_of(serve(trained, {"input": trained.rows[1]}))["wide"].kind == "boolean"


def test_a_model_of_unknown_width_takes_rows_as_they_are(serve: Any) -> None:
    engine = serve(models.Trained(FunctionTransformer(), models.iris()[0]))
    assert engine.signature.columns is None
    assert predict(engine, {"input": [1, 2.5]})["prediction"] == [1.0, 2.5]


def test_a_function_over_an_array_gets_an_array_of_numbers(serve: Any) -> None:
    data, _ = models.iris()
    model = make_pipeline(FunctionTransformer(np.log1p), LinearRegression()).fit(data[:, :3], data[:, 3])
    response = predict(serve(models.Trained(model, data)), {"inputs": data[:, :3].tolist()})
    assert response["predictions"] == model.predict(data[:, :3]).tolist()
