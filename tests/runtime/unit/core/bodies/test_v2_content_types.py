"""MLServer's `content_type`: what would change a tensor's meaning is read or refused, never passed over."""

from base64 import b64encode
from typing import Any

import pytest

from tests.runtime.unit.core.bodies.test_v2 import tensor
from tests.runtime.unit.core.conftest import predict, refused
from tests.support import models


def body(data: list[Any], content_type: Any, datatype: str = "BYTES", name: str = "text") -> dict[str, Any]:
    one = tensor(name, [len(data), 1], datatype, data) | {"parameters": {"content_type": content_type}}
    return {"inputs": [one]}


def test_texts_in_base64_are_the_texts(serve: Any) -> None:
    trained = models.text_classifier()
    engine, texts = serve(trained), [*trained.rows[:3], "ünïcode"]
    wanted = trained.model.predict(texts).tolist()
    for content_type, sent in (
        ("base64", [b64encode(text.encode()).decode() for text in texts]),
        ("str", texts),
        ("np", texts),
        ("pd", texts),
        (None, texts),
    ):
        assert predict(engine, body(sent, content_type), "v2")["outputs"][0]["data"] == wanted
    said = refused(engine, body([*texts[:1], b64encode(b"\xff").decode()], "base64"), "v2")
    assert said.errors == [
        {
            "field": "inputs[0].data[0]",
            "message": "must be base64 of a text in UTF-8, as its content type says",
        }
    ]


@pytest.mark.parametrize(
    ("content_type", "datatype", "data", "words"),
    [
        (
            "hg_json",
            "FP64",
            [1.0],
            "inputs[0].parameters.content_type must be one of base64, datetime, np, pd, str",
        ),
        (7, "FP64", [1.0], "7 is not read here"),
        (["np"], "FP64", [1.0], "is not read here"),
        ("base64", "FP64", [1.0], "content_type is base64, which the datatype BYTES alone can be"),
        ("datetime", "BYTES", ["yesterday"], "must be a date or time in ISO 8601"),
    ],
)
def test_another_is_refused_by_name(
    content_type: Any, datatype: str, data: list[Any], words: str, iris: Any
) -> None:
    assert words in refused(iris, body(data, content_type, datatype, "x0"), "v2").detail


def test_those_of_a_request_and_of_outputs_are_refused_where_they_would_change_something(iris: Any) -> None:
    row = {"inputs": [tensor("input", [1, 4], "FP64", [5.1, 3.5, 1.4, 0.2])]}
    for known in ("np", "pd", "str", None):
        outputs = [{"name": "predict", "parameters": {"content_type": known}}]
        predict(iris, row | {"parameters": {"content_type": known}, "outputs": outputs}, "v2")
    wrong = [{"name": "predict", "parameters": {"content_type": "base64"}}]
    assert "outputs[0].parameters.content_type" in refused(iris, row | {"outputs": wrong}, "v2").detail
    said = refused(iris, row | {"parameters": {"content_type": "hf"}}, "v2")
    assert said.detail.startswith("parameters.content_type must be one of np, pd, str, or be left out: 'hf'")
