"""A model that an older scikit-learn saved, in the image of that version's environment."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.accounts import Person, register

pytestmark = pytest.mark.e2e

FILES = Path(__file__).parents[2] / "fixtures" / "other_versions" / "1.2.2"
MODEL = "samme_r"


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return register(platform.url, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def uploaded(person: Person, environment_image: str) -> dict[str, Any]:
    return person.upload(FILES / f"{MODEL}.joblib", "--environment", "sklearn-1.2")


def test_it_predicts_what_its_own_version_did(person: Person, uploaded: dict[str, Any]) -> None:
    answers = json.loads((FILES / "answers.json").read_text())[MODEL]
    body = {"inputs": answers["rows"], "return": ["prediction", "probabilities"]}
    with person.http() as client:
        given = client.post(f"/predict/{uploaded['id']}", json=body).raise_for_status().json()
    assert given["predictions"] == answers["predict"]
    probabilities = [list(each.values()) for each in given["probabilities"]]
    np.testing.assert_allclose(probabilities, answers["predict_proba"], rtol=1e-9, atol=1e-12)


def test_its_pod_runs_the_environments_image_in_the_full_sandbox(
    platform: Any, person: Person, uploaded: dict[str, Any], environment_image: str
) -> None:
    (version,) = person.model(uploaded["id"])["versions"]
    assert version["environment"] == "sklearn-1.2"
    assert version["libraries"]["here"]["scikit-learn"] == "1.2.2"
    assert version["sandbox"]["level"] == 2, version["sandbox"]
    deployment = platform.models.json("get", "deployment", f"{uploaded['id']}-v1")
    pod = deployment["spec"]["template"]["spec"]
    images = {each["image"] for each in [*pod["initContainers"], *pod["containers"]]}
    assert {f"docker.io/library/{each}" for each in images} == {environment_image}
