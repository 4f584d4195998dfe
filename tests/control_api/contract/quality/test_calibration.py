"""A calibration from a file: how it comes, what is refused, and what is then expected."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from tests.control_api.contract.quality.conftest import Scene

PATH = "/api/v1/models/{}/versions/v1/calibration"
# Right in four of five.
TRUTHS = ["a" if row % 5 else "b" for row in range(200)]
CSV = "label,note,probability_a,probability_b\n" + "".join(f"{truth},x,0.9,0.1\n" for truth in TRUTHS)
LINES = b"\n".join(orjson.dumps({"label": truth, "probabilities": {"a": 0.9, "b": 0.1}}) for truth in TRUTHS)


def predict(scene: Scene, *labels: str | None) -> None:
    for number, label in enumerate(labels):
        at, key = datetime.now(UTC), {"prediction_id": f"r{number}", "row": 0}
        scene.predict(
            key
            | {"version": "v1", "unit": "", "at": at}
            | {"prediction": '"a"', "probabilities": '{"a":0.9,"b":0.1}'}
        )
        if label:
            said = {"label": orjson.dumps(label).decode(), "reward": None, "at": at, "received_at": at}
            scene.label(key | said)


async def put(scene: Scene, body: str | bytes, **query: str) -> Any:
    return await scene.ann.http.put(PATH.format(scene.model_id), content=body, params=query)


@pytest.mark.parametrize("body", [CSV, LINES, CSV.replace("label", "species")])
async def test_what_is_uploaded_says_what_is_expected(scene: Scene, body: str | bytes) -> None:
    predict(scene, None, None, None)
    [before] = (await scene.quality())["versions"]
    assert (before["calibration"], before["expected"]) == (None, {})
    answer = await put(scene, body, label="species" if "species" in str(body) else "label")
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"] == 200
    [version] = (await scene.quality())["versions"]
    assert version["calibration"] == answer.json()
    accuracy = version["expected"]["accuracy"]
    assert (accuracy["value"], accuracy["rows"]) == (pytest.approx(0.8), 3)
    assert accuracy["estimated"] is True
    assert version["series"][0]["expected"]["accuracy"] == accuracy
    assert (await scene.ann.http.delete(PATH.format(scene.model_id))).status_code == 204
    assert (await scene.quality())["versions"][0]["expected"] == {}
    assert (await scene.ann.http.delete(PATH.format(scene.model_id))).status_code == 404


async def test_labels_that_are_in_calibrate_where_nothing_was_uploaded(scene: Scene) -> None:
    predict(scene, *TRUTHS, None)
    [version] = (await scene.quality())["versions"]
    assert version["calibration"] == {"source": "labels", "rows": 200, "created_at": None}
    assert version["expected"]["accuracy"]["rows"] == 1
    assert version["expected"]["accuracy"]["value"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("a,b\n1,2\n", "needs the column label, and probability_<class>"),
        ("label,probability_a,probability_b\n" + "a,0.9,0.1\n" * 20, "100 rows or more"),
        ("label,probability_a,probability_b\n" + "zebra,0.9,0.1\n" * 200, "check its labels"),
        ("label,probability_a,probability_b\na,0.9,much\n", "Line 2: the probability of b"),
        ("label,probability_a,probability_b\na,0.9,1.1\n", "Line 2: the probability of b"),
        ('{"label": "a"}\n', "Line 1 must be an object with label and probabilities"),
        ('{"label": "a", "probabilities": {"a": 1}}\n{"label"\n', "Line 2 is no JSON"),
        (b"label,probability_a,probability_b\n\xff,1,0\n", "UTF-8"),
    ],
)
async def test_a_file_that_is_none_is_told_what_it_lacks(scene: Scene, body: str | bytes, word: str) -> None:
    answer = await put(scene, body)
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


async def test_a_calibration_needs_its_version(scene: Scene) -> None:
    path = f"/api/v1/models/{scene.model_id}/versions/v7/calibration"
    assert (await scene.ann.http.put(path, content=CSV)).status_code == 404
