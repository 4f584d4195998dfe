"""CatBoost models, which the platform has no library for: each file predicts what CatBoost itself did.

`tests/fixtures/catboost/generate.py` trained them and stored what CatBoost predicted.
"""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.other_libraries import predict_in
from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[2] / "fixtures" / "catboost"
ANSWERS: dict[str, dict[str, Any]] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def python() -> Path:
    """The environment's, made by this process, whose uv knows this machine's index."""
    return EnvironmentStore(default_folder()).prepare(find("catboost-1.2"))


@pytest.fixture(scope="module")
def served(python: Path) -> dict[str, Any]:
    """File → what the runtime predicts for its rows, and its signature."""
    files = {**{f"{name}.cbm": name for name in ANSWERS}, "visits.joblib": "visits"}
    rows = {file: ANSWERS[name]["rows"] for file, name in files.items()}
    answers = predict_in(python, "catboost", rows, SAVED)
    assert not answers.has_sklearn
    return answers.found


@pytest.mark.parametrize(
    ("file", "task", "classes"),
    [
        ("visits.cbm", "classifier", ["comes", "stays away"]),
        ("visits.joblib", "classifier", ["comes", "stays away"]),
        ("bare.cbm", "classifier", [0, 1]),
        ("truth.cbm", "classifier", [False, True]),
        ("levels.cbm", "classifier", [5, 6, 7]),
        ("price.cbm", "regressor", None),
        ("counts.cbm", "regressor", None),
        ("two.cbm", "regressor", None),
        ("ranks.cbm", "regressor", None),
    ],
)
def test_a_file_predicts_what_catboost_did(
    served: dict[str, Any], file: str, task: str, classes: list[Any] | None
) -> None:
    found, told = served[file], ANSWERS[Path(file).stem]
    assert (found["signature"]["task"], found["signature"]["classes"]) == (task, classes)
    expected = told["prediction"]
    if classes is None:
        for one, other in zip(found["predictions"], expected, strict=True):
            assert one == pytest.approx(other, rel=1e-12)
        return
    # CatBoost gives a list of one label where there are more than two classes.
    assert found["predictions"] == [each[0] if isinstance(each, list) else each for each in expected]
    shares = [list(row.values()) for row in found["probabilities"]]
    assert shares == [pytest.approx(row, rel=1e-12) for row in told["probabilities"]]
    assert list(found["probabilities"][0]) == [json.dumps(each).strip('"') for each in classes]


def test_labels_and_classes_against_all_others_are_what_they_are(served: dict[str, Any]) -> None:
    several, told = served["several.cbm"], ANSWERS["several"]
    assert several["predictions"] == told["prediction"]
    shares = [[label["1"] for label in row] for row in several["probabilities"]]
    assert shares == [pytest.approx(row, rel=1e-12) for row in told["probabilities"]]
    against = served["against.cbm"]
    assert against["predictions"] == [label for (label,) in ANSWERS["against"]["prediction"]]
    assert against["scores"] == [pytest.approx(row, rel=1e-12) for row in ANSWERS["against"]["probabilities"]]


def upload(client: httpx.Client, file: str, **fields: str) -> str:
    response = client.post(
        "/api/v1/models/upload",
        files={"file": (SAVED / file).read_bytes()},
        data={"name": file, **fields},
    )
    return str(response.raise_for_status().json()["id"])


def test_a_platform_without_catboost_serves_it(platform: PlatformProcess, python: Path) -> None:
    with platform.register_user() as client:
        models = [upload(client, file) for file in ("visits.cbm", "visits.joblib", "price.cbm")]
        for model_id, name in zip(models, ("visits", "visits", "price"), strict=True):
            wait_until_ready(client, model_id)
            (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
            assert (version["framework"], version["environment"]) == ("catboost", "catboost-1.2")
            assert version["sandbox"]["level"] == 2
            assert version["libraries"]["here"]["catboost"] == "1.2.10"
            assert version["libraries"]["differences"] == []
            response = client.post(f"/predict/{model_id}", json={"inputs": ANSWERS[name]["rows"]})
            found, told = response.raise_for_status().json()["predictions"], ANSWERS[name]["prediction"]
            assert found == (told if name == "visits" else pytest.approx(told, rel=1e-12))
            log = client.get(f"/api/v1/models/{model_id}/versions/v1/logs").text
            assert "system_call_refused" not in log
        _refuses_bad_rows(client, models[0])
        _speaks_the_open_inference_protocol(client, models[0])


def _refuses_bad_rows(client: httpx.Client, model_id: str) -> None:
    good = {"age": 30, "income": 50.5, "city": "Rome", "zone": 10}
    for wrong, field, said in [
        ({"zone": 10.0}, "input.zone", "must be a string or a whole number, not a number with a point"),
        ({"city": None}, "input.city", "must not be null"),
        ({"zone": [10]}, "input.zone", "not a list"),
        ({"age": "old"}, "input.age", "must be a number"),
        ({"street": "x"}, "input.street", "is not a field of this model"),
    ]:
        response = client.post(f"/predict/{model_id}", json={"input": good | wrong})
        assert response.status_code == 422, response.text
        (error,) = response.json()["errors"]
        assert error["field"] == field
        assert said in error["message"]
    # A number and its text are one category; one that was never seen is none of an error.
    told = [
        client.post(
            f"/predict/{model_id}", json={"input": good | {"zone": zone}, "return": ["probabilities"]}
        )
        for zone in (10, "10", "never seen")
    ]
    same, text, unseen = (each.raise_for_status().json()["probabilities"] for each in told)
    assert same == text != unseen


def _speaks_the_open_inference_protocol(client: httpx.Client, model_id: str) -> None:
    inputs = {each["name"]: each for each in client.get(f"/v2/models/{model_id}").json()["inputs"]}
    assert {name: each["datatype"] for name, each in inputs.items()} == {
        "age": "FP64", "income": "FP64", "city": "BYTES", "zone": "BYTES",
    }  # fmt: skip
    rows = ANSWERS["visits"]["rows"]
    tensors = [
        {
            "name": name,
            "datatype": "INT64" if name == "zone" else each["datatype"],
            "shape": [len(rows)],
            "data": [row[name] for row in rows],
        }
        for name, each in inputs.items()
    ]
    response = client.post(f"/v2/models/{model_id}/infer", json={"inputs": tensors})
    outputs = {each["name"]: each for each in response.raise_for_status().json()["outputs"]}
    assert outputs["predict"]["data"] == ANSWERS["visits"]["prediction"]
