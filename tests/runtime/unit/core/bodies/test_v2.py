"""The Open Inference Protocol: any of its forms gives the native route's predictions."""

from typing import Any

import orjson
import pytest
from modelport_runtime.core.types import Call, Prediction

from tests.runtime.unit.core.conftest import fields, predict, refused
from tests.support import models


def tensor(name: str, shape: list[int], datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


BOTH = {"outputs": [{"name": "predict"}, {"name": "predict_proba"}]}


def outputs(response: Any) -> dict[str, Any]:
    return {output["name"]: output for output in response["outputs"]}


@pytest.mark.parametrize("flat", [True, False])
def test_one_matrix_flat_or_nested(flat: bool, iris: Any) -> None:
    trained = models.iris_logistic()
    data = trained.data.ravel().tolist() if flat else trained.rows
    body = {"id": "7", "inputs": [tensor("input", [150, 4], "FP64", data)], "parameters": {"x": 1}, **BOTH}
    response = predict(iris, body, "v2")
    assert (response["model_name"], response["model_version"], response["id"]) == ("m", "v1", "7")
    given = outputs(response)
    wanted = trained.model.predict(trained.data).tolist()
    assert given["predict"] == tensor("predict", [150], "BYTES", wanted)
    probabilities = trained.model.predict_proba(trained.data).ravel().tolist()
    assert given["predict_proba"] == tensor("predict_proba", [150, 3], "FP64", probabilities)


def test_one_tensor_per_column_in_any_order(mixed: Any) -> None:
    frame = models.mixed_frame().dropna()[:20]
    types = {"shape": "BYTES", "wide": "BOOL", "ring": "INT64"}
    tensors = [
        tensor(name, [20] if index % 2 else [20, 1], types.get(name, "FP64"), frame[name].tolist())
        for index, name in enumerate(reversed(frame.columns))
    ]
    response = predict(mixed, {"inputs": tensors, "outputs": [{"name": "predict"}]}, "v2")
    wanted = models.mixed_pipeline().model.predict(frame).tolist()
    assert outputs(response) == {"predict": tensor("predict", [20], "BYTES", wanted)}


def test_texts_are_byte_tensors(serve: Any) -> None:
    trained = models.text_classifier()
    engine = serve(trained)
    texts = trained.rows[:5]
    for shape in ([5], [5, 1]):
        response = predict(engine, {"inputs": [tensor("text", shape, "BYTES", texts)]}, "v2")
        assert outputs(response)["predict"]["data"] == trained.model.predict(texts).tolist()


def test_a_transformed_row_keeps_its_dimension(serve: Any) -> None:
    trained = models.iris_pca()
    response = predict(serve(trained), {"inputs": [tensor("input", [150, 4], "FP64", trained.rows)]}, "v2")
    wanted = trained.model.transform(trained.data).ravel().tolist()
    assert outputs(response)["predict"] == tensor("predict", [150, 2], "FP64", wanted)


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, ["inputs"]),
        ({"inputs": []}, ["inputs"]),
        ({"inputs": [5]}, ["inputs[0]"]),
        ({"inputs": [{}]}, ["inputs[0].name", "inputs[0].shape", "inputs[0].datatype", "inputs[0].data"]),
        ({"inputs": [tensor("input", [1, 4], "FP99", [1, 2, 3, 4])]}, ["inputs[0].datatype"]),
        ({"inputs": [tensor("input", [1, 4], "FP64", [1, 2, 3])]}, ["inputs[0].data"]),
        ({"inputs": [tensor("input", [0, 4], "FP64", [])]}, ["inputs[0].shape"]),
        ({"inputs": [tensor("input", [1] * 2000, "FP64", [1])]}, ["inputs[0].shape"]),
        ({"inputs": [tensor("input", [1, 10**12], "FP64", [1])]}, ["inputs[0].data"]),
        ({"inputs": [tensor("input", [1, 3], "FP64", [1, 2, 3])]}, ["inputs[0]"]),
        ({"inputs": [tensor("input", [1, 4], "FP64", [1, 2, 3, "a"])]}, ["inputs[0].data[3]"]),
        ({"inputs": [tensor("a", [1], "FP64", [1]), tensor("a", [1], "FP64", [1])]}, ["inputs"]),
        ({"inputs": [tensor("a", [1], "FP64", [1]), tensor("b", [2], "FP64", [1, 2])]}, ["inputs"]),
        (
            {"inputs": [tensor("input", [1, 4], "FP64", [1, 2, 3, 4])], "outputs": [{"name": "x"}]},
            ["outputs[0].name"],
        ),
        ({"inputs": [tensor("input", [1, 4], "FP64", [1, 2, 3, 4])], "id": 7}, ["id"]),
    ],
)
def test_a_wrong_tensor_is_422_and_named(body: Any, wrong: list[str], iris: Any) -> None:
    failure = refused(iris, body, "v2")
    assert (failure.status, fields(failure)) == (422, wrong)


def test_metadata_describes_tensors(iris: Any, mixed: Any) -> None:
    assert iris.v2_metadata() == {
        "name": "m",
        "versions": ["v1"],
        "platform": "modelport",
        "inputs": [{"name": "input", "datatype": "FP64", "shape": [-1, 4]}],
        "outputs": [
            {"name": "predict", "datatype": "BYTES", "shape": [-1]},
            {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]},
            {"name": "decision_function", "datatype": "FP64", "shape": [-1, 3]},
        ],
    }
    datatypes = {column["name"]: column["datatype"] for column in mixed.v2_metadata()["inputs"]}
    assert datatypes == {
        **dict.fromkeys(models.IRIS_FIELDS, "FP64"),
        "shape": "BYTES",
        "wide": "FP64",
        "ring": "INT64",
    }


@pytest.mark.parametrize("depth", [40, 900])
def test_lists_nested_beyond_any_tensor_are_refused(depth: int, iris: Any) -> None:
    head = b'{"inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP64", "data": [1, 2, 3, '
    failure = refused(iris, head + b"[" * depth + b"4" + b"]" * depth + b"]}]}", "v2")
    assert failure.status == 422


def test_columns_of_a_nameless_model_stand_where_their_names_say(iris: Any) -> None:
    trained = models.iris_logistic()
    tensors = [tensor(f"x{place}", [150], "FP64", trained.data[:, place].tolist()) for place in (2, 0, 3, 1)]
    given = outputs(predict(iris, {"inputs": tensors}, "v2"))
    assert given["predict"]["data"] == trained.model.predict(trained.data).tolist()


def test_names_that_a_nameless_model_does_not_have_are_refused(iris: Any) -> None:
    tensors = [tensor(name, [1], "FP64", [1.0]) for name in ("x0", "petal", "x2", "sepal")]
    assert fields(refused(iris, {"inputs": tensors}, "v2")) == ["inputs[1].name", "inputs[3].name"]
    failure = refused(iris, {"inputs": [tensor(f"x{place}", [1], "FP64", [1.0]) for place in range(3)]}, "v2")
    assert "x3 missing" in failure.detail


def test_the_prediction_comes_alone_unless_more_is_requested(iris: Any) -> None:
    body = {"inputs": [tensor("input", [1, 4], "FP64", [5.1, 3.5, 1.4, 0.2])]}
    for asked in ({}, {"outputs": None}, {"outputs": []}):
        assert list(outputs(predict(iris, {**body, **asked}, "v2"))) == ["predict"]
    for names in (["predict_proba"], ["predict_proba", "predict"]):
        asked = {"outputs": [{"name": name} for name in names]}
        assert list(outputs(predict(iris, {**body, **asked}, "v2"))) == names


@pytest.mark.parametrize(
    ("datatype", "value", "said"),
    [
        ("INT8", 300, "int8"),
        ("UINT8", -1, "uint8"),
        ("INT64", 2**63, "64-bit"),
        ("INT32", 1.5, "whole"),
        ("FP32", 1e39, "float32"),
        ("FP64", 2**53 + 1, "exactly"),
        ("FP64", True, "number"),
        ("BOOL", 1, "true or false"),
        ("BYTES", 1, "string"),
        ("INT64", "1", "whole"),
        ("FP16", 1.0, "binary only"),
    ],
)
def test_a_value_that_is_none_of_its_datatype_is_422(datatype: str, value: Any, said: str, iris: Any) -> None:
    failure = refused(iris, {"inputs": [tensor("input", [1, 4], datatype, [value] * 4)]}, "v2")
    assert failure.status == 422
    assert fields(failure)[0].startswith("inputs[0].data")
    assert said in failure.detail


@pytest.mark.parametrize("datatype", ["INT8", "UINT64", "INT64", "FP32", "FP64"])
def test_whole_numbers_of_any_datatype_are_numbers(datatype: str, iris: Any) -> None:
    body = {"inputs": [tensor("input", [1, 4], datatype, [5, 3, 1.0, 0])]}
    wanted = models.iris_logistic().model.predict([[5, 3, 1, 0]]).tolist()
    assert outputs(predict(iris, body, "v2"))["predict"]["data"] == wanted


@pytest.mark.parametrize("missing", [b"NaN", b"null"])
def test_nan_is_a_missing_value_where_the_model_takes_one(missing: bytes, iris: Any, serve: Any) -> None:
    trained = models.iris_boosting_with_gaps()
    raw = b'{"inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, %b]}]}'
    engine = serve(trained)
    (response,) = engine.predict_many([Call("v2", raw % missing)])
    assert isinstance(response, Prediction), response
    wanted = trained.model.predict([[1, 2, 3, float("nan")]]).tolist()
    assert outputs(orjson.loads(response.body))["predict"]["data"] == wanted
    failure = refused(iris, raw % missing, "v2")
    assert (failure.status, fields(failure)) == (422, ["inputs[0][3]"])
    for infinite in (b"Infinity", b"-Infinity"):
        failure = refused(engine, raw % infinite, "v2")
        assert (failure.status, fields(failure)) == (422, ["inputs[0].data[3]"])
        assert "finite" in failure.detail
    assert refused(engine, b"NaN", "v2").status == 400


def test_a_matrix_may_have_any_name_but_a_column_no_other(named_iris: Any, serve: Any) -> None:
    trained = models.iris_logistic_named()
    for name in ("input", "input-0", "anything"):
        response = predict(
            named_iris, {"inputs": [tensor(name, [150, 4], "FP64", trained.data.to_numpy().tolist())]}, "v2"
        )
        assert outputs(response)["predict"]["data"] == trained.model.predict(trained.data).tolist()
    names = list(trained.data.columns)
    tensors = [tensor(name, [1], "FP64", [1.0]) for name in (*names[:3], "petal with")]
    failure = refused(named_iris, {"inputs": tensors}, "v2")
    assert (failure.status, fields(failure)) == (422, ["inputs[3].name"])
    failure = refused(named_iris, {"inputs": tensors[:3]}, "v2")
    assert names[3] in failure.detail
    failure = refused(named_iris, {"inputs": [tensor("petal with", [1], "FP64", [1.0])]}, "v2")
    assert fields(failure) == ["inputs[0].name"]


def test_texts_are_one_tensor(serve: Any) -> None:
    engine = serve(models.text_classifier())
    one = tensor("text", [1], "BYTES", ["a"])
    assert fields(refused(engine, {"inputs": [one, {**one, "name": "b"}]}, "v2")) == ["inputs"]


def test_metadata_describes_what_responses_have(serve: Any) -> None:
    for trained in (models.iris_pca(), models.iris_logistic(), models.text_classifier()):
        engine = serve(trained)
        reported = engine.v2_metadata()
        (column,) = reported["inputs"]
        width = [4] if column["name"] == "input" else []
        sent = tensor(column["name"], [3, *width], column["datatype"], trained.rows[:3])
        asked = [{"name": each["name"]} for each in reported["outputs"]]
        for output, said in zip(
            predict(engine, {"inputs": [sent], "outputs": asked}, "v2")["outputs"],
            reported["outputs"],
            strict=True,
        ):
            assert (output["name"], output["datatype"]) == (said["name"], said["datatype"])
            assert output["shape"][1:] == said["shape"][1:]
