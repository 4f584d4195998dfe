"""Code of a user's own in a pod: the init container unpacks it, and the image is scikit-learn's."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.accounts import Person, register

pytestmark = [pytest.mark.e2e, pytest.mark.nightly]

MODEL = """
from pathlib import Path

class Model:
    def predict(self, rows: list[str]):
        beside = sorted(each.name for each in Path(__file__).parent.iterdir())
        return [[len(row), *beside] for row in rows]
"""


@pytest.fixture(scope="module")
def person(platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return register(platform.url, tmp_path_factory.mktemp("home"))


def test_it_predicts_in_a_pod(person: Person, tmp_path: Path) -> None:
    path = tmp_path / "texts.py"
    path.write_text(MODEL)

    model = person.upload(path)

    with person.http() as client:
        given = client.post(f"/predict/{model['id']}", json={"input": "four"}).raise_for_status().json()
    assert given["prediction"] == [4, ".modelport.json", "texts.py"]
    (version,) = person.model(model["id"])["versions"]
    assert version["sandbox"]["level"] == 2
