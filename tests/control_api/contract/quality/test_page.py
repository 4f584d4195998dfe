"""The page of a model's quality."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from scipy.stats import binomtest

from tests.control_api.contract.quality.conftest import Scene
from tests.control_api.unit.models.platform import sign_in

NOW = datetime.now(UTC)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


def observe(scene: Scene, *labels: str | None) -> None:
    for number, label in enumerate(labels):
        at, key = NOW - timedelta(days=number % 2), {"prediction_id": f"r{number}", "row": 0}
        row = key | {"version": "v1", "unit": "", "at": at, "prediction": '"a"'}
        scene.predict(row | {"probabilities": '{"a":0.9,"b":0.1}'})
        if label:
            said = {"label": json.dumps(label), "reward": None, "at": at, "received_at": at}
            scene.label(key | said)


def charts(page: str) -> dict[str, Any]:
    found = [json.loads(unescape(each)) for each in re.findall(r"data-chart='([^']*)'", page)]
    return {each["label"].partition(" in the last")[0]: each for each in found}


async def opened(scene: Scene, name: str = "ann", **query: str) -> httpx.Response:
    client = await sign_in(scene.platform, name)
    return await client.get(f"/ui/models/{scene.model_id}/quality", params=query)


async def test_charts_and_figures_are_those_of_the_labels(scene: Scene) -> None:
    observe(scene, *(["a", "a", "a", "b"] * 30), None)
    page = (await opened(scene)).text
    shown = charts(page)
    assert shown["Predictions and labels"]["series"][1]["values"] == [*[0] * 28, 60, 60]
    assert len(shown["Accuracy"]["x"]) == 30
    line, expected = shown["Accuracy"]["series"]
    assert (line["label"], line["values"][-3:]) == ("v1", [None, 0.5, 1.0])
    assert (expected["label"], expected["values"][-2]) == ("v1, expected", None)
    assert "120 of 121 predictions with a label" in page
    wilson = binomtest(90, 120).proportion_ci(method="wilson")
    assert f">{wilson.low:.4g} to {wilson.high:.4g}<" in page


async def test_a_model_without_feedback_is_told_how_to_begin(scene: Scene) -> None:
    page = (await opened(scene)).text
    assert "No predictions were observed" in page
    assert f"/ui/models/{scene.model_id}/settings" in page


async def test_nobody_but_its_owner_sees_it(scene: Scene) -> None:
    observe(scene, "a")
    await scene.platform.account("eve")
    assert (await opened(scene, "eve")).status_code == 404
    await scene.platform.admin()
    client = await sign_in(scene.platform, "root")
    page = await client.get(f"/ui/models/{scene.model_id}/quality")
    assert page.status_code == 200
    assert "only the model" in unescape(page.text)
    assert "with a label" not in page.text
