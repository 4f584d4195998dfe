"""A job whose worker is killed again and again: every row once, in order, with what the model says of it."""

import csv
import io
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from tests.support.batch_workers import find_worker, kill_worker, kill_worker_at_work
from tests.support.platform_process import PlatformProcess, wait_until_ready

# Each worker starts over cutting the input, and none lives long enough to come to its end.
ROWS = 600_000
KILLS = 3
BAD_EVERY = 100
_END_SECONDS = 600


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[PlatformProcess]:
    # Short leases: what a killed worker held waits for their end.
    running = PlatformProcess(tmp_path, MODELPORT_CONTROL_API_BATCH_LEASE_SECONDS="3").start()
    yield running
    running.stop()


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_worker_that_is_killed_loses_and_doubles_no_row(platform: PlatformProcess, tmp_path: Path) -> None:
    features, labels = load_iris(return_X_y=True)
    forest = RandomForestClassifier(30, random_state=0).fit(features, labels)
    joblib.dump(forest, tmp_path / "iris.joblib")
    rows = _moved(features)
    with platform.register_user() as client:
        model_id = _upload(client, tmp_path / "iris.joblib")
        job = client.post(
            f"/api/v1/predict/{model_id}/batch",
            content=_csv(rows),
            headers={"Content-Type": "text/csv"},
        )
        assert job.status_code == 202, job.text
        moments = random.Random(1)
        for _ in range(KILLS):
            kill_worker(platform.process.pid, moments)
        kill_worker_at_work(platform.process.pid, lambda: _job(client, job)["rows_done"])
        killed = _job(client, job)
        assert (killed["state"], killed["rows_done"] < ROWS) == ("running", True), killed
        ended = _wait(client, job.json()["id"])
        assert (ended["state"], ended["rows_total"]) == ("succeeded", ROWS), ended
        results = list(csv.DictReader(io.StringIO(client.get(ended["results_url"]).text)))
    assert [int(each["row"]) for each in results] == list(range(ROWS))
    assert [each["id"] for each in results] == [f"r{row}" for row in range(ROWS)]
    bad = {row for row, each in enumerate(results) if each["error"]}
    assert bad == set(range(7, ROWS, BAD_EVERY))
    expected = forest.predict(rows)
    assert all(int(results[row]["prediction"]) == expected[row] for row in range(ROWS) if row not in bad)
    assert ended["rows_failed"] == len(bad)
    assert find_worker(platform.process.pid) is not None


def _moved(features: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(0)
    chosen = features[generator.integers(0, len(features), ROWS)]
    moved: np.ndarray = (chosen * generator.uniform(0.8, 1.2, chosen.shape)).round(4)
    return moved


def _csv(rows: np.ndarray) -> bytes:
    lines = ["id,x0,x1,x2,x3"]
    for number, row in enumerate(rows.tolist()):
        cells = [repr(value) for value in row]
        if number % BAD_EVERY == 7:
            cells[1] = "unknown"
        lines.append(",".join([f"r{number}", *cells]))
    return "\n".join(lines).encode()


def _upload(client: httpx.Client, path: Path) -> str:
    with path.open("rb") as file:
        made = client.post("/api/v1/models/upload", files={"file": file}, data={"name": "iris"})
    model_id: str = made.raise_for_status().json()["id"]
    wait_until_ready(client, model_id)
    return model_id


def _job(client: httpx.Client, submitted: httpx.Response) -> dict[str, Any]:
    job: dict[str, Any] = client.get(f"/api/v1/jobs/{submitted.json()['id']}").raise_for_status().json()
    return job


def _wait(client: httpx.Client, job_id: str) -> dict[str, object]:
    for _ in range(_END_SECONDS // 30):
        job: dict[str, object] = client.get(f"/api/v1/jobs/{job_id}", params={"wait": 30}).json()
        if job["state"] not in ("queued", "running"):
            return job
    raise AssertionError(f"it does not end: {job}")
