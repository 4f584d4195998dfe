"""Prediction history on the whole platform: on, redacted, exported, off, forgotten."""

import csv
import io
import time
from typing import Any

import httpx
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.standalone.integration.test_life_of_a_version import upload
from tests.support.platform_process import PlatformProcess, wait_until_ready
from tests.support.waiting import eventually

SECRET = 31415.9265
FIELD = "petal length (cm)"


def iris_by_name() -> LogisticRegression:
    data = load_iris(as_frame=True)
    return LogisticRegression(max_iter=500).fit(data.data, data.target)


def row(number: float) -> dict[str, float]:
    return {"sepal length (cm)": number, "sepal width (cm)": 3.5, FIELD: SECRET, "petal width (cm)": 0.2}


def test_what_is_kept_of_a_model(platform: PlatformProcess) -> None:
    with platform.register_user() as ann, platform.register_user() as bob:
        id_ = str(upload(ann, iris_by_name(), name="Iris")["id"])
        wait_until_ready(ann, id_)
        query = {"model_id": id_}

        def predict(number: float) -> httpx.Response:
            return ann.post(f"/predict/{id_}", json={"input": row(number)})

        def kept() -> list[dict[str, Any]]:
            items: list[dict[str, Any]] = ann.get("/api/v1/predictions", params=query).json()["items"]
            return items

        def configure(history: Any) -> None:
            ann.patch(f"/api/v1/models/{id_}", json={"history": history}).raise_for_status()

        def is_kept() -> bool:
            """Whether a request is kept now: gateways hear of a change in the background."""
            asked = predict(1).headers["x-request-id"]
            time.sleep(3)
            return any(each["request_id"] == asked for each in kept())

        assert not is_kept()
        configure({"percent": 100, "redact_fields": [FIELD]})
        eventually(is_kept)
        assert ann.delete("/api/v1/predictions", params=query).status_code == 204
        responses = [predict(number) for number in range(2, 12)]
        refused = ann.post(f"/predict/{id_}", json={"input": {**row(1), FIELD: str(SECRET)}})
        assert refused.status_code == 422
        rows = eventually(lambda: len(found := kept()) >= 11 and found)
        assert len(rows) == 11
        by_request = {each["request_id"]: each for each in rows}
        for response in responses:
            one = by_request[response.headers["x-request-id"]]
            assert one["answer"] == response.json()
            assert one["request"]["input"][FIELD] == "[redacted]"
            assert (one["status"], one["version"], one["cache"]) == (200, "v1", "miss")
        assert by_request[refused.headers["x-request-id"]]["status"] == 422
        errors = ann.get("/api/v1/predictions", params={**query, "outcome": "error"}).json()["items"]
        assert [each["status"] for each in errors] == [422]
        files = list(platform.data.glob("modelport.db*"))
        assert any(rows[0]["request_id"].encode() in file.read_bytes() for file in files)
        assert all(str(SECRET).encode() not in file.read_bytes() for file in files)
        assert bob.get("/api/v1/predictions", params=query).status_code == 404
        export = ann.get("/api/v1/predictions/export", params=query)
        assert len(list(csv.DictReader(io.StringIO(export.text)))) == 11
        configure(None)
        eventually(lambda: not is_kept())
        assert ann.delete("/api/v1/predictions", params=query).status_code == 204
        assert kept() == []
