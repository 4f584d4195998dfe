"""Drift on the whole platform: from the reference at the upload to the feature that it names."""

import csv
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import joblib
import pytest
from modelport.cli import run
from modelport.client import Modelport

from tests.support.drifting import SHIFTED, cancer_model, halves, shifted
from tests.support.platform_process import PlatformProcess


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    quick = {"MODELPORT_GATEWAY_DRIFT_REFRESH_SECONDS": "0.5"}
    running = PlatformProcess(tmp_path_factory.mktemp("drift"), **quick).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def owner(platform: PlatformProcess) -> httpx.Client:
    return platform.register_user()


def upload(owner: httpx.Client, folder: Path, reference: str) -> str:
    path = folder / "model.joblib"
    joblib.dump(cancer_model(), path)
    rows = folder / "train.csv"
    rows.write_text(reference)
    with Modelport(str(owner.base_url), token_of(owner)) as client:
        made = client.upload(path, "Cancer", reference=rows)
        assert made.raw["versions"][0]["data_drift"]["state"] == "collecting"
        return client.wait_for_model(made.id, seconds=240).id


def token_of(owner: httpx.Client) -> str:
    return owner.headers["Authorization"].removeprefix("Bearer ")


def wait_for_bins(owner: httpx.Client, model: str, row: dict[str, float]) -> None:
    """Until rows are counted, some requests are not: the gateway asks for bins in the background."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        send(owner, model, [row])
        if owner.get(f"/api/v1/models/{model}/versions/v1/drift").json()["rows"]:
            return
        time.sleep(0.5)
    pytest.fail("no row was counted within 30 seconds")


def send(owner: httpx.Client, model: str, rows: list[dict[str, float]]) -> None:
    response = owner.post(f"/predict/{model}", json={"inputs": rows})
    assert response.status_code == 200, response.text


def state_within(owner: httpx.Client, model: str, wanted: str, seconds: float = 160) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        found: dict[str, Any] = owner.get(f"/api/v1/models/{model}/versions/v1/drift").json()
        if found["state"] == wanted or time.monotonic() > deadline:
            assert found["state"] == wanted, found["message"]
            return found
        time.sleep(0.5)


def as_csv(frame: Any) -> str:
    text = io.StringIO()
    frame.to_csv(text, index=False, quoting=csv.QUOTE_MINIMAL)
    return text.getvalue()


@pytest.mark.slow
def test_unchanged_rows_are_ok_and_shifted_rows_name_the_feature(
    platform: PlatformProcess,
    owner: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    reference, live = halves()
    model = upload(owner, tmp_path, as_csv(reference))
    rows = live.to_dict("records")
    wait_for_bins(owner, model, rows[0])
    send(owner, model, rows)
    send(owner, model, rows[:250])
    fine = state_within(owner, model, "ok")
    assert fine["window"]["rows"] >= 500
    assert fine["reference"] == fine["reference"] | {"rows": len(reference), "features": 30, "unmatched": []}
    assert fine["predictions"]["kind"] == "classes"

    moved = shifted(live)
    time.sleep(5)
    for _ in range(2):
        send(owner, model, moved)
        time.sleep(3)
    found = state_within(owner, model, "drift")
    worst = found["features"][0]
    assert worst["name"] == SHIFTED
    assert worst["drifts"]
    assert sum(bar["live"] for bar in worst["bars"]) == pytest.approx(1)
    short = owner.get(f"/api/v1/models/{model}").json()["versions"][0]["data_drift"]
    assert [each["name"] for each in short["features"]] == [SHIFTED]
    monkeypatch.setenv("MODELPORT_API_KEY", token_of(owner))
    assert run(["drift", model, "--url", platform.url]) == 0
    assert "v1: drift" in capsys.readouterr().out
    page = httpx.get(f"{platform.url}/metrics", timeout=60).text
    assert f'modelport_drift_features{{model="{model}",version="v1"}} 1.0' in page
