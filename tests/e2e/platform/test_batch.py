"""A job over a file on the cluster: in pods of its own that come, are nobody else's, and go."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.accounts import Person, register, save
from tests.support.models import iris_logistic_named
from tests.support.waiting import eventually

pytestmark = pytest.mark.e2e

ROWS = 20_000
_COLUMNS = "sepal_length,sepal_width,petal_length,petal_width"


def _input() -> bytes:
    lines = [f"id,{_COLUMNS}"]
    for number in range(ROWS):
        width = "wide" if number % 1000 == 7 else "3.5"
        lines.append(f"r{number},{4 + number % 40 / 10},{width},1.4,0.2")
    return "\n".join(lines).encode()


def test_a_job_is_done_by_pods_of_its_own(platform: Any, tmp_path: Path) -> None:
    person = register(platform.url, tmp_path)
    model_id = person.upload(save(iris_logistic_named().model, tmp_path / "iris.joblib"))["id"]
    job_id = _submit(person, model_id)
    batch = f"serving.modelport.dev/model={model_id},serving.modelport.dev/batch-version=v1"
    eventually(lambda: platform.models.json("get", "pods", "-l", batch)["items"])
    # Nobody routes to them.
    slices = platform.models.json("get", "endpointslices", "-l", f"serving.modelport.dev/model={model_id}")
    served = [each["targetRef"]["name"] for one in slices["items"] for each in one["endpoints"] or ()]
    assert served
    assert not any("-batch-" in name for name in served)
    job = eventually(lambda: _ended(person, job_id), seconds=720, every=2)
    assert (job["state"], job["rows_done"], job["rows_failed"]) == ("succeeded", ROWS, ROWS // 1000), job
    results = _results(person, job)
    assert [row["id"] for row in results] == [f"r{number}" for number in range(ROWS)]
    assert {number for number, row in enumerate(results) if row["error"]} == set(range(7, ROWS, 1000))
    # A minute after the last job.
    eventually(lambda: not platform.models.json("get", "deploy,pod", "-l", batch)["items"], seconds=720)
    person.cli("delete", model_id, "--yes")


def _submit(person: Person, model_id: str) -> str:
    with person.http() as client:
        response = client.post(
            f"/api/v1/predict/{model_id}/batch", content=_input(), headers={"Content-Type": "text/csv"}
        )
    job_id: str = response.raise_for_status().json()["id"]
    return job_id


def _ended(person: Person, job_id: str) -> dict[str, Any] | None:
    with person.http() as client:
        job: dict[str, Any] = client.get(f"/api/v1/jobs/{job_id}").raise_for_status().json()
    return None if job["state"] in ("queued", "running") else job


def _results(person: Person, job: dict[str, Any]) -> list[dict[str, str]]:
    with person.http() as client:
        text = client.get(f"/api/v1/jobs/{job['id']}/results").raise_for_status().text
    return list(csv.DictReader(io.StringIO(text)))
