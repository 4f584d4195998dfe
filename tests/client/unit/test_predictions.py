"""What the SDK sends and gives for predictions."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelport import InvalidRequest, Modelport, Prediction

from tests.client.unit.answers import ONE
from tests.client.unit.platform import Answer, Platform

PREDICT = "POST /predict/iris-7kq2p"


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        ({"petal_width": 0.2}, {"petal_width": 0.2}),
        ([5.1, 3], [5.1, 3]),
        ("win a prize", "win a prize"),
        (np.array([1.5, np.nan]), [1.5, None]),
        ({"n": np.int64(3), "x": np.float32(0.5), "missing": math.nan}, {"n": 3, "x": 0.5, "missing": None}),
        (pd.Series({"a": 1, "b": 2}).to_dict(), {"a": 1, "b": 2}),
        ((1, True, None, "é"), [1, True, None, "é"]),
    ],
)
def test_a_row_is_sent_as_json(client: Modelport, platform: Platform, row: Any, sent: Any) -> None:
    platform.on(PREDICT, Answer(200, ONE))
    client.predict("iris-7kq2p", row)
    assert platform.asked[0].json == {"input": sent}


def test_a_response_is_typed(client: Modelport, platform: Platform) -> None:
    body = {**ONE, "probabilities": {"setosa": 0.98}}
    platform.on(PREDICT, Answer(200, body, {"X-Cache": "hit", "X-Request-ID": "r1"}))
    answer = client.predict("iris-7kq2p", {}, return_=["prediction", "probabilities"])
    assert answer == Prediction("setosa", {"setosa": 0.98}, "iris-7kq2p", "v1", True, "r1")
    assert platform.asked[0].json["return"] == ["prediction", "probabilities"]
    assert platform.asked[0].token == "mlp_live_key"


def test_other_outputs_are_given_by_name(client: Modelport, platform: Platform) -> None:
    platform.on(PREDICT, Answer(200, {"model": "m", "version": "v1", "decision_function": [-0.5, 1.5]}))
    first, second = client.predict_many("iris-7kq2p", [[1], [2]], return_=["decision_function"])
    assert (first.prediction, first.probabilities, first.outputs) == (None, None, {"decision_function": -0.5})
    assert second.outputs == {"decision_function": 1.5}


def test_a_version_and_a_session_can_be_named(client: Modelport, platform: Platform) -> None:
    platform.on(f"{PREDICT}/versions/v2", Answer(200, ONE))
    answer = client.predict("iris-7kq2p", {}, version="v2", session="s 1")
    assert not answer.cached
    assert platform.asked[0].headers["X-Modelport-Session"] == "s 1"


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": 1.0, "b": None}, {"a": 2.0, "b": "x"}],
        pd.DataFrame({"a": [1.0, 2.0], "b": [math.nan, "x"]}),
        {"first": {"a": 1, "b": None}, "second": {"a": 2, "b": "x"}}.values(),
    ],
)
def test_many_rows_get_their_predictions_in_order(client: Modelport, platform: Platform, rows: Any) -> None:
    body = {"model": "m", "version": "v1", "predictions": [0, 1], "probabilities": [{"0": 1.0}, {"1": 0.9}]}
    platform.on(PREDICT, Answer(200, body))
    answers = client.predict_many("iris-7kq2p", rows)
    assert platform.asked[0].json == {"inputs": [{"a": 1, "b": None}, {"a": 2, "b": "x"}]}
    assert [answer.prediction for answer in answers] == [0, 1]
    assert answers[1].probabilities == {"1": 0.9}


def test_an_array_of_rows_is_sent_row_by_row(client: Modelport, platform: Platform) -> None:
    platform.on(PREDICT, Answer(200, {"model": "m", "version": "v1", "predictions": [0, 1]}))
    client.predict_many("iris-7kq2p", np.array([[1, 2], [3, 4]]))
    assert platform.asked[0].json == {"inputs": [[1, 2], [3, 4]]}


@pytest.mark.parametrize("row", [{"x": math.inf}, {"x": object()}])
def test_what_json_cannot_hold_is_refused_before_it_is_sent(
    client: Modelport, platform: Platform, row: Any
) -> None:
    with pytest.raises(InvalidRequest, match="cannot be sent as JSON"):
        client.predict("iris-7kq2p", row)
    assert platform.asked == []


def test_an_id_cannot_change_the_path(client: Modelport, platform: Platform) -> None:
    platform.on("POST /predict/..%2Fapi", Answer(200, ONE))
    client.predict("../api", {})
    assert len(platform.asked) == 1
