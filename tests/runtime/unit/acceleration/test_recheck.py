"""One request compared with the original later: what counts as a difference, and what does not."""

import struct
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from modelport_runtime.core.acceleration import difference
from modelport_runtime.core.engine import Engine
from modelport_runtime.core.types import Call, Prediction

from tests.runtime.unit.acceleration import trained

Serve = Callable[..., Engine]
ROW = [5.1, 3.5, 1.4, 0.2]
BOTH = {"input": ROW, "return": ["prediction", "probabilities"]}
V2 = {
    "inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP64", "data": ROW}],
    "outputs": [{"name": "predict"}, {"name": "predict_proba"}],
}
BINARY = {**V2, "parameters": {"binary_data_output": True}}


@pytest.fixture
def classifier(serve: Serve) -> Engine:
    return serve(trained.CASES["logistic, three classes"]())


def _predicted(engine: Engine, call: Call) -> Any:
    (answer,) = engine.predict_many([call])
    assert isinstance(answer, Prediction), answer
    return orjson.loads(answer.body)


@pytest.mark.parametrize(
    ("protocol", "body"), [("native", BOTH), ("native", {"inputs": [ROW, ROW]}), ("v2", V2)]
)
def test_that_the_same_is_no_difference(protocol: Any, body: Any, classifier: Engine) -> None:
    call = Call(protocol, orjson.dumps(body))
    assert difference(classifier, call, Prediction(orjson.dumps(_predicted(classifier, call)))) == 0


def test_that_rounding_is_reported_but_allowed(classifier: Engine) -> None:
    call = Call("native", orjson.dumps(BOTH))
    answer = _predicted(classifier, call)
    answer["probabilities"]["setosa"] -= 4e-7
    assert difference(classifier, call, Prediction(orjson.dumps(answer))) == pytest.approx(4e-7)


def test_binary_tensors_are_compared_by_their_numbers(classifier: Engine) -> None:
    call = Call("v2", orjson.dumps(BINARY))
    (answer,) = classifier.predict_many([call])
    assert isinstance(answer, Prediction)
    assert difference(classifier, call, answer) == 0
    last = struct.unpack("<d", answer.body[-8:])[0]
    for added, reported in ((5e-7, pytest.approx(5e-7)), (2e-6, None)):
        other = Prediction(answer.body[:-8] + struct.pack("<d", last + added), answer.json_bytes)
        assert difference(classifier, call, other) == reported
    assert difference(classifier, call, Prediction(answer.body[:-1], answer.json_bytes)) is None


def test_probabilities_too_far_apart(classifier: Engine) -> None:
    call = Call("native", orjson.dumps(BOTH))
    answer = _predicted(classifier, call)
    answer["probabilities"]["setosa"] -= 2e-6
    assert difference(classifier, call, Prediction(orjson.dumps(answer))) is None


def test_probabilities_too_far_apart_in_the_open_protocol(classifier: Engine) -> None:
    call = Call("v2", orjson.dumps(V2))
    answer = _predicted(classifier, call)
    (tensor,) = (one for one in answer["outputs"] if one["name"] == "predict_proba")
    tensor["data"][0] -= 5e-7
    assert difference(classifier, call, Prediction(orjson.dumps(answer))) == pytest.approx(5e-7)
    tensor["data"][0] -= 2e-6
    assert difference(classifier, call, Prediction(orjson.dumps(answer))) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: {**answer, "prediction": "virginica"},
        lambda answer: {**answer, "prediction": None},
        lambda answer: {**answer, "more": 1},
        lambda answer: {key: value for key, value in answer.items() if key != "probabilities"},
        lambda answer: {**answer, "probabilities": list(answer["probabilities"].values())},
        lambda answer: {**answer, "probabilities": dict(reversed(answer["probabilities"].items()))},
        lambda answer: [answer],
    ],
)
def test_labels_and_form(spoil: Callable[[Any], Any], classifier: Engine) -> None:
    call = Call("native", orjson.dumps(BOTH))
    assert difference(classifier, call, Prediction(orjson.dumps(spoil(_predicted(classifier, call))))) is None


@pytest.mark.parametrize("answer", [b"", b"{", b"\xff", b"null"])
def test_what_is_no_response(answer: bytes, classifier: Engine) -> None:
    assert difference(classifier, Call("native", orjson.dumps(BOTH)), Prediction(answer)) is None


def test_a_call_that_the_original_refuses(classifier: Engine) -> None:
    call = Call("native", orjson.dumps({"input": [1.0]}))
    assert difference(classifier, call, Prediction(b'{"prediction":"setosa"}')) is None


def test_numbers_by_their_size(serve: Serve) -> None:
    regressor = serve(trained.CASES["linear"]())
    call = Call("native", orjson.dumps({"input": [0.01] * 10}))
    answer = _predicted(regressor, call)
    for factor, reported in ((1 + 1e-7, 1e-7), (1 + 1e-5, None)):
        spoiled = {**answer, "prediction": answer["prediction"] * factor}
        found = difference(regressor, call, Prediction(orjson.dumps(spoiled)))
        assert found is None if reported is None else found == pytest.approx(reported, rel=0.1)
