"""Boosters that the platform's XGBoost does not read, in the environment that their upload is sent to."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
FOLDER = Path(__file__).parents[3] / "fixtures" / "other_boosters" / "xgboost-3.0.5"
ANSWERS: dict[str, Any] = json.loads((FOLDER / "answers.json").read_text())


@pytest.fixture(autouse=True, scope="module")
def made() -> None:
    """By this process, whose uv knows this machine's index; the platform's own has another home."""
    EnvironmentStore(default_folder()).prepare(find("xgboost-3.0"))


@pytest.mark.parametrize("name", ["classes.deprecated", "leaves.ubj", "leaves.joblib"])
def test_a_booster_is_served_where_it_is_read(platform: PlatformProcess, name: str) -> None:
    expected = ANSWERS[name.partition(".")[0]]
    with platform.register_user() as client:
        files = {"file": (FOLDER / name).read_bytes()}
        data = {"name": "old", "sample": json.dumps(expected["rows"][0])}
        response = client.post("/api/v1/models/upload", files=files, data=data)
        model_id = response.raise_for_status().json()["id"]
        wait_until_ready(client, model_id)
        (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
        assert (version["framework"], version["environment"]) == ("xgboost", "xgboost-3.0")
        assert version["libraries"]["here"]["xgboost"] == "3.0.5"
        response = client.post(f"/predict/{model_id}", json={"inputs": expected["rows"]})
        given = response.raise_for_status().json()["predictions"]
    np.testing.assert_allclose(given, expected["predict"], rtol=1e-6)
