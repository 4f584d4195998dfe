"""Predictors of AutoGluon in their folders, which the platform has no library for, answer as they did.

`tests/fixtures/autogluon/generate.py` trained them and stored what AutoGluon answered.
"""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import PlatformProcess, settled, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[3] / "fixtures" / "autogluon"
ANSWERS: dict[str, dict[str, Any]] = json.loads((SAVED / "answers.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def made() -> None:
    """By this process, whose uv knows this machine's index."""
    EnvironmentStore(default_folder()).prepare(find("autogluon-1.6"))


def test_a_platform_without_autogluon_serves_it(platform: PlatformProcess) -> None:
    with platform.register_user() as client:
        models = {name: upload(client, name) for name in ANSWERS}
        for name, model_id in models.items():
            wait_until_ready(client, model_id)
            (version,) = client.get(f"/api/v1/models/{model_id}").json()["versions"]
            assert (version["framework"], version["environment"]) == ("autogluon", "autogluon-1.6")
            assert version["sandbox"]["level"] == 2
            told = ANSWERS[name]
            outputs = ["prediction", "probabilities"] if "probabilities" in told else ["prediction"]
            body = {"inputs": told["rows"], "return": outputs}
            found = client.post(f"/predict/{model_id}", json=body).raise_for_status().json()
            if "probabilities" not in told:
                assert found["predictions"] == pytest.approx(told["predictions"], rel=1e-6)
                continue
            assert found["predictions"] == told["predictions"]
            for one, other in zip(found["probabilities"], told["probabilities"], strict=True):
                assert one == pytest.approx(other, abs=1e-6)
            log = client.get(f"/api/v1/models/{model_id}/versions/v1/logs").text
            refused = [json.loads(line) for line in log.splitlines() if "system_call_refused" in line]
            # It asks for the room on the disk, and does without.
            assert {each["call"] for each in refused} <= {"statfs"}
        signature = client.get(f"/api/v1/models/{models['flowers.zip']}").json()["versions"][0]["signature"]
        kinds = {each["name"]: each["kind"] for each in signature["columns"]}
        assert (kinds["color"], kinds["petals"], kinds["wild"]) == ("string", "number", "boolean")
        assert signature["classes"] == ["setosa", "versicolor", "virginica"]
        row = ANSWERS["flowers.zip"]["rows"][0]
        for wrong, said in [({"petals": "three"}, "petals"), ({"color": 7}, "color"), ({"x": 1}, "x")]:
            response = client.post(f"/predict/{models['flowers.zip']}", json={"input": row | wrong})
            assert response.status_code == 422, response.text
            assert said in response.text


class Touches:
    """Runs a program, when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self._path}",)


def test_code_in_a_predictor_stays_in_the_sandbox(platform: PlatformProcess, tmp_path: Path) -> None:
    made, mark = io.BytesIO(), tmp_path / "touched"
    with zipfile.ZipFile(SAVED / "flowers.zip") as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            hostile = pickle.dumps(Touches(mark)) if name == "predictor.pkl" else old.read(name)
            new.writestr(name, hostile)
    with platform.register_user() as client:
        model = settled(client, f"/api/v1/models/{upload(client, 'hostile.zip', made.getvalue())}")
    assert (model["status"], model["reason"]) == ("failed", "SandboxViolation"), model
    assert not mark.exists()


def upload(client: httpx.Client, name: str, content: bytes | None = None) -> str:
    content = content or (SAVED / name).read_bytes()
    response = client.post("/api/v1/models/upload", files={"file": (name, content)}, data={"name": name})
    return str(response.raise_for_status().json()["id"])
