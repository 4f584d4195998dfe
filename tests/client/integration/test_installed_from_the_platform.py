"""What a data scientist does in an empty environment: install the client from the platform, and use it."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import empty_environments
from tests.support.platform_process import PlatformProcess

pytestmark = pytest.mark.slow
PROGRAM = """
import asyncio, json, os, sys
import pandas as pd
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from modelport import AsyncModelport, InvalidRequest, Modelport

iris = load_iris(as_frame=True)
rows = iris.data.set_axis(["sepal_length", "sepal_width", "petal_length", "petal_width"], axis=1)
estimator = LogisticRegression(max_iter=500).fit(rows, iris.target_names[iris.target])
url = os.environ["MODELPORT_URL"]

with Modelport(url) as platform:
    model = platform.deploy(estimator, "Iris", rows, reference=rows)
    answers = platform.predict_many(model.id, rows, return_=["prediction", "probabilities"])
    assert answers.to_series().tolist() == estimator.predict(rows).tolist()
    frame = answers.to_frame()
    assert frame.index.equals(rows.index)
    assert abs(frame["probability_setosa"] - estimator.predict_proba(rows)[:, 0]).max() < 1e-6
    assert platform.predict(model.id, rows.iloc[0]).prediction == "setosa"
    assert platform.predict(model.id, rows.head(1)).prediction == "setosa"
    try:
        platform.predict(model.id, rows)
    except InvalidRequest as error:
        assert "predict_many" in str(error)
    assert platform.deploy(estimator, "Iris", rows, to=model.id).traffic == {"v2": 100}


async def main():
    async with AsyncModelport(url) as platform:
        found = await asyncio.gather(*(platform.predict(model.id, rows.iloc[row]) for row in (0, 60, 120)))
        many = await platform.predict_many(model.id, rows.head(2))
        again = await platform.deploy(estimator, "Iris again", rows.to_numpy())
        return [each.prediction for each in found], many.to_series().tolist(), again.status


print(json.dumps({"python": sys.version_info[:2], "async": asyncio.run(main()), "model": model.id}))
"""


@pytest.fixture(scope="module", params=empty_environments.pythons())
def environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    python: Path = empty_environments.make(tmp_path_factory.mktemp("empty"), request.param)
    return python


@pytest.fixture
def wheel_url(platform: PlatformProcess) -> str:
    """As the page names it, to everybody."""
    page = httpx.get(f"{platform.url}/sdk/", timeout=60).text
    (name,) = re.findall(r'href="(modelport-[^"#]+\.whl)#', page)
    return f"{platform.url}/sdk/{name}"


def test_from_an_empty_environment_to_a_model_from_memory_with_frames_and_async(
    platform: PlatformProcess, environment: Path, wheel_url: str, tmp_path: Path
) -> None:
    # A model is read by the version that saved it, or a newer one: that of the platform.
    estimators = f"scikit-learn=={version('scikit-learn')}"
    empty_environments.pip(
        environment, "install", "--quiet", f"modelport[pandas,joblib] @ {wheel_url}", estimators
    )
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    with platform.register_user() as user:
        scopes = {"name": "notebook", "scopes": ["predict", "models:read", "models:write"]}
        key = user.post("/api/v1/api-keys", json=scopes).raise_for_status().json()["key"]
        printed = empty_environments.run(
            environment, PROGRAM, MODELPORT_URL=platform.url, MODELPORT_API_KEY=key, **home
        )
        said: dict[str, Any] = json.loads(printed)
        labels = ["setosa", "versicolor", "virginica"]
        assert said["async"] == [labels, ["setosa", "setosa"], "ready"]
        assert {each["name"] for each in user.get("/api/v1/models").json()["items"]} == {"Iris", "Iris again"}


def test_what_it_installs_is_the_client_and_what_that_needs(environment: Path, wheel_url: str) -> None:
    empty_environments.pip(environment, "install", "--quiet", "--reinstall-package", "modelport", wheel_url)
    listed = json.loads(empty_environments.pip(environment, "list", "--format", "json"))
    ours = [each["name"] for each in listed if each["name"].startswith("modelport")]
    assert ours == ["modelport"]
    code = "import sys, modelport; print(*{*sys.modules} & {'pandas', 'numpy', 'joblib', 'skops'})"
    assert empty_environments.run(environment, code).split() == []
    assert "Usage: modelport" in empty_environments.command(environment, "modelport", "--help")


@pytest.mark.parametrize("option", ["-f", "-i"], ids=["links", "index"])
def test_it_is_an_index_too(platform: PlatformProcess, environment: Path, option: str) -> None:
    address = f"{platform.url}/sdk/"
    arguments = [
        "install",
        "--dry-run",
        "--reinstall",
        "--no-deps",
        "--no-cache",
        option,
        address,
        "modelport",
    ]
    arguments += ["--no-index"] if option == "-f" else []
    # It says on stderr what it would install, and fails where it finds nothing.
    empty_environments.pip(environment, *arguments)
