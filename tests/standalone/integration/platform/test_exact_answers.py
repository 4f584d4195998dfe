"""What the endpoint answers is exactly what the model answers, cached or not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.models import iris, iris_logistic, mixed_pipeline, save_joblib


def modelport(platform: Any, account: httpx.Client, *arguments: str) -> Any:
    """Run the CLI as a script would, and give what it printed as JSON."""
    environment = {
        "MODELPORT_URL": platform.url,
        "MODELPORT_API_KEY": account.headers["Authorization"].removeprefix("Bearer "),
        "PATH": "/usr/bin:/bin",
    }
    command = [str(Path(sys.executable).with_name("modelport")), *arguments, "--json"]
    response = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110)
    assert response.returncode == 0, response.stderr
    return json.loads(response.stdout)


def test_a_mixed_pipeline_uploaded_with_the_cli_predicts_what_it_predicts_here(
    platform: Any, account: httpx.Client, tmp_path: Path
) -> None:
    trained = mixed_pipeline()
    path = save_joblib(trained.model, tmp_path)
    model = modelport(platform, account, "upload", str(path), "--name", "Mixed flowers")
    wanted = trained.model.predict(trained.data).tolist()
    body = {"inputs": trained.rows, "return": ["prediction", "probabilities"]}
    response = account.post(f"/predict/{model['id']}", json=body).raise_for_status().json()
    assert response["predictions"] == wanted
    classes = trained.model.classes_
    for row, probabilities in zip(
        response["probabilities"], trained.model.predict_proba(trained.data), strict=True
    ):
        assert row == dict(zip(classes, probabilities.tolist(), strict=True))
    row = modelport(platform, account, "predict", model["id"], json.dumps(trained.rows[0]))
    assert row["prediction"] == wanted[0]


@pytest.fixture(scope="module")
def nameless(serve: Any) -> str:
    return str(serve(iris_logistic().model)["id"])


def predict(account: httpx.Client, id_: str, text: str, **headers: str) -> httpx.Response:
    return account.post(
        f"/predict/{id_}", content=text, headers={"Content-Type": "application/json", **headers}
    ).raise_for_status()


def test_the_cache_gives_the_same_bytes_for_the_same_values_only(
    account: httpx.Client, nameless: str
) -> None:
    first = predict(account, nameless, '{"input": [5, 3.5, 1.4, 0.2]}')
    again = predict(account, nameless, '{"input": [5.0, 3.5, 1.4, 0.20]}')
    assert (first.headers["x-cache"], again.headers["x-cache"]) == ("miss", "hit")
    assert first.content == again.content
    other = predict(account, nameless, '{"input": [3.5, 5.0, 1.4, 0.2]}')
    assert other.headers["x-cache"] == "miss"
    optional = predict(account, nameless, '{"input": [5, 3.5, 1.4, 0.2], "return": ["probabilities"]}')
    assert optional.headers["x-cache"] == "miss"
    many = predict(account, nameless, '{"inputs": [[5, 3.5, 1.4, 0.2]]}')
    assert many.headers["x-cache"] == "miss"
    fresh = predict(account, nameless, '{"input": [5, 3.5, 1.4, 0.2]}', **{"Cache-Control": "no-cache"})
    assert fresh.headers["x-cache"] in {"miss", "bypass"}


def test_a_model_without_names_takes_values_in_the_order_given(account: httpx.Client, nameless: str) -> None:
    signature = account.get(f"/api/v1/models/{nameless}").json()["signature"]
    assert signature["positional"] is True
    given = {"petal_length": 6.0, "petal_width": 2.5, "sepal_length": 5.1, "sepal_width": 1.9}
    response = predict(account, nameless, json.dumps({"input": given}))
    assert response.json()["prediction"] == iris_logistic().model.predict([list(given.values())])[0]
    turned = predict(account, nameless, json.dumps({"input": dict(reversed(given.items()))}))
    assert turned.headers["x-cache"] == "miss"


def test_a_sample_with_names_makes_names_matter(account: httpx.Client, serve: Any) -> None:
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    sample = dict(zip(names, iris()[0][0].tolist(), strict=True))
    model = serve(iris_logistic().model, sample=json.dumps(sample))
    assert model["signature"]["positional"] is False
    for turned in (sample, dict(reversed(sample.items()))):
        response = predict(account, model["id"], json.dumps({"input": turned}))
        assert response.json()["prediction"] == iris()[1][0]
    wrong = account.post(f"/predict/{model['id']}", json={"input": {**sample, "color": 1}})
    assert wrong.status_code == 422
