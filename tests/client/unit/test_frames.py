"""Data frames, Series and arrays in, and pandas out of what is predicted."""

import json
import sys
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from modelport import InvalidRequest, Modelport, ModelportError, Prediction, Predictions

from tests.client.unit.answers import ONE
from tests.client.unit.platform import Answer, Asked, Platform

PREDICT = "POST /predict/iris-7kq2p"
FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", None]}, index=["first", "second"])


def of_each_row(asked: Asked) -> Answer:
    """The rows' places, as the platform answers many."""
    return Answer(200, {"model": "m", "version": "v1", "predictions": [*range(len(asked.json["inputs"]))]})


@pytest.mark.parametrize(
    ("row", "sent"),
    [
        (FRAME.head(1), {"a": 1.0, "b": "x"}),
        (FRAME.iloc[1], {"a": 2.0, "b": None}),
        (pd.Series([5.1, 3.5]), [5.1, 3.5]),
        (pd.DataFrame([[5.1, 3.5]]), [5.1, 3.5]),
        ({"n": pd.NA, "at": pd.NaT, "x": np.float32("nan")}, {"n": None, "at": None, "x": None}),
        ({"day": date(2026, 2, 3), "at": pd.Timestamp("2026-02-03 04:05")},
         {"day": "2026-02-03", "at": "2026-02-03T04:05:00"}),
        (np.array(["2026-02-03T04:05", "NaT"], dtype="datetime64[ns]"), ["2026-02-03T04:05:00", None]),
    ],
)  # fmt: skip
def test_a_row_of_pandas_is_sent_as_one(client: Modelport, platform: Platform, row: Any, sent: Any) -> None:
    platform.on(PREDICT, Answer(200, ONE))
    client.predict("iris-7kq2p", row)
    assert platform.asked[0].json == {"input": sent}


@pytest.mark.parametrize("frame", [FRAME, FRAME.head(0)])
def test_a_frame_of_many_rows_says_what_predicts_them(
    client: Modelport, platform: Platform, frame: pd.DataFrame
) -> None:
    with pytest.raises(InvalidRequest, match=rf"has {len(frame)}: predict_many\(model_id, frame\)"):
        client.predict("iris-7kq2p", frame)
    assert platform.asked == []


@pytest.mark.parametrize("row", [{"a": 1}, "a text", FRAME.iloc[0]])
def test_one_row_is_not_taken_for_many(client: Modelport, platform: Platform, row: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"predict\(model_id, row\)"):
        client.predict_many("iris-7kq2p", row)
    assert platform.asked == []


@pytest.mark.parametrize(
    ("rows", "sent"),
    [
        (FRAME, [{"a": 1.0, "b": "x"}, {"a": 2.0, "b": None}]),
        (pd.DataFrame([[1.0, 2.0], [3.0, 4.0]]), [[1.0, 2.0], [3.0, 4.0]]),
        (pd.Series(["win", "lose"]), ["win", "lose"]),
    ],
)
def test_rows_are_sent_by_name_where_they_have_names(
    client: Modelport, platform: Platform, rows: Any, sent: Any
) -> None:
    platform.on(PREDICT, of_each_row)
    client.predict_many("iris-7kq2p", rows)
    assert platform.asked[0].json == {"inputs": sent}


class OfPolars:
    """What a polars DataFrame has of what is looked at."""

    columns = ("a",)

    def __len__(self) -> int:
        return 1

    def to_dict(self, *, as_series: bool = True) -> Any:
        raise AssertionError("pandas' way of calling it")

    def to_dicts(self) -> list[dict[str, int]]:
        return [{"a": 1}]


def test_frames_of_polars_are_read_too(client: Modelport, platform: Platform) -> None:
    platform.on(PREDICT, Answer(200, ONE), of_each_row)
    client.predict("iris-7kq2p", OfPolars())
    client.predict_many("iris-7kq2p", OfPolars())
    assert [asked.json for asked in platform.asked] == [{"input": {"a": 1}}, {"inputs": [{"a": 1}]}]


def test_predictions_are_a_series_with_the_index_of_the_rows(client: Modelport, platform: Platform) -> None:
    platform.on(PREDICT, of_each_row)
    found = client.predict_many("iris-7kq2p", FRAME)
    assert isinstance(found, list)
    pd.testing.assert_series_equal(
        found.to_series(), pd.Series([0, 1], index=["first", "second"], name="prediction")
    )
    assert client.predict_many("iris-7kq2p", [[1], [2]]).to_series().index.tolist() == [0, 1]


def test_all_that_was_requested_is_a_frame() -> None:
    found = Predictions(
        [
            Prediction("a", {"a": 0.9, "b": 0.1}, "m", "v1", False, None, {"scores": [1.5, -2.0]}),
            Prediction("b", {"a": 0.2, "b": 0.8}, "m", "v1", False, None, {"scores": [0.5, 3.0]}),
        ],
        FRAME.index,
    )
    frame = found.to_frame()
    assert frame.columns.tolist() == [
        *("prediction", "probability_a", "probability_b", "scores_0", "scores_1"),
    ]
    assert frame.loc["second"].tolist() == ["b", 0.2, 0.8, 0.5, 3.0]


@pytest.mark.parametrize(
    ("one", "columns"),
    [
        (Prediction(1.5, None, "m", "v1", False, None), ["prediction"]),
        (Prediction(None, None, "m", "v1", False, None), ["prediction"]),
        (Prediction([1, 0], [{"0": 0.2, "1": 0.8}, {"0": 0.6, "1": 0.4}], "m", "v1", False, None),
         ["prediction_0", "prediction_1", "probability_0_0", "probability_0_1", "probability_1_0",
          "probability_1_1"]),
        (Prediction(None, None, "m", "v1", False, None, {"decision_function": 0.5}), ["decision_function"]),
        (Prediction({"label": "a", "box": [1, 2]}, None, "m", "v1", False, None),
         ["prediction_label", "prediction_box_0", "prediction_box_1"]),
    ],
)  # fmt: skip
def test_what_has_several_values_is_several_columns(one: Prediction, columns: list[str]) -> None:
    assert Predictions([one]).to_frame().columns.tolist() == columns


@pytest.mark.parametrize("form", ["to_series", "to_frame"])
def test_without_pandas_it_says_what_to_install(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ModelportError, match=r"pip install 'modelport\[pandas\]'"):
        getattr(Predictions(), form)()


def test_the_sample_of_an_upload_is_the_first_row_of_a_frame(
    client: Modelport, platform: Platform, model_file: Any
) -> None:
    platform.on("POST /api/v1/models/upload", Answer(202, {"id": "m", "name": "x", "status": "pending"}))
    client.models.upload(model_file, "x", sample=FRAME)
    sent = platform.asked[0].body.split(b'name="sample"\r\n\r\n')[1].split(b"\r\n")[0]
    assert json.loads(sent) == {"a": 1.0, "b": "x"}
