"""Models whose library the platform has not, each in the image of its framework's environment."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e import images
from tests.e2e.accounts import Person, register
from tests.e2e.conftest import showing_progress

pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(2400)]

FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return register(platform.url, tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize(
    ("file", "environment", "answered"),
    [
        ("catboost/visits.cbm", "catboost-1.2", "probabilities"),
        ("tensorflow/flowers.keras", "tensorflow-2.21", "answers"),
    ],
)
def test_it_predicts_what_its_library_did(
    pytestconfig: pytest.Config, cluster: Cluster, person: Person, file: str, environment: str, answered: str
) -> None:
    with showing_progress(pytestconfig):
        images.load_environment_into(cluster, environment)
    path = FIXTURES / file
    model = person.upload(path)
    known = json.loads(path.with_name("answers.json").read_text())[path.stem]
    with person.http() as client:
        body = {"inputs": known["rows"], "return": ["probabilities"]}
        given = client.post(f"/predict/{model['id']}", json=body).raise_for_status().json()
    (version,) = person.model(model["id"])["versions"]
    assert (version["environment"], version["sandbox"]["level"]) == (environment, 2)
    found = [list(row.values()) for row in given["probabilities"]]
    assert found == [pytest.approx(row, rel=1e-6) for row in known[answered]]
