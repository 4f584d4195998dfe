"""Batch jobs and drift of models whose framework has an environment of its own.

What a job predicts is what the framework itself did when the files were made.
"""

import csv
import io
import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from modelport_environments.catalogue import find
from modelport_standalone.environments.store import EnvironmentStore, default_folder

from tests.support.platform_process import PlatformProcess, wait_until_ready

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]
SAVED = Path(__file__).parents[3] / "fixtures"
_REFERENCE_ROWS = 400
_LIVE_ROWS = 600
_DRIFT_SECONDS = 160


@dataclass(frozen=True)
class Case:
    """`kind`: of the answers in the folder of the file. `moved`: the column whose values drift."""

    environment: str
    file: str
    kind: str
    moved: str


CASES = [
    Case("torch-2.15", "torch/dynamic.pt2", "mlp", "x1"),
    Case("tensorflow-2.21", "tensorflow/flowers.keras", "flowers", "x1"),
    Case("catboost-1.2", "catboost/price.cbm", "price", "x1"),
    Case("statsmodels-0.15", "statsmodels/new/ols_formula.joblib", "ols_formula", "income"),
    Case("river-0.26", "river/linear.joblib", "linear", "income"),
]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    for case in CASES:
        # By this process, whose uv knows this machine's index; the platform's own has another home.
        EnvironmentStore(default_folder()).prepare(find(case.environment))
    quick = {"MODELPORT_GATEWAY_DRIFT_REFRESH_SECONDS": "0.5"}
    running = PlatformProcess(tmp_path_factory.mktemp("frameworks"), **quick).start()
    yield running
    running.stop()


def said(case: Case) -> tuple[list[dict[str, Any]], list[Any]]:
    """Return rows, by the columns' names, and what the framework predicted for them."""
    read = json.loads((SAVED / case.file).with_name("answers.json").read_text(encoding="utf-8"))
    facts = {"rows": read["rows"], "prediction": read["mlp"]} if case.kind == "mlp" else read[case.kind]
    rows = [
        row if isinstance(row, dict) else {f"x{n}": each for n, each in enumerate(row)}
        for row in facts["rows"]
    ]
    answers = facts.get("prediction", facts.get("answers"))
    # Of three shares a classifier of Keras has the class.
    return rows, [each.index(max(each)) for each in answers] if case.kind == "flowers" else answers


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.environment)
def test_a_job_predicts_what_the_framework_did_and_shifted_rows_drift(
    platform: PlatformProcess, case: Case
) -> None:
    rows, expected = said(case)
    with platform.register_user() as client:
        files = {"file": (SAVED / case.file).read_bytes()}
        made = client.post("/api/v1/models/upload", files=files, data={"name": case.kind})
        model: str = made.raise_for_status().json()["id"]
        wait_until_ready(client, model)
        (version,) = client.get(f"/api/v1/models/{model}").json()["versions"]
        assert version["environment"] == case.environment
        taken = [column["name"] for column in version["signature"]["columns"]]
        rows = [{name: row[name] for name in taken} for row in rows]

        for found, wanted in zip(predicted_by_a_job(client, model, rows), expected, strict=True):
            assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)

        shift(client, model, rows, case.moved, positional=version["signature"]["positional"])


def predicted_by_a_job(client: httpx.Client, model: str, rows: list[dict[str, Any]]) -> list[Any]:
    url = f"/api/v1/predict/{model}/batch?output=jsonl"
    job = client.post(url, content=as_csv(rows), headers={"Content-Type": "text/csv"})
    job.raise_for_status()
    ended = client.get(f"/api/v1/jobs/{job.json()['id']}?wait=60").json()
    assert (ended["state"], ended["rows_failed"]) == ("succeeded", 0), ended
    lines = client.get(f"{ended['results_url']}?format=jsonl").text.splitlines()
    return [json.loads(line)["prediction"] for line in lines]


def shift(
    client: httpx.Client, model: str, rows: list[dict[str, Any]], moved: str, *, positional: bool
) -> None:
    """Compare rows with a reference, of which one column has moved, until that is the version's drift."""
    drawn = random.Random(3)
    path = f"/api/v1/models/{model}/versions/v1"
    reference = [around(drawn.choice(rows), drawn, {}) for _ in range(_REFERENCE_ROWS)]
    stored = client.put(f"{path}/reference", content=as_csv(reference), headers={"Content-Type": "text/csv"})
    assert stored.status_code == 200, stored.text
    assert (stored.json()["rows"], stored.json()["unmatched"]) == (_REFERENCE_ROWS, [])

    deadline = time.monotonic() + _DRIFT_SECONDS
    while True:
        live = [around(drawn.choice(rows), drawn, {moved: 500.0}) for _ in range(_LIVE_ROWS)]
        sent = [list(row.values()) for row in live] if positional else live
        client.post(f"/predict/{model}", json={"inputs": sent}).raise_for_status()
        found = client.get(f"{path}/drift").json()
        if found["state"] == "drift" or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert (found["state"], found["features"][0]["name"]) == ("drift", moved), found["message"]


def around(row: Mapping[str, Any], drawn: random.Random, moved: Mapping[str, float]) -> dict[str, Any]:
    """A row near this one, fractions alone: what is whole or a text may be a category."""
    return {
        name: value + drawn.gauss(0, 1) + moved.get(name, 0) if isinstance(value, float) else value
        for name, value in row.items()
    }
