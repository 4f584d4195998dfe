"""Code of a user's own, uploaded with a model file or alone, answers on a whole platform."""

import io
import json
from typing import Any

import httpx
import joblib

from tests.support.models import iris_logistic
from tests.support.platform_process import settled

ROW = {"a": 5.1, "b": 3.5, "c": 1.4, "d": 0.2}
AROUND = """
def preprocess(rows):
    print("rows of mine:", len(rows))
    return [[row[name] for name in "abcd"] for row in rows]

def postprocess(predictions):
    return [f"{each}!" for each in predictions]
"""
MODEL = """
class Model:
    def predict(self, rows: list[str]):
        if "" in rows:
            raise ValueError("an empty text says nothing")
        return [len(row) / (row != "zero") for row in rows]
"""


def test_code_around_a_model_and_code_alone_answer(account: httpx.Client) -> None:
    """They start together."""
    trained, saved = iris_logistic(), io.BytesIO()
    joblib.dump(trained.model, saved)
    around = upload(account, {"file": ("iris.joblib", saved.getvalue()), "code": ("prep.py", AROUND)}, ROW)
    alone = upload(account, {"file": ("texts.py", MODEL)})

    for id_, framework in ((around, "sklearn"), (alone, "python")):
        model = settled(account, f"/api/v1/models/{id_}")
        assert (model["status"], model["framework"]) == ("ready", framework), model
    (expected,) = trained.model.predict([list(ROW.values())])
    assert predict(account, around, ROW).json()["prediction"] == f"{expected}!"
    logs = account.get(f"/api/v1/models/{around}/versions/v1/logs").text
    assert "rows of mine: 1" in logs
    assert predict(account, alone, "four").json()["prediction"] == 4
    refused = predict(account, alone, "")
    assert (refused.status_code, "says nothing" in refused.text) == (422, True)
    assert predict(account, alone, "zero").json()["reason"] == "ModelError"


def upload(account: httpx.Client, files: dict[str, Any], sample: Any = None) -> str:
    data = {"name": "Own"} | ({} if sample is None else {"sample": json.dumps(sample)})
    response = account.post("/api/v1/models/upload", files=files, data=data)
    return str(response.raise_for_status().json()["id"])


def predict(account: httpx.Client, id_: str, row: Any) -> httpx.Response:
    return account.post(f"/predict/{id_}", json={"input": row})
